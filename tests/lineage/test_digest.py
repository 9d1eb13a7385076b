import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.lineage.digest import digest, digest_file, measure

# Accents composed and not, spaces, capitals, numbers.
PARTS = st.sampled_from(["a", "b c", "A", "é", "e\u0301", "ß", "中", "10", "9", "z'", "#x", "a-b", "a.b", "a b"])
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
TREES = st.dictionaries(PATHS, st.binary(max_size=40), min_size=1, max_size=8)


def fill(folder, tree):
    """Write files by relative path; a path below a file is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in tree.items():
        path = folder / name
        if not path.exists() and all(not parent.is_file() for parent in path.parents):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return folder


def by_dvc_data(path):
    """What DVC's own library says of a file or a folder."""
    from dvc_data.hashfile.build import build
    from dvc_data.hashfile.db import HashFileDB
    from dvc_objects.fs.local import localfs

    with tempfile.TemporaryDirectory() as cache:
        *_, found = build(HashFileDB(localfs, cache), os.fspath(path), localfs, "md5", dry_run=True)
        return found.hash_info.value


@settings(deadline=None, max_examples=20)
@given(TREES)
def test_a_folders_digest_is_that_of_dvcs_library(tree):
    with tempfile.TemporaryDirectory() as name:
        folder = fill(Path(name) / "data", tree)
        assert digest(folder) == by_dvc_data(folder)


@settings(deadline=None, max_examples=20)
@given(st.binary(max_size=200))
def test_a_files_digest_is_its_md5_and_dvcs(content):
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "a file"
        path.write_bytes(content)
        assert digest(path) == digest_file(path) == hashlib.md5(content).hexdigest() == by_dvc_data(path)


@settings(deadline=None, max_examples=20)
@given(TREES, st.binary(min_size=1, max_size=5))
def test_any_change_inside_a_folder_changes_its_digest(tree, more):
    with tempfile.TemporaryDirectory() as name:
        folder = fill(Path(name) / "data", tree)
        before = digest(folder)
        first = sorted(file for file in folder.rglob("*") if file.is_file())[0]
        content = first.read_bytes()
        first.write_bytes(content + more)
        assert digest(folder) != before
        first.rename(first.with_name("another name"))
        first.with_name("another name").write_bytes(content)
        assert digest(folder) != before


def test_digests_are_those_that_the_dvc_command_writes(tmp_path):
    tree = {"a/é à.jpg": b"1", "a-b/x": b"2", "a/b/c/deep": b"3", "a/.hidden": b"4", "empty": b"", "ü b": b"\r\n"}
    targets = [fill(tmp_path / "images é", tree), fill(tmp_path / "other", {"10": b"x", "9": b"y", "1/0": b"z"})]
    for name, content in (("empty", b""), ("one table.csv", b"a,b\r\n1,2\r\n")):
        (tmp_path / name).write_bytes(content)
        targets.append(tmp_path / name)
    environment = os.environ | {
        "DVC_NO_ANALYTICS": "1",
        "DO_NOT_TRACK": "1",
        "DVC_SITE_CACHE_DIR": str(tmp_path / ".s"),
    }
    for command in (["init", "--no-scm", "-q"], ["add", "-q", *(target.name for target in targets)]):
        subprocess.run([sys.executable, "-m", "dvc", *command], cwd=tmp_path, env=environment, check=True)
    for target in targets:
        [out] = yaml.safe_load((tmp_path / f"{target.name}.dvc").read_text(encoding="utf-8"))["outs"]
        assert digest(target) == out["md5"]


def test_an_empty_folder_has_dvcs_digest(tmp_path):
    assert digest(tmp_path) == by_dvc_data(tmp_path) == "d751713988987e9331980363e24189ce.dir"


def test_a_folder_has_the_same_digest_wherever_it_lies(tmp_path):
    folder = fill(tmp_path / "here", {"a/b": b"1", "c": b"2"})
    moved = shutil.copytree(folder, tmp_path / "a place" / "elsewhere")
    assert digest(moved) == digest(folder)
    assert digest(folder).endswith(".dir")


def test_a_long_file_is_read_to_its_end(tmp_path):
    content = bytes(range(256)) * 5000
    (tmp_path / "long").write_bytes(content)
    assert digest_file(tmp_path / "long") == hashlib.md5(content).hexdigest()


def test_size_and_number_of_files_come_with_it(tmp_path):
    folder = fill(tmp_path / "here", {"a/b": b"123", "c": b"4"})
    assert measure(folder) == (digest(folder), 4, 2)
    assert measure(folder / "c") == (digest(folder / "c"), 1, 1)


def test_what_is_not_there_has_no_digest(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing"):
        digest(tmp_path / "nothing")
