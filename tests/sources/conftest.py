"""A museum of flesh and sockets: a real HTTP server on 127.0.0.1 that plays what a test writes into its script."""

import io
import json
import shutil
import socket
import struct
import threading
import time
from collections import Counter, defaultdict
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit
from zlib import crc32

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from art_pipeline.pipelines.download import nodes as fetch
from art_pipeline.pipelines.scrape import nodes as scrape
from art_pipeline.sources.apis.met import MetOptions
from art_pipeline.sources.http import client
from art_pipeline.sources.options import DownloadOptions
from art_pipeline.sources.registry import SOURCES, Sources
from art_pipeline.tasks.options import TaskOptions
from art_pipeline.tasks.source_summary import summarise_sources

API = "/public/collection/v1"
PAGE = b"<html><head><title>Request unsuccessful</title></head><body>Incident ID: 0-0</body></html>"


@dataclass(frozen=True)
class Answer:
    """What is sent for one request, faults included."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/json"
    headers: dict = field(default_factory=dict)
    cut: int = 0  # bytes that Content-Length promises and nobody sends
    sized: bool = True
    reset: bool = False
    delay: float = 0.0
    pause: float = 0.0  # seconds before each byte of the body …
    slow_headers: bool = False  # … or of a header that never ends
    endless: bool = False  # the body is sent again and again


def as_json(content, status=200, **more):
    return Answer(status, json.dumps(content).encode(), **more)


def page(status=200, **headers):
    return Answer(status, PAGE, "text/html", headers)


def refusal(status, retry_after=None):
    return page(status, **({} if retry_after is None else {"Retry-After": retry_after}))


@dataclass(frozen=True)
class Asked:
    path: str
    time: float
    headers: dict


class Museum:
    """What the server holds, how it misbehaves, and what it was asked."""

    Answer, as_json, page, refusal = Answer, staticmethod(as_json), staticmethod(page), staticmethod(refusal)

    def __init__(self):
        self.held = {}  # path -> Answer
        self.otherwise = page(404)
        self.script = defaultdict(list)  # path -> answers that come before the one that is held
        self.asked = []
        self.active = self.most_at_once = 0
        self.dead = False
        self.dies_after = self.stalls_after = None
        self.meet = 0  # requests that wait until so many are here at once
        self.open_again = threading.Event()  # ends delays and stalls
        self.met = threading.Event()
        self.lock = threading.Lock()

    def hold_record(self, object_id, **fields):
        self.held[f"{API}/objects/{object_id}"] = as_json({"objectID": object_id, **fields})

    def hold_image(self, name, body):
        self.held[f"/images/{name}"] = Answer(body=body, kind="image/jpeg")
        return f"{self.origin}/images/{name}"

    def play(self, path, *answers):
        """Answers that come, one a request, before the one that is held."""
        self.script[path].extend(answers)

    def paths(self):
        return [one.path for one in self.asked]

    def counts(self):
        return Counter(self.paths())

    def enter(self, path, headers):
        with self.lock:
            self.asked.append(Asked(path, time.monotonic(), headers))
            self.active += 1
            self.most_at_once = max(self.most_at_once, self.active)
            if self.active >= self.meet:
                self.met.set()
            number = len(self.asked)
            if self.dead or (self.dies_after is not None and number > self.dies_after):
                return Answer(reset=True)
            answer = self.script[path].pop(0) if self.script[path] else self.held.get(path, self.otherwise)
            stalls = self.stalls_after is not None and number > self.stalls_after
        if self.meet:
            self.met.wait(10)
        return replace(answer, delay=60.0) if stalls else answer

    def leave(self):
        with self.lock:
            self.active -= 1


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        parts = urlsplit(self.path)
        path = unquote(parts.path) + (f"?{parts.query}" if parts.query else "")
        museum = self.server.museum
        answer = museum.enter(path, dict(self.headers))
        try:
            with suppress(ConnectionError):
                self.send(answer)
        finally:
            museum.leave()

    def send(self, answer):
        if answer.delay:
            self.server.museum.open_again.wait(answer.delay)
        if answer.reset:
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return self.connection.close()
        if answer.slow_headers:
            self.close_connection = True
            return self.trickle(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000, answer.pause)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.sized and not answer.endless:
            self.send_header("Content-Length", str(len(answer.body) + answer.cut))
        self.close_connection = bool(answer.cut) or not answer.sized or answer.endless
        self.end_headers()
        if answer.pause:
            return self.trickle(answer.body, answer.pause)
        self.wfile.write(answer.body)
        while answer.endless and not self.server.museum.open_again.is_set():
            self.wfile.write(answer.body)
        return None

    def trickle(self, body, pause):
        for place in range(len(body)):
            if self.server.museum.open_again.wait(pause):
                break
            self.wfile.write(body[place : place + 1])


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A client that hangs up is part of the tests."""


@contextmanager
def serve():
    museum = Museum()
    server = Server(("127.0.0.1", 0), Handler)
    server.museum = museum
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    museum.origin = f"http://127.0.0.1:{server.server_port}"
    museum.url = museum.origin + API
    try:
        yield museum
    finally:
        museum.open_again.set()
        museum.met.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def start_museum():
    """Starts a museum; for tests that need several, or one per example."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "FIRST_WAIT", 0.01)
        yield serve


@pytest.fixture
def museum(start_museum):
    with start_museum() as museum:
        yield museum


@pytest.fixture(scope="session")
def options():
    """Options for a museum of the tests: quick, and quickly tired."""

    def make(museum, **chosen):
        quick = {"requests_per_second": 1000, "timeout": 5, "attempts": 4, "longest_wait": 0.05, "patience": 0}
        return MetOptions(base_url=museum.url, **quick | chosen)

    return make


@dataclass(frozen=True)
class Home:
    """What a source came to: the tables, and the line that is told of it."""

    objects: pd.DataFrame
    images: pd.DataFrame
    lines: list

    @property
    def rows(self):
        """The usable objects, by title or image."""
        usable = self.objects[self.objects["object_id"].isin(self.images.query("status == 'ok'")["object_id"])]
        return {row["title"] or row["image"]: row for row in usable.to_dict("records")}

    def statuses(self, table):
        return getattr(self, table)["status"].value_counts().to_dict()


@pytest.fixture
def bring_home(tmp_path):
    """Takes a source through the stages scrape and download, and to the line that is told of it."""

    def bring(source, label="classification", **download):
        museum = source if isinstance(source, Sources) else Sources((source,))
        given = DownloadOptions(**download)
        folders = {name: tmp_path / "raw" / name for name in ("listings", "records", "source_images")}
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
        scrape.list_objects(museum)(folders["listings"])
        listing = scrape.select_listed(folders["listings"], museum)
        scrape.scrape_records(listing, museum)(folders["records"])
        objects = scrape.tabulate(listing, folders["listings"], folders["records"], museum)
        fetch.download_images(objects, museum, given)(folders["source_images"])
        images = tmp_path / "images"
        shutil.rmtree(images, ignore_errors=True)
        images.mkdir()
        fetch.standardise_images(objects, folders["source_images"], museum, given)(images)
        image_table = fetch.tabulate_images(objects, folders["source_images"], images, museum, given)
        summary = summarise_sources(objects, image_table, objects[label], TaskOptions(label=label))
        return Home(objects, image_table, list(summary))

    return bring


@pytest.fixture
def put(tmp_path, paint):
    """Puts a file into the folder of a data set: an image of a seed, text, or bytes."""

    def put(name, content=None, encoding="utf-8"):
        file = tmp_path / "data" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        body = content.encode(encoding) if isinstance(content, str) else content
        kind = "PNG" if file.suffix == ".png" else "JPEG"
        file.write_bytes(paint(crc32(name.encode()), kind=kind) if body is None else body)
        return file

    return put


@pytest.fixture
def files(tmp_path):
    """Options for a source whose data set lies in the tests' folder."""

    def make(source, **chosen):
        own = {"folder": str(tmp_path / "data"), "licence": "CC0-1.0", **chosen}
        return SOURCES[source](**own)

    return make


@pytest.fixture(scope="session")
def paint():
    """Makes the bytes of an image from a seed."""

    def make(seed, width=48, height=40, kind="JPEG"):
        pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, kind)
        return buffer.getvalue()

    return make
