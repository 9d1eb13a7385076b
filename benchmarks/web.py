"""Speed of the web page with many made works: SQLite or MariaDB, many users at once.

    python benchmarks/web.py FOLDER [--works 500000] [--users 20] [--seconds 60]

FOLDER keeps the made run and, for SQLite, the database; set DATABASE_URL for MariaDB or MySQL. The script imports the
run, measures the first view of some pages and the CPU time of each page, starts the server with two processes, and
measures the pages alone, and under the load of the users, each of whom opens one every two seconds on average. It
prints a table in Markdown.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import requests

if TYPE_CHECKING:
    from django.test import Client

HERE = Path(__file__).parent
PORT = 8135
ROUNDS = 30
# Pages of the load, with how often each is opened. {n} is a new number each time, {key} a work.
PAGES = {
    "grid": ("/", 6),
    "grid, filter (cold counts)": ("/?department=Department+{letter}&culture=Culture+{n}", 3),
    "grid, filter (cached counts)": ("/?department=Department+B", 3),
    "search, rare word": ("/?q={n}", 2),
    "search, common word": ("/?q=portrait", 2),
    "artwork": ("/artworks/{key}/", 4),
    "API, facets": ("/api/facets/?department=Department+B", 1),
    "API, artwork": ("/api/artworks/{key}/", 1),
    "IIIF manifest": ("/iiif/artworks/{key}/manifest.json", 1),
    "model": ("/models/made_svm/", 1),
    "review, next work": ("/review/", 1),
    "review, suspected label errors": ("/review/?order=label_errors&class=Department+{letter}", 1),
}
FIRST = ("/", "/models/made_svm/", "/review/", "/review/?order=random", "/?q=portrait")  # as a new process shows them
WARM_UP = 15  # seconds of load in which both processes read what they keep
REVIEWED = 1000  # works that the reviewer has decided on


def main() -> None:
    """Import, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--works", type=int, default=500_000)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=60, help="duration of the load")
    options = parser.parse_args()
    folder = options.folder.resolve()
    os.environ["ART_PIPELINE_WEB"] = str(folder / "state")
    print("| what | figure |\n|---|---|")
    show(import_made_run(folder, options.works))
    os.environ["BENCH_SESSION"] = session_of_a_reviewer()
    show(measure_first())
    show(measure_counts())
    show(measure_cpu(options.works))
    with server():
        show(measure_alone(options.works))
        show(measure_under_load(options.users, options.seconds, options.works))
        show([("memory of a process of the server", f"{memory():.0f} MB")])
        show([("weight of the grid with thumbnails, styles and scripts", f"{weight() / 1000:.0f} kB")])


def show(rows: list[tuple[str, str]]) -> None:
    """Print rows of the table."""
    for what, figure in rows:
        print(f"| {what} | {figure} |", flush=True)


def import_made_run(folder: Path, works: int) -> list[tuple[str, str]]:
    """Import a made run, once and again, and return the rates."""
    sys.path.insert(0, str(HERE))
    from made_run import TASKS, write_made_run

    from art_pipeline.web.command import collect_static, prepare

    data = folder / f"made_{works}" / "data"
    if not data.exists():
        write_made_run(data, works)
    prepare(folder)
    from art_pipeline.web.catalogue.importer import import_run
    from art_pipeline.web.catalogue.run_folder import RunFolder

    collect_static()
    rows = []
    for what in ("first import", "import of the same run"):
        started, cpu = time.perf_counter(), time.process_time()
        import_run(RunFolder(data, TASKS))
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        rows.append((what, f"{seconds:.0f} s, {works / seconds:,.0f} works/s ({cpu:.0f} s of CPU)"))
    return rows


def session_of_a_reviewer() -> str:
    """Make an account with decisions on the most doubtful works, and return the key of its session."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    from art_pipeline.web.accounts.create import set_account
    from art_pipeline.web.catalogue.models import Prediction
    from art_pipeline.web.review.models import Decision

    set_account("bench", "cataloguer")
    user = get_user_model().objects.get(username="bench")
    doubtful = Prediction.objects.order_by("-doubt", "artwork").values_list("artwork__key", "model__record")
    values = {"task": "department", "model": "made_svm", "user": user, "action": "accept", "labels": ["Department A"]}
    Decision.objects.all().delete()
    Decision.objects.bulk_create(
        Decision(artwork_key=key, record=record, **values) for key, record in doubtful[:REVIEWED]
    )
    client = Client()
    client.force_login(user)
    return str(client.cookies["sessionid"].value)


def client_of_the_reviewer() -> "Client":
    """Return a client that is logged in."""
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.cookies["sessionid"] = os.environ["BENCH_SESSION"]
    return client


def measure_first() -> list[tuple[str, str]]:
    """Open pages as a new process does, which has read nothing yet, and return the times."""
    from django.core.cache import cache

    from art_pipeline.web.catalogue import facet_index

    client, rows = client_of_the_reviewer(), []
    client.get("/nothing/")  # templates and addresses are read
    for address in FIRST:
        cache.clear()
        facet_index._current = None
        started = time.perf_counter()
        assert client.get(address).status_code == 200, address
        rows.append((f"first view of `{address}` by a process", f"{1000 * (time.perf_counter() - started):.0f} ms"))
    return rows


def measure_counts() -> list[tuple[str, str]]:
    """Count all filters beside chosen ones, and return the times."""
    from django.http import QueryDict

    from art_pipeline.web.explore import grid
    from art_pipeline.web.explore.filters import Filters
    from art_pipeline.web.explore.listing import Listing

    list(grid.facet_views(Listing.of(Filters())))
    times: dict[str, list[float]] = {"cold": [], "cached": []}
    for number in range(ROUNDS):
        query = QueryDict(f"department=Department+{'ABCDEFGHIJKL'[number % 12]}&culture=Culture+{number + 1}")
        for found in times.values():
            started = time.perf_counter()
            list(grid.facet_views(Listing.of(Filters.parse(query))))
            found.append(1000 * (time.perf_counter() - started))
    return [
        (f"counts of all filters, {name}", f"median {statistics.median(one):.0f} ms, most {max(one):.0f} ms")
        for name, one in times.items()
    ]


def measure_cpu(works: int) -> list[tuple[str, str]]:
    """Make each page in this process, and return medians of the CPU time, which other programs hardly change."""
    client, rows = client_of_the_reviewer(), []
    for page in PAGES:
        seconds = []
        for number in range(ROUNDS + 4):
            started = time.process_time()
            assert client.get(address_of(page, number, works)).status_code == 200, page
            seconds.append(time.process_time() - started)
        found = [1000 * one for one in seconds[4:]]
        rows.append((f"{page}, CPU", f"median {statistics.median(found):.0f} ms, most {max(found):.0f} ms"))
    return rows


@contextmanager
def server() -> Iterator[None]:
    """Run the server with two processes."""
    command = [sys.executable, "-m", "gunicorn", "art_pipeline.web.wsgi:application", "--bind", f"127.0.0.1:{PORT}"]
    command += ["--workers", "2", "--threads", "4", "--keep-alive", "30", "--log-level", "warning"]
    command += ["--no-control-socket"]
    with subprocess.Popen(command) as process:
        try:
            wait()
            yield
        finally:
            process.terminate()


def wait() -> None:
    """Wait until the server answers."""
    for _ in range(300):
        try:
            requests.get(f"http://127.0.0.1:{PORT}/", timeout=60)
            return
        except requests.ConnectionError:
            time.sleep(0.2)
    raise SystemExit("The server does not answer.")


def address_of(page: str, number: int, works: int) -> str:
    """Return an address of a page."""
    key = 1000 + number * 7919 % works
    return PAGES[page][0].format(n=1 + number % 60, letter="ABCDEFGHIJKL"[number % 12], key=key)


def measure_alone(works: int) -> list[tuple[str, str]]:
    """Open each page by one user, and return medians and 95th percentiles."""
    session = requests.Session()
    session.cookies.set("sessionid", os.environ["BENCH_SESSION"])
    rows = []
    for page in PAGES:
        seconds = []
        for number in range(ROUNDS + 4):
            started = time.perf_counter()
            answer = session.get(f"http://127.0.0.1:{PORT}{address_of(page, number, works)}", timeout=120)
            assert answer.status_code == 200, answer.url
            seconds.append(time.perf_counter() - started)
        found = [1000 * one for one in seconds[4:]]  # the first reads of both processes left out
        p95 = statistics.quantiles(found, n=20)[-1]
        rows.append((f"{page}, one user", f"median {statistics.median(found):.0f} ms, p95 {p95:.0f} ms"))
    return rows


def weight() -> int:
    """Return the bytes that the home page, and what it loads, send to a new browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page, sizes = browser.new_page(viewport={"width": 1440, "height": 900}), []
        page.on("requestfinished", lambda one: sizes.append(one))  # noqa: PLW0108  # Playwright marks the function
        page.goto(f"http://127.0.0.1:{PORT}/", wait_until="networkidle")
        total = sum(sum(one.sizes()[part] for part in ("responseBodySize", "responseHeadersSize")) for one in sizes)
        browser.close()
    return total


def measure_under_load(users: int, seconds: int, works: int) -> list[tuple[str, str]]:
    """Let users open pages with Locust, and return 95th percentiles."""
    variables = {**os.environ, "BENCH_WORKS": str(works)}
    command = [sys.executable, "-m", "locust", "-f", str(HERE / "web_users.py"), "--headless", "--json"]
    command += ["-H", f"http://127.0.0.1:{PORT}", "-u", str(users), "-t", f"{seconds + WARM_UP}s"]
    command += ["-r", str(users / WARM_UP), "--reset-stats"]  # until all users are there, times do not count
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    import json

    rows = []
    for one in json.loads(done.stdout):
        times = {int(key): count for key, count in one["response_times"].items()}
        p95, n = percentile(times, 0.95), one["num_requests"]
        rows.append((f"{one['name']}, {users} users", f"p95 {p95} ms ({n} requests, {one['num_failures']} failed)"))
    return sorted(rows)


def percentile(times: dict[int, int], part: float) -> int:
    """Return a percentile of counted times.

    >>> percentile({10: 18, 20: 1, 500: 1}, 0.95)
    20
    """
    wanted, seen = part * sum(times.values()), 0
    for time_, count in sorted(times.items()):
        seen += count
        if seen >= wanted:
            return time_
    return 0


def memory() -> float:
    """Return the largest resident memory of the server's processes, in MB."""
    found = [one for one in psutil.Process().children(recursive=True) if "gunicorn" in " ".join(one.cmdline())]
    return max(one.memory_info().rss for one in found) / 1e6


if __name__ == "__main__":
    main()
