"""Bytes found by their digest; of folders that museums share, those of one museum."""

import json
import shutil

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from art_pipeline.errors import LineageError
from art_pipeline.lineage.artifact_store import CACHE, ArtifactStore, Location
from art_pipeline.lineage.diff import compare_records
from art_pipeline.lineage.digest import digest, digest_bytes, digest_listing, in_sources, list_folder, measure
from art_pipeline.lineage.dvc_lock import lock_here, parse_lock
from art_pipeline.lineage.record import Artifact, Record

IMAGES = "data/01_raw/source_images"
SAMPLE, MET = "sample-0a1b2c3d", "museum.example-4e5f6071"


@pytest.fixture
def project(tmp_path):
    """Images of two museums, which DVC keeps as one folder."""
    for name in (
        f"{SAMPLE}/small/1.jpg",
        f"{SAMPLE}/small.jsonl",
        f"{MET}/small/1.jpg",
        f"{MET}.jsonl",
        f"{MET}0/2.jpg",
    ):
        file = tmp_path / IMAGES / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    keep(tmp_path)
    return tmp_path


def keep(project):
    """What ``dvc commit`` does."""
    listing = list_folder(project / IMAGES)
    contents = [(project / IMAGES / entry["relpath"]).read_bytes() for entry in listing]
    whole = json.dumps(listing, sort_keys=True).encode()
    objects = {digest_bytes(content): content for content in contents} | {digest_listing(listing): whole}
    for name, content in objects.items():
        file = project / CACHE / name[:2] / name[2:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    stage = {"cmd": "kedro", "outs": [{"path": IMAGES, "md5": digest(project / IMAGES)}]}
    (project / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": {"download": stage}}))


def images_of(project, *sources):
    return Artifact(path=IMAGES, sources=sources, **measure(project / IMAGES, sources)._asdict())


def test_only_the_files_of_a_museum_are_measured(project):
    assert images_of(project, SAMPLE).files == 2
    assert images_of(project, MET).files == 2
    assert images_of(project, SAMPLE, MET).files == 4
    assert images_of(project).files == 5
    assert measure(project / IMAGES, ["nobody"]).files == 0


@given(st.sets(st.sampled_from("abc"), min_size=1), st.lists(st.sampled_from("abcd"), min_size=1, max_size=3))
def test_a_museums_are_those_in_what_is_called_like_it(sources, parts):
    assert in_sources("/".join(parts), sources) == (parts[0] in sources)
    assert in_sources(f"{parts[0]}.jsonl", sources) == (parts[0] in sources)
    assert in_sources("/".join(parts), ())


def test_another_museums_files_change_nothing(project):
    before = images_of(project, SAMPLE)
    (project / IMAGES / MET / "small" / "2.jpg").touch()
    assert ArtifactStore(project).find(before) is Location.WORKSPACE
    (project / IMAGES / SAMPLE / "small" / "2.jpg").touch()
    assert ArtifactStore(project, remote=False).digest_now(before) != before.digest


def test_they_are_found_in_the_cache_by_dvcs_list_of_the_whole_folder(project, tmp_path):
    artifact = images_of(project, SAMPLE)
    shutil.rmtree(project / IMAGES)
    store = ArtifactStore(project, remote=False)
    assert store.find(artifact) is Location.CACHE
    store.copy(artifact, tmp_path / "copy")
    assert measure(tmp_path / "copy") == (artifact.digest, artifact.size, artifact.files)


def test_a_file_that_changed_is_named(project):
    artifact = images_of(project, SAMPLE)
    (project / IMAGES / SAMPLE / "small" / "1.jpg").write_text("changed")
    assert ArtifactStore(project).changed_files(artifact) == [f"{SAMPLE}/small/1.jpg"]


def test_a_damaged_cache_has_nothing(project):
    artifact = images_of(project, SAMPLE)
    shutil.rmtree(project / IMAGES)
    for file in (project / CACHE).rglob("*"):
        if file.is_file():
            file.write_text("damaged")
    assert ArtifactStore(project, remote=False).find(artifact) is None
    with pytest.raises(LineageError, match="are not found"), ArtifactStore(project, remote=False).open(artifact):
        pass


@pytest.mark.parametrize(
    "text", [b"", b"[", b"stages: 1", b"stages: [1]", b"stages: {a: 1}", b"x: 1", b"\xff", b"[" * 99999]
)
def test_a_lock_that_cannot_be_read(tmp_path, text):
    with pytest.raises(LineageError, match=r"dvc\.lock is damaged"):
        parse_lock(text)
    assert lock_here(tmp_path) is None


def test_a_remote_that_refuses_is_quoted_and_asked_once(project, monkeypatch):
    asked = []
    monkeypatch.setattr("art_pipeline.lineage.dvc_remote.fetch", lambda *call: asked.append(call) or "DVC's remote: no")
    artifact = images_of(project, SAMPLE)
    shutil.rmtree(project / IMAGES)
    shutil.rmtree(project / CACHE)
    store = ArtifactStore(project)
    for _ in range(2):
        with pytest.raises(LineageError, match=r"are not found\. DVC's remote: no"), store.open(artifact):
            pass
    assert len(asked) == 1


def test_a_difference_that_cannot_be_looked_into_says_why(result, monkeypatch):
    monkeypatch.setattr("art_pipeline.lineage.dvc_remote.fetch", lambda *_: "DVC's remote: no")
    content = json.loads(result.record.text)
    for step in content["steps"].values():
        for side in ("reads", "writes"):
            if "department.manifest" in step[side]:
                step[side]["department.manifest"]["digest"] = "0" * 32
    other = Record.model_validate(content)
    [line] = dict(compare_records(other, result.record, ArtifactStore(result.project)))["data"]
    assert line.endswith("(not compared, its bytes are not found: DVC's remote: no)")
