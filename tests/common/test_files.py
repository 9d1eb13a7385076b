import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.common.files import clear_folder, explain_write_errors, replace_folder, write_atomically
from art_pipeline.common.run_lock import only_run
from art_pipeline.errors import StorageError

FULL, SYSTEM = "/dev/full", Path("/sys/kernel")
NO_SPACE = r"^No space is left for .*{}\. Free some space and run again: completed work is kept\.$"
MANY = settings(max_examples=30, deadline=None)


def content(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


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
    with pytest.raises(PermissionError), explain_write_errors(tmp_path):
        raise PermissionError(errno.EACCES, "no")


def test_a_folder_that_may_not_be_written_is_named():
    """Not even by root, as whom tests may run."""
    for write in (lambda: write_atomically(SYSTEM / "a.bin", b""), lambda: only_run(SYSTEM / "data").__enter__()):
        with pytest.raises(StorageError, match=r"^/sys/kernel/.* cannot be written: .*\. Check the permissions\.$"):
            write()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_and_a_full_quota_give_the_same_error(tmp_path, number):
    with pytest.raises(StorageError, match=NO_SPACE.format("x")), explain_write_errors(tmp_path / "x"):
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


@MANY
@given(
    first=st.dictionaries(st.sampled_from("abc"), st.binary()),
    then=st.dictionaries(st.sampled_from("bcd"), st.binary()),
    old=st.booleans(),
)
def test_a_kept_part_is_only_for_the_next_attempt(tmp_path_factory, first, then, old):
    folder = tmp_path_factory.mktemp("kept")

    def fill(files):
        with replace_folder(folder / "kept", keep_part=True) as part:
            found = content(part)
            for name, body in files.items():
                (part / name).write_bytes(body)
            if files is first:
                raise KeyboardInterrupt
            return found

    if old:
        with replace_folder(folder / "kept") as empty:
            (empty / "old").write_bytes(b"old")
    before = content(folder / "kept") if old else None
    with pytest.raises(KeyboardInterrupt):
        fill(first)
    assert (content(folder / "kept") if old else None) == before
    assert fill(dict(then)) == first
    assert content(folder / "kept") == first | then
    assert [file.name for file in folder.iterdir()] == ["kept"]
    assert fill({}) == {}  # what a complete attempt made is no part


@MANY
@given(st.sets(st.sampled_from("abcdef")), st.sets(st.sampled_from("abcxyz")))
def test_a_folder_is_cleared_of_all_but_what_is_to_be_kept(tmp_path_factory, names, keep):
    folder = tmp_path_factory.mktemp("cleared")
    for name in names:
        if name in "ace":
            (folder / name / "inner").mkdir(parents=True)
            (folder / name / "file").write_text(name)
        else:
            (folder / name).write_text(name)
    (folder / ".hidden.part").write_text("half")
    clear_folder(folder, keep)
    assert {file.name for file in folder.iterdir()} == names & keep
    assert all((folder / name / "file").exists() for name in names & keep & set("ace"))


def test_a_part_that_is_kept_is_dropped_where_it_is_not_asked_for(tmp_path):
    with pytest.raises(ValueError, match="torn"), replace_folder(tmp_path / "kept", keep_part=True) as part:
        (part / "half").write_text("half")
        raise ValueError("torn")
    with replace_folder(tmp_path / "kept") as empty:
        assert not list(empty.iterdir())


def test_a_full_disk_keeps_a_part_that_is_to_be_kept(tmp_path):
    with (
        pytest.raises(StorageError, match=NO_SPACE.format("kept")),
        replace_folder(tmp_path / "kept", keep_part=True) as part,
    ):
        (part / "half").write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with replace_folder(tmp_path / "kept", keep_part=True) as part:
        assert content(part) == {"half": b"half"}


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
