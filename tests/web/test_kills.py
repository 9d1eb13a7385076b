"""Server, worker and database are killed at random under load: nothing is lost, and nothing is there twice."""

import os
import random
import shutil
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import psutil
import pymysql
import pytest
import requests
from tests.servers import PASSWORD, mariadb
from tests.web.run_folder import DEPARTMENTS, TAGS, write_run
from tests.web.uploads.image_bytes import encoded

from art_pipeline.dvc.s3_server import free_ports
from art_pipeline.features.colour_moments import ColourMomentsOptions
from art_pipeline.features.update import update_store

ROOT = Path(__file__).parents[2]
KILLS, USERS, TIMEOUT = 10, 3, 600  # seconds until everything has settled
PAUSE = 0.5  # seconds between two uploads of a user
MODELS = {"first_svm": (DEPARTMENTS, "multiclass"), "tags_svm": (TAGS, "multilabel")}
GONE = (requests.ConnectionError, requests.Timeout)


@pytest.fixture
def project(tmp_path, save_svm):
    """A project with a finished run whose models predict."""
    data = write_run(tmp_path / "project" / "data", models=tuple(MODELS))
    for name, (classes, kind) in MODELS.items():
        shutil.rmtree(data / "06_models" / name)
        save_svm(data / "06_models" / name, [*classes] * 4, kind)
    shutil.rmtree(data / "04_feature")
    update_store(data / "04_feature" / "colour_moments", {}, ColourMomentsOptions().create())
    return data.parent


class Site:
    """The site's processes."""

    def __init__(self, project, database):
        self.database, self.port = database, free_ports(1)[0]
        environment = {**os.environ, "DATABASE_URL": database.address, "UPLOADS_PER_HOUR": "100000", "MEDIA_URL": ""}
        environment.pop("ART_PIPELINE_WEB", None)
        command = [sys.executable, str(ROOT / "tests/web/serve_site.py"), str(project), str(self.port)]
        self.log = (project / "log").open("wb")
        self.process = subprocess.Popen(
            command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        self.password = self.process.stdout.readline().strip()
        assert self.process.stdout.readline().strip() == "ready", (project / "log").read_text()

    def processes(self, part):
        """Return the processes of the server, or of the worker."""
        found = psutil.Process(self.process.pid).children(recursive=True)
        return [one for one in found if part in " ".join(one.cmdline())]

    def kill_one(self, rng):
        """Kill the database, or a process of the server or the worker."""
        part = rng.choice(["gunicorn", "work", "database"])
        if part == "database":
            self.database.kill()
            time.sleep(rng.random())
            self.database.start()
        elif found := self.processes(part):
            rng.choice(found).kill()
        return part

    def stop(self):
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.terminate()
        self.process.wait(300)
        self.log.close()
        self.process.stdout.close()
        return [one for one in children if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


class User(threading.Thread):
    """Uploads images one after the other; an upload without an answer is sent again, as a browser's form is."""

    def __init__(self, site, number):
        super().__init__(daemon=True)
        self.site, self.number, self.sent, self.stopped = site, number, [], threading.Event()

    def run(self):
        with requests.Session() as session:
            self._upload_all(session)

    def _upload_all(self, session):
        while not self.stopped.is_set():
            title = f"Upload {self.number}-{len(self.sent)}"
            token, body = str(uuid.uuid4()), encoded(size=(64 + self.number, 48 + len(self.sent)))
            while not self._send(session, {"title": title, "token": token}, body):
                time.sleep(0.3)
            self.sent.append(title)
            time.sleep(PAUSE)

    def _send(self, session, form, body):
        address = f"http://127.0.0.1:{self.site.port}"
        try:
            page = session.get(f"{address}/upload/", timeout=20)
            if "/login/" in page.url:
                form = {"username": "ada", "password": self.site.password}
                token = {"csrfmiddlewaretoken": session.cookies.get("csrftoken", "")}
                session.post(page.url, {**form, **token}, timeout=20)
                return False
            form = {**form, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
            file = {"image": ("upload.jpg", body, "image/jpeg")}
            answer = session.post(f"{address}/upload/", form, files=file, timeout=20, allow_redirects=False)
        except (*GONE, KeyError):
            return False
        return answer.status_code == 302 and "/artworks/" in answer.headers["Location"]


def rows(database, statement):
    with (
        pymysql.connect(
            host="127.0.0.1", port=database.port, user="art", password=PASSWORD, database="art"
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
        return cursor.fetchall()


def wait_until(condition):
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.mark.services
def test_nothing_is_lost_and_nothing_is_there_twice(project, tmp_path):
    rng = random.Random(0)
    (tmp_path / "mariadb").mkdir()
    with mariadb(tmp_path / "mariadb") as database:
        site = Site(project, database)
        try:
            users = [User(site, number) for number in range(USERS)]
            for user in users:
                user.start()
            killed = []
            for number in range(KILLS):
                wait_until(lambda number=number: sum(len(user.sent) for user in users) > number)
                time.sleep(rng.random())
                killed.append(site.kill_one(rng))
            for user in users:
                user.stopped.set()
            for user in users:
                user.join(TIMEOUT)
                assert not user.is_alive(), (project / "log").read_text()[-3000:]
            unfinished = "SELECT id FROM jobs_job WHERE state IN ('waiting', 'running')"
            wait_until(lambda: not rows(database, unfinished))
            sent = sorted(title for user in users for title in user.sent)
            stored = rows(database, "SELECT title FROM catalogue_artwork WHERE origin = 'upload'")
            assert sorted(title for (title,) in stored) == sent
            jobs = rows(database, "SELECT state, COUNT(*) FROM jobs_job GROUP BY state")
            assert dict(jobs) == {"done": len(sent)}
            predictions = rows(
                database,
                "SELECT COUNT(*) FROM catalogue_prediction JOIN catalogue_artwork AS one ON one.id = artwork_id "
                "WHERE one.origin = 'upload' GROUP BY one.id",
            )
            assert predictions == ((len(MODELS),),) * len(sent)
            assert len(sent) >= KILLS
        finally:
            left = site.stop()
    assert left == []
    print(f"{len(sent)} uploads; killed: {killed}")  # noqa: T201
