"""DVC with a real S3 server that checks credentials and is killed at the worst moments."""

import os
import shutil
import signal
import sys
import time
from contextlib import contextmanager, suppress
from hashlib import md5

import numpy as np
import pytest
from botocore.session import get_session
from click.testing import CliRunner

from art_pipeline.cli import cli
from art_pipeline.dvc import s3_server
from art_pipeline.dvc.s3_server import BUCKET, READER, Identity, free_ports, identity_of, serving, set_remote
from art_pipeline.errors import RemoteError

WRITING = Identity("writer", "WRITER", "writers-secret")
READING = Identity("reader", "READER", "readers-secret", READER)
ADMIN = Identity("admin", "ADMIN", "admins-secret", ("Admin", "Read", "Write", "List", "Tagging"))
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")

pytestmark = pytest.mark.services


def credentials(identity):
    return dict(zip(KEYS, (identity.key, identity.secret), strict=True))


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Of a server that runs as long as these tests."""
    port = free_ports(1)[0]
    with serving(tmp_path_factory.mktemp("s3"), port, [WRITING, READING, ADMIN]) as server:
        yield f"http://127.0.0.1:{port}"
        server.kill()


@pytest.fixture
def project(kept, address, tmp_path):
    """A finished project whose remote is on that server, in a corner of its own."""
    return with_remote(kept.copy(tmp_path / "project"), address, tmp_path.name)


def with_remote(project, address, corner):
    project.do("dvc", "remote", "add", "--default", "store", f"s3://{BUCKET}/{corner}")
    project.do("dvc", "remote", "modify", "store", "endpointurl", address)
    project.commit("A remote")
    return project


@pytest.fixture(scope="module")
def pushed(kept, address, tmp_path_factory):
    """Such a project, of which all has been pushed; to look at, not to change."""
    folder = tmp_path_factory.mktemp("pushed")
    project = with_remote(kept.copy(folder / "project"), address, folder.name)
    project.do("dvc", "push", **credentials(WRITING))
    return project


def test_what_is_pushed_arrives_in_a_fresh_clone(pushed, tmp_path):
    assert "in sync" in pushed.do("dvc", "status", "--cloud", **credentials(WRITING))
    clone = pushed.clone(tmp_path / "clone")
    clone.do("dvc", "pull", **credentials(READING))  # who may only read can pull
    assert clone.status() == {}
    assert clone.outputs() == pushed.outputs()
    assert "up to date" in clone.do("dvc", "repro")


def test_who_may_only_read_cannot_push(project):
    assert "Access Denied" in project.do("dvc", "push", check=False, **credentials(READING))


def test_a_wrong_key_is_told(project):
    said = project.do("dvc", "push", check=False, **credentials(Identity("", "NOBODY", "none")))
    assert "Access" in said or "Forbidden" in said
    said = project.do("dvc", "push", check=False, **credentials(Identity("", WRITING.key, "wrong")))
    assert "signature" in said.lower() or "Forbidden" in said
    assert project.status() == {}


def test_a_missing_bucket_is_told(project):
    project.do("dvc", "remote", "modify", "store", "url", "s3://nowhere/at-all")
    assert "bucket does not exist" in project.do("dvc", "push", check=False, **credentials(ADMIN))


def test_credentials_may_stand_in_the_local_configuration_or_in_a_profile(pushed, address, tmp_path):
    profile = tmp_path / "credentials"
    profile.write_text(f"[museum]\naws_access_key_id = {READING.key}\naws_secret_access_key = {READING.secret}\n")
    clone = pushed.clone(tmp_path / "by_profile")
    clone.do("dvc", "remote", "modify", "--local", "store", "profile", "museum")
    clone.do("dvc", "pull", AWS_SHARED_CREDENTIALS_FILE=str(profile))
    assert clone.outputs() == pushed.outputs()
    clone = pushed.clone(tmp_path / "by_configuration")
    pushed_to = clone.do("dvc", "config", "remote.store.url").strip()
    set_remote(clone.path, "store", address, WRITING)
    clone.do("dvc", "remote", "default", "--local", "store")
    clone.do("dvc", "remote", "modify", "--local", "store", "url", pushed_to)
    clone.do("dvc", "pull")
    assert clone.outputs() == pushed.outputs()
    assert WRITING.secret not in clone.git("diff")
    assert clone.git("status", "--porcelain") == ""


def test_gc_keeps_what_commits_still_need(project):
    folder = project.path / "data" / "more"
    folder.mkdir()
    kept = {}
    for message in ("First", "Second", "Third"):
        (folder / "file").write_text(message)
        project.do("dvc", "add", "data/more")
        project.commit(message)
        kept[message] = project.outputs()
    project.do("dvc", "push", "--all-commits", **credentials(WRITING))
    project.git("reset", "--quiet", "--hard", "HEAD~1")  # nobody needs the third any more
    project.git("reflog", "expire", "--expire=now", "--all")
    assert "Removed" in project.do("dvc", "gc", "--all-commits", "--cloud", "--force", **credentials(WRITING))
    for message, place in (("Second", "HEAD"), ("First", "HEAD~1")):
        project.git("checkout", "--quiet", place)
        shutil.rmtree(project.path / ".dvc" / "cache")
        shutil.rmtree(project.path / "data")
        project.git("checkout", "--quiet", "--", "data")
        project.do("dvc", "pull", **credentials(WRITING))
        assert project.outputs() == kept[message]
    assert "Removed" in project.do("dvc", "gc", "--workspace", "--cloud", "--force", **credentials(WRITING))
    assert "in sync" in project.do("dvc", "status", "--cloud", **credentials(WRITING))


class TestServerThatDies:
    """In the middle of a push, and of a pull: what the documents say completes them."""

    MOMENTS = (0.05, 0.25, 0.5, 0.75, 0.95)  # of the bytes that had arrived
    # Half a second for each object: some fail while the server starts again, and those after them arrive.
    IMPATIENT = {"AWS_MAX_ATTEMPTS": "2", **credentials(WRITING)}  # noqa: RUF012

    @pytest.fixture(scope="class")
    @classmethod
    def large(cls, project_at, tmp_path_factory):
        """A project whose folders share files, as a model and its codebooks do, and the size of what DVC keeps."""
        project = project_at(tmp_path_factory.mktemp("large") / "project")
        rng = np.random.default_rng(0)
        contents = [rng.bytes(100_000) for _ in range(60)]
        for folder, numbers in {"model": range(40), "codebooks": range(30), "other": range(20, 60)}.items():
            (project.path / "data" / folder).mkdir(parents=True)
            for number in numbers:
                (project.path / "data" / folder / f"{number}.bin").write_bytes(contents[number])
        project.git("init", "--quiet", "--initial-branch=main")
        project.do("dvc", "init", "--quiet")
        project.do("dvc", "add", "--quiet", *(f"data/{folder}" for folder in ("model", "codebooks", "other")))
        project.commit("Data")
        return project

    @pytest.fixture
    def store(self, tmp_path):
        """To call for a server; the same objects and the same address each time."""
        port = free_ports(1)[0]

        @contextmanager
        def start():
            with serving(tmp_path / "s3", port, [WRITING]) as server:
                yield server, f"http://127.0.0.1:{port}"

        return start

    @pytest.mark.parametrize("moment", MOMENTS)
    def test_a_push_is_completed(self, large, store, tmp_path, moment):
        project = large.copy(tmp_path / "project")
        with store() as (server, address):
            with_remote(project, address, "place")
            with project.doing("dvc", "push", "--jobs", "1", **self.IMPATIENT) as push:
                self.kill(server, push, tmp_path / "s3", moment * 6_000_000)
                with store():
                    push.wait(timeout=300)
        with store() as (_, address):
            pushed = self.push_all(project)
            assert self.bucket(address) == self.cache(project), pushed
            clone = project.clone(tmp_path / "clone")
            clone.do("dvc", "pull", **credentials(WRITING))
        assert clone.files() == project.files()

    @pytest.mark.parametrize("moment", MOMENTS)
    def test_a_pull_is_completed(self, large, store, tmp_path, moment):
        project = large.copy(tmp_path / "project")
        with store() as (server, address):
            with_remote(project, address, "place")
            project.do("dvc", "push", **credentials(WRITING))
            clone = project.clone(tmp_path / "clone")
            with clone.doing("dvc", "pull", "--jobs", "1", **self.IMPATIENT) as pull:
                self.kill(server, pull, clone.path / ".dvc" / "cache", moment * 6_000_000)
                with store():
                    pull.wait(timeout=300)
        with store() as (_, address):
            clone.do("dvc", "pull", **credentials(WRITING))
            assert self.bucket(address) == self.cache(project)
        assert clone.files() == project.files()
        assert self.cache(clone) == self.cache(project)

    def push_all(self, project):
        """What ``kedro dvc --push`` does; this project has no Kedro."""
        script = "from pathlib import Path; from art_pipeline.lineage.dvc_remote import push; print(push(Path.cwd()))"
        return project.do(sys.executable, "-c", script, **credentials(WRITING))

    def kill(self, server, process, folder, size):
        """End the server without a warning once so many bytes have arrived.

        The process stands still while they are counted, so that it does not end first on a busy machine.
        """
        while True:
            os.killpg(process.pid, signal.SIGSTOP)
            assert process.poll() is None, "it had ended before the server could die"
            if self.size(folder) >= size:
                break
            os.killpg(process.pid, signal.SIGCONT)
            time.sleep(0.005)
        server.send_signal(signal.SIGKILL)
        server.wait()
        os.killpg(process.pid, signal.SIGCONT)

    def size(self, folder):
        with suppress(FileNotFoundError):  # some are there for a moment
            return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and "log" not in file.name)
        return 0

    def cache(self, project):
        """Digest of each object in the cache, by its name."""
        folder = project.path / ".dvc" / "cache" / "files" / "md5"
        return {"".join(file.parts[-2:]): md5(file.read_bytes()).hexdigest() for file in folder.glob("??/*")}

    def bucket(self, address):
        """The same of the bucket, read by another client than DVC's."""
        keys = {"aws_access_key_id": WRITING.key, "aws_secret_access_key": WRITING.secret}
        client = get_session().create_client("s3", "us-east-1", endpoint_url=address, **keys)
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="place/")
        names = [one["Key"] for page in pages for one in page.get("Contents", ())]
        bodies = {name: client.get_object(Bucket=BUCKET, Key=name)["Body"].read() for name in names}
        return {"".join(name.split("/")[-2:]): md5(body).hexdigest() for name, body in bodies.items()}


class TestTrying:
    def test_a_port_that_is_taken(self, address, tmp_path):
        port = int(address.rpartition(":")[2])
        with pytest.raises(RemoteError, match=f"Port {port} is taken.*--port {port + 1}"), serving(tmp_path, port, []):
            pass

    def test_a_server_that_is_not_installed(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", "")
        monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
        with (
            pytest.raises(RemoteError, match="SeaweedFS is not installed"),
            serving(tmp_path, free_ports(1)[0], [ADMIN]),
        ):
            pass

    def test_one_that_does_not_start(self, tmp_path):
        (tmp_path / "filerldb2").write_text("in the way")
        with pytest.raises(RemoteError, match=r"does not start.*log.txt"), serving(tmp_path, free_ports(1)[0], [ADMIN]):
            pass

    def test_a_server_whose_ports_are_taken_starts_with_others(self, tmp_path, monkeypatch):
        arguments, asked = s3_server._arguments, []

        def taken_once(*given):
            asked.append(given)
            return ["no-such-command"] if len(asked) == 1 else arguments(*given)

        monkeypatch.setattr(s3_server, "_arguments", taken_once)
        with serving(tmp_path, free_ports(1)[0], [ADMIN]) as server:
            assert server.poll() is None
        assert len(asked) == 2

    def test_whoever_tries_keeps_the_same_credentials(self, tmp_path):
        first = identity_of(tmp_path)
        assert first.secret != identity_of(tmp_path).secret  # at random, until they are kept
        with serving(tmp_path, free_ports(1)[0], [first]):
            pass
        assert identity_of(tmp_path) == first
        assert (tmp_path / "identities.json").stat().st_mode & 0o077 == 0

    def test_the_command_serves_and_sets_the_remote(self, kept, tmp_path):
        project = kept.copy(tmp_path / "project")
        port = str(free_ports(1)[0])
        with project.telling("kedro", "s3", "--port", port) as said:
            assert f"http://127.0.0.1:{port}" in said
            project.do("dvc", "push", "--remote", "local")
            assert "in sync" in project.do("dvc", "status", "--cloud", "--remote", "local")
            assert "Pushed 0 missing objects of" in project.do("kedro", "dvc", "--push", "--remote", "local")
        assert project.git("status", "--porcelain") == ""
        # The ended server is not asked: it is not the default remote.
        assert "No default remote" in project.do("dvc", "remote", "default", check=False)
        assert "the same" in project.do("kedro", "lineage", "diff", "bow_svm", "bow_svm")

    def test_outside_a_project(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert "There is no project here" in CliRunner().invoke(cli, ["s3"]).output
