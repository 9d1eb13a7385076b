import errno
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.errors import StorageError
from art_pipeline.storage import clear_when_full, replace_folder, write_atomically

FULL = "/dev/full"
NO_SPACE = r"^No space is left for .*{}\. Free some and run again: what is complete is kept\.$"
MANY = settings(max_examples=30, deadline=None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("storage")


@MANY
@given(contents=st.lists(st.binary(max_size=2000), min_size=1, max_size=4))
def test_a_file_holds_what_was_written_last(folder, contents):
    for content in contents:
        write_atomically(folder / "a.bin", content)
        assert (folder / "a.bin").read_bytes() == content
        assert not (folder / ".a.bin.part").exists()


@pytest.mark.parametrize("before", [None, b"old"])
def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, before):
    path = tmp_path / "a.bin"
    if before is not None:
        path.write_bytes(before)
    (tmp_path / ".a.bin.part").symlink_to(FULL)
    with pytest.raises(StorageError, match=NO_SPACE.format("a.bin")) as caught:
        write_atomically(path, b"new")
    assert caught.value.__cause__.errno == errno.ENOSPC
    assert [file.read_bytes() for file in tmp_path.iterdir()] == ([] if before is None else [before])
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


def test_the_leavings_of_a_kill_are_overwritten(tmp_path):
    (tmp_path / ".a.bin.part").write_bytes(b"half of a longer content")
    write_atomically(tmp_path / "a.bin", b"whole")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("a.bin", b"whole")]


def test_another_error_of_the_system_stays_what_it_is(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "none" / "a.bin", b"")
    with pytest.raises(PermissionError), clear_when_full(tmp_path):
        raise PermissionError(errno.EACCES, "no")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_and_a_full_quota_are_told_alike(tmp_path, number):
    with pytest.raises(StorageError, match=NO_SPACE.format("x")), clear_when_full(tmp_path / "x"):
        raise OSError(number, os.strerror(number))


@MANY
@given(
    first=st.dictionaries(st.sampled_from("abc"), st.binary()),
    then=st.dictionaries(st.sampled_from("bcd"), st.binary()),
)
def test_a_folder_holds_what_it_was_given_last(folder, first, then):
    for files in (first, then):
        with replace_folder(folder / "kept") as empty:
            assert not list(empty.iterdir())
            for name, content in files.items():
                (empty / name).write_bytes(content)
        assert {file.name: file.read_bytes() for file in (folder / "kept").iterdir()} == files
        assert not (folder / ".kept.part").exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_error_keeps_the_folder_that_was_there(tmp_path, error):
    with replace_folder(tmp_path / "kept") as empty:
        (empty / "old").write_text("old")
    with pytest.raises(error), replace_folder(tmp_path / "kept") as empty:
        (empty / "new").write_text("half")
        raise error
    assert [file.name for file in tmp_path.rglob("*")] == ["kept", "old"]


def test_a_full_disk_while_a_folder_is_filled(tmp_path):
    with (
        pytest.raises(StorageError, match=NO_SPACE.format("kept")),
        replace_folder(tmp_path / "kept") as empty,
        (empty / "a").open("wb") as file,
        open(FULL, "wb", buffering=0) as full,  # noqa: PTH123
    ):
        file.write(b"a")
        full.write(b"a")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_a_kill_left_is_not_mixed_in(tmp_path):
    (tmp_path / ".kept.part").mkdir()
    (tmp_path / ".kept.part" / "stale").write_text("half")
    with replace_folder(tmp_path / "kept") as empty:
        (empty / "new").write_text("new")
    assert [file.name for file in tmp_path.rglob("*")] == ["kept", "new"]
