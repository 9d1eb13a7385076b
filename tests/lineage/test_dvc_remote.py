"""What DVC's remote is asked for, and what is said where it cannot be asked."""

import shutil
import subprocess

import pytest
from dvc.repo import Repo

from art_pipeline.errors import DvcError
from art_pipeline.lineage.digest import digest
from art_pipeline.lineage.dvc_remote import fetch, push

CACHE = ("files", "md5")
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value")  # DVC's own use of pygtrie


@pytest.fixture
def project(tmp_path, monkeypatch):
    """One with two folders that share a file, a file, and a remote in a folder."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    files = {"whole/one": "1", "whole/two": "2", "part/one": "1", "other/one": "1", "other/three": "3", "alone": "a"}
    for name, content in files.items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(content)
    with monkeypatch.context() as here:
        here.chdir(project)
        with Repo.init(".") as repo:
            repo.add(["whole", "part", "other", "alone"])
            with repo.config.edit("repo") as config:
                config["remote"]["store"] = {"url": str(tmp_path / "store")}
                config["core"]["remote"] = "store"
    return project


def objects(folder):
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def kept(project):
    return objects(project.joinpath(".dvc", "cache", *CACHE))


def sent(project):
    return objects(project.parent.joinpath("store", *CACHE))


def test_everything_is_sent_once(project):
    assert push(project) == (7, 7)
    assert sent(project) == kept(project)
    assert push(project) == (0, 7)


def test_a_listing_whose_files_never_arrived_does_not_stand_for_them(project):
    """As a push leaves it during which a server was away for the file that two folders share.

    DVC itself believes that all is there; this is why there is another way to push.
    """
    listing = digest(project / "part")
    target = project.parent.joinpath("store", *CACHE, listing[:2], listing[2:])
    target.parent.mkdir(parents=True)
    shutil.copy(project.joinpath(".dvc", "cache", *CACHE, listing[:2], listing[2:]), target)
    with Repo(str(project)) as repo:
        repo.push()
    assert kept(project) - sent(project), "DVC completes it by itself now: kedro dvc --push is no longer needed"
    assert push(project).sent == 1
    assert sent(project) == kept(project)


def test_what_is_not_in_the_cache_is_said(project):
    shutil.rmtree(project / ".dvc" / "cache")
    with pytest.raises(DvcError, match=r"not in DVC's cache|cannot be used"):
        push(project)


def test_a_file_that_is_fetched_is_in_the_cache(project):
    push(project)
    whole = kept(project)
    shutil.rmtree(project / ".dvc" / "cache")
    assert fetch(project, [name.replace("/", "") for name in whole]) is None
    assert kept(project) == whole


def test_what_the_remote_lacks_is_no_refusal(project):
    assert fetch(project, ["0" * 32, "0" * 32 + ".dir"]) is None


def test_no_remote_and_no_dvc_are_no_refusal(project, tmp_path):
    with Repo(str(project)) as repo, repo.config.edit("repo") as config:
        del config["core"]["remote"]
    assert fetch(project, ["0" * 32]) is None
    assert fetch(tmp_path, ["0" * 32]) is None


def test_a_remote_that_cannot_be_reached_is_said_in_dvcs_words(project, capfd, monkeypatch):
    for key, value in {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "a", "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(key, value)
    with Repo(str(project)) as repo, repo.config.edit("repo") as config:
        config["remote"]["store"] = {"url": "s3://bucket/place", "endpointurl": "http://127.0.0.1:9"}
    reason = fetch(project, ["0" * 32])
    assert reason.startswith("DVC's remote cannot be used: ")
    assert "127.0.0.1:9" in reason
    with pytest.raises(DvcError, match=r"DVC's remote cannot be used: .*127\.0\.0\.1:9"):
        push(project)
    assert "Traceback" not in capfd.readouterr().err
