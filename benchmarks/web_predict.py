"""Time from sending an image to the web page until its prediction is there: one user, and many at once.

    python benchmarks/web_predict.py PROJECT MODEL... [--users 20] [--images 3]

PROJECT has a finished run; its models are imported into a temporary database of SQLite. Server and workers are those of
``kedro web start``. Each user sends an image, looks for the result as often as the page does, and sends the next one.
It prints a table in Markdown.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
import requests

PORT, WARM_UP = 8136, 3
SHORTEST, LONGEST = 0.25, 3.0  # seconds between two looks, as in the page's jobs.js
SITE = f"http://127.0.0.1:{PORT}"
SERVE = f"prepare(Path.cwd()); serve('127.0.0.1', {PORT}, 2, 1, lambda: None)"
SERVE = f"from pathlib import Path; from art_pipeline.web.command import prepare, serve; {SERVE}"
TOKEN = re.compile(r'name="(csrfmiddlewaretoken|token)" value="([^"]+)"')
JOB = re.compile(r'data-job="([^"]+)"')


def main():
    """Import, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--images", type=int, default=3, help="that each user sends")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"ART_PIPELINE_WEB": folder, "UPLOADS_PER_HOUR": "100000"}
        os.chdir(options.project)
        models, sessions = prepared(options.models, options.users)
        images = sorted(Path("data/02_intermediate/images").glob("*.jpg"))
        with site():
            print("| model | users | median | p95 | predictions per second |\n|---|---|---|---|---|")
            for name, key in models.items():
                measure(name, key, sessions, images, options.images)
            print(f"\nMemory of a process: {memory()}")


def prepared(names, users):
    """Import the run, and return the keys of the models and the sessions of users."""
    from art_pipeline.web.command import collect_static, prepare

    subprocess.run([sys.executable, "-m", "kedro", "web", "import"], check=True)
    prepare(Path.cwd())
    from django.contrib.auth import get_user_model
    from django.test import Client

    from art_pipeline.web.accounts.create import set_account
    from art_pipeline.web.catalogue.models import TrainedModel

    collect_static()
    sessions = []
    for number in range(users):
        set_account(f"user{number}", "cataloguer")
        client = Client()
        client.force_login(get_user_model().objects.get(username=f"user{number}"))
        sessions.append(client.cookies["sessionid"].value)
    return {name: TrainedModel.objects.get(name=name, is_current=True).pk for name in names}, sessions


@contextmanager
def site():
    """Run server and workers."""
    with subprocess.Popen([sys.executable, "-c", SERVE]) as process:
        try:
            while not answers():
                time.sleep(0.2)
            yield
        finally:
            process.terminate()


def answers():
    """Return whether the server answers."""
    try:
        return requests.get(SITE, timeout=60).ok
    except requests.ConnectionError:
        return False


def measure(name, key, sessions, images, each):
    """Print a row for one user, and one for all at once."""
    for _ in range(WARM_UP):
        predict(sessions[0], key, images[0])
    for group, count in ((sessions[:1], max(10, each)), (sessions, each)):
        started = time.perf_counter()
        times = at_once(group, key, images, count)
        rate = len(times) / (time.perf_counter() - started)
        p95 = statistics.quantiles(times, n=20)[-1]
        print(f"| {name} | {len(group)} | {statistics.median(times):.2f} s | {p95:.2f} s | {rate:.1f} |", flush=True)


def at_once(sessions, key, images, count):
    """Let users predict some images each, and return all times."""
    barrier = threading.Barrier(len(sessions))

    def visit(number):
        barrier.wait()
        own = [images[(1 + number * count + one) % len(images)] for one in range(count)]
        return [predict(sessions[number], key, one) for one in own]

    with ThreadPoolExecutor(len(sessions)) as pool:
        return [one for found in pool.map(visit, range(len(sessions))) for one in found]


def predict(session, key, image):
    """Send an image, and return the seconds until its prediction is there."""
    client = requests.Session()
    client.cookies.set("sessionid", session)
    fields = dict(TOKEN.findall(client.get(f"{SITE}/predict/", timeout=120).text))
    started = time.perf_counter()
    files = {"image": (image.name, image.read_bytes(), "image/jpeg")}
    answer = client.post(f"{SITE}/predict/", {**fields, "model": key}, files=files, timeout=120)
    assert answer.ok, answer.text
    job, pause = JOB.search(answer.text), SHORTEST
    while job:
        state = client.get(SITE + job[1], headers={"Accept": "application/json"}, timeout=120).json()
        assert state["state"] != "failed", state
        if state["is_finished"]:
            break
        time.sleep(pause)
        pause = min(pause * 1.3, LONGEST)
    return time.perf_counter() - started


def memory():
    """Return the largest resident memory of the server's processes and of the workers."""
    found = {}
    for one in psutil.Process().children(recursive=True):
        name = "worker" if "--queue" in one.cmdline() else "server"
        found[name] = max(found.get(name, 0), one.memory_info().rss)
    return ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in found.items())


if __name__ == "__main__":
    main()
