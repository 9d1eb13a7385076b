"""Where MLflow keeps runs: stores that are missing, half made, locked, damaged, moved, read-only or away."""

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from art_pipeline.errors import TrackingError
from art_pipeline.tracking import sqlite
from art_pipeline.tracking.lookup import find_run, record_of_run
from art_pipeline.tracking.store import (
    ARTIFACTS,
    open_store,
    own_database,
    store_address,
    tracking_errors,
    without_password,
)

SECONDS = 60  # within which a store that cannot be used is said to be
ODD_NAMES = [
    "with space",
    "a#b",
    'it\'s "quoted"',
    "Gemälde 浮世絵",
    "100%",
    "a+b",
    "a@b;c&d=e",
    "${HOME}",
    "~",
    "a\\b",
]
REFUSED_NAMES = ["what?", "a%2Fb", "%41"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A database that MLflow made, to copy."""
    file = tmp_path_factory.mktemp("made") / "mlruns" / "mlflow.db"
    sqlite.prepare(file, ARTIFACTS)
    return file


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    """No store is named, and what a test sets is undone."""
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "DVC_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")


@pytest.fixture
def project(tmp_path, made):
    """A project with a store without runs."""
    folder = tmp_path / "project"
    (folder / "mlruns").mkdir(parents=True)
    shutil.copy(made, folder / "mlruns")
    return folder


@contextmanager
def within(seconds):
    start = time.monotonic()
    yield
    assert time.monotonic() - start < seconds


def refusal(project):
    with within(SECONDS), pytest.raises(TrackingError) as caught:
        open_store(project)
    assert "Traceback" not in str(caught.value) and "sqlalche.me" not in str(caught.value)
    return str(caught.value)


class TestAddress:
    @pytest.mark.parametrize("given", ["", "  "])
    def test_empty_is_unset(self, tmp_path, monkeypatch, given):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
        assert store_address(tmp_path) == f"sqlite:///{tmp_path}/mlruns/mlflow.db"

    def test_another_is_taken_as_it_is(self, tmp_path, monkeypatch):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://server.example/mlflow")
        assert store_address(tmp_path) == "https://server.example/mlflow"

    @pytest.mark.parametrize("name", REFUSED_NAMES)
    def test_a_folder_whose_name_mlflow_cannot_write_is_refused_at_once(self, tmp_path, name):
        (tmp_path / name).mkdir()
        said = refusal(tmp_path / name)
        assert name in said and "Rename the folder" in said and "ART_PIPELINE_TRACKING=off" in said
        assert [file.name for file in tmp_path.iterdir()] == [name]
        assert list((tmp_path / name).iterdir()) == []

    @given(st.text(st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1))
    def test_any_other_name_comes_back_from_the_address(self, name):
        path = Path("/somewhere") / name
        try:
            address = store_address(path)
        except TrackingError:
            assert "?" in name or "%" in name
        else:
            assert unquote(address.removeprefix("sqlite:///")) == own_database(path).as_posix()

    def test_a_password_is_not_without_password(self):
        assert without_password("https://me:secret@server.example/path") == "https://server.example/path"
        assert without_password("sqlite:////a@b/c") == "sqlite:////a@b/c"


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_project_in_a_folder_of_an_odd_name_keeps_and_finds_its_runs(tmp_path, made, name):
    (tmp_path / name / "mlruns").mkdir(parents=True)
    shutil.copy(made, tmp_path / name / "mlruns")
    mlflow = open_store(tmp_path / name)
    run = log_run(mlflow)
    assert record_of_run(tmp_path / name, run)[0].read_text() == "{}"
    assert [file.name for file in tmp_path.iterdir()] == [name]


def log_run(mlflow, name="art_pipeline"):
    """A run with a file among its artifacts, as the project's are."""
    client = mlflow.MlflowClient()
    run = client.create_run(client.create_experiment(name, artifact_location=ARTIFACTS)).info.run_id
    client.log_text(run, "{}", "lineage/lineage.json")
    return run


def log_text(mlflow, name):
    """A file, in a further run."""
    client = mlflow.MlflowClient()
    run = client.create_run(client.get_experiment_by_name("art_pipeline").experiment_id).info.run_id
    client.log_text(run, "new", name)


class TestMaking:
    def test_it_is_made_in_one_piece(self, tmp_path, monkeypatch):
        from mlflow.store.tracking import sqlalchemy_store

        def interrupted(*_):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(sqlalchemy_store.SqlAlchemyStore, "__init__", interrupted)
            with pytest.raises(KeyboardInterrupt):
                open_store(tmp_path)
        assert list((tmp_path / "mlruns").iterdir()) == []
        open_store(tmp_path)
        assert [file.name for file in (tmp_path / "mlruns").iterdir()] == ["mlflow.db"]

    def test_what_a_kill_left_aside_is_removed(self, tmp_path):
        left = tmp_path / "mlruns" / ".creating-1" / "mlflow.db"
        left.parent.mkdir(parents=True)
        left.write_bytes(b"half")
        open_store(tmp_path)
        assert not left.parent.exists()

    def test_a_full_disk_is_a_clear_error_and_leaves_nothing(self, tmp_path, monkeypatch):
        import sqlalchemy
        from mlflow.store.tracking import sqlalchemy_store

        def full(*_):
            raise sqlalchemy.exc.OperationalError("CREATE", {}, sqlite3.OperationalError("database or disk is full"))

        monkeypatch.setattr(sqlalchemy_store.SqlAlchemyStore, "__init__", full)
        assert "cannot be used: database or disk is full. Set MLFLOW_TRACKING_URI" in refusal(tmp_path)
        assert list((tmp_path / "mlruns").iterdir()) == []

    def test_an_empty_file_is_made_anew(self, project):
        own_database(project).write_bytes(b"")
        log_run(open_store(project))

    def test_a_database_that_another_program_left_half_made_is_refused_and_kept(self, project):
        file = own_database(project)
        file.unlink()
        with closing(sqlite3.connect(file)) as half, half:
            half.execute("CREATE TABLE evaluation_datasets (id)")
        assert "cannot be used" in refusal(project)
        assert file.exists()

    def test_one_with_runs_is_never_made_again(self, project):
        log_run(open_store(project))
        before = own_database(project).read_bytes()
        open_store(project)
        assert own_database(project).read_bytes() == before

    def test_two_at_once_make_one(self, tmp_path):
        threads = [threading.Thread(target=sqlite.prepare, args=(own_database(tmp_path), ARTIFACTS)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [file.name for file in (tmp_path / "mlruns").iterdir()] == ["mlflow.db"]
        open_store(tmp_path)


class TestUnusable:
    def test_locked(self, project):
        with closing(sqlite3.connect(own_database(project), isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            assert "is locked by another program" in refusal(project)
            with within(SECONDS), pytest.raises(TrackingError, match="is locked by another program"):
                find_run(project, None, "0" * 32)

    @pytest.mark.parametrize("start", [0, 4096])
    def test_damaged(self, project, start):
        file = own_database(project)
        content = bytearray(file.read_bytes())
        content[start : start + 40_000] = b"\xa5" * 40_000
        file.write_bytes(content)
        said = refusal(project)
        assert f"{file} is damaged" in said and "move it away" in said
        assert file.read_bytes() == content

    def test_no_database_at_all(self, project):
        own_database(project).write_text("what is this? " * 100)
        assert "is damaged (file is not a database)" in refusal(project)

    def test_a_folder_in_its_place(self, project):
        own_database(project).unlink()
        own_database(project).mkdir()
        assert "cannot be written (unable to open database file)" in refusal(project)

    @pytest.mark.services  # setpriv
    @pytest.mark.parametrize("read_only", ["file", "folder"])
    def test_read_only(self, project, read_only):
        for path in [project, *project.rglob("*"), *project.parents][:8]:
            if path.is_relative_to(project) or path.owner() == project.owner():
                path.chmod(path.stat().st_mode | 0o055)
        own_database(project).chmod(0o444 if read_only == "file" else 0o666)
        own_database(project).parent.chmod(0o777 if read_only == "file" else 0o555)
        script = "import sys; from pathlib import Path; from art_pipeline.tracking.sqlite import check;"
        script += "check(Path(sys.argv[1]))"
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []
        done = subprocess.run(
            [*nobody, sys.executable, "-c", script, own_database(project)], capture_output=True, text=True, check=False
        )
        assert "cannot be written" in done.stderr
        assert "Give yourself write permission" in done.stderr

    def test_of_another_version(self, project):
        with closing(sqlite3.connect(own_database(project))) as other, other:
            other.execute("UPDATE alembic_version SET version_num = 'earlier'")
        assert "mlflow db upgrade" in refusal(project) or "out-of-date" in refusal(project)

    def test_a_server_that_is_down(self, project, monkeypatch):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@127.0.0.1:9")
        said = refusal(project)
        assert "MLflow's server http://127.0.0.1:9 does not answer" in said and "secret" not in said

    def test_a_server_that_never_answers(self, project, monkeypatch):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{silent.getsockname()[1]}")
            assert "does not answer" in refusal(project)

    @pytest.mark.parametrize("scheme", ["postgresql", "mysql+pymysql"])
    def test_a_database_server_that_is_down(self, project, monkeypatch, scheme):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{scheme}://me:secret@127.0.0.1:9/mlflow")
        said = refusal(project)
        assert "cannot be used" in said and "secret" not in said

    @pytest.mark.parametrize("address", ["what://is/this", "sqlite:///nowhere/../\0/x.db", "postgresql://"])
    def test_no_address(self, project, monkeypatch, address):
        if "\0" in address:
            address = f"sqlite:///{project}/params.yaml/x.db"
            (project / "params.yaml").touch()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        assert "MLflow's store" in refusal(project)

    def test_a_defect_keeps_its_traceback(self):
        with pytest.raises(KeyError), tracking_errors("sqlite:///x"):
            raise KeyError


class TestMoved:
    @pytest.fixture
    def moved(self, project):
        """A project that was moved after a run, and the run."""
        run = log_run(open_store(project))
        place = project.with_name("another place")
        project.rename(place)
        os.environ["MLFLOW_TRACKING_URI"] = ""  # as in a new process: MLflow writes down what it was told
        return place, run

    def test_what_was_logged_is_found_where_it_is_now(self, moved, project):
        place, run = moved
        assert record_of_run(place, run)[0] == place / "mlruns" / "artifacts" / run / "artifacts/lineage/lineage.json"
        assert not project.exists()

    def test_what_is_logged_goes_where_the_project_is_now(self, moved, project):
        place, _ = moved
        log_text(open_store(place), "new.txt")
        assert not project.exists()
        assert len(list(place.rglob("new.txt"))) == 1

    def test_a_copy_leaves_the_original_alone(self, project):
        log_run(open_store(project))
        before = own_database(project).read_bytes()
        copy = project.with_name("copy")
        shutil.copytree(project, copy)
        os.environ["MLFLOW_TRACKING_URI"] = ""
        log_text(open_store(copy), "new.txt")
        assert own_database(project).read_bytes() == before
        assert [file.is_relative_to(copy) for file in project.parent.rglob("new.txt")] == [True]


def test_where_nothing_was_tracked_nothing_is_made_and_mlflow_is_not_imported(tmp_path):
    assert find_run(tmp_path, None, "0" * 32) is None
    with pytest.raises(TrackingError, match="MLflow has no 1234: nothing was tracked here yet"):
        record_of_run(tmp_path, "1234")
    assert list(tmp_path.iterdir()) == []
    script = (
        "import sys; from pathlib import Path; from art_pipeline import settings, cli;"
        "from art_pipeline.tracking import lookup;"
        f"lookup.find_run(Path({str(tmp_path)!r}), None, '0');"
        "assert not {'mlflow', 'tensorflow', 'sqlalchemy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
