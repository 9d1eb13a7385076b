import json
import os
import subprocess
import sys
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.errors import StorageError
from art_pipeline.sources.journal import Journal

TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=8)
CONTENT = st.dictionaries(TEXT.filter(lambda key: key != "key"), TEXT | st.none() | st.integers(), max_size=3)
KEYS = st.integers(0, 10**6) | TEXT
ANSWERS = st.one_of(st.dictionaries(st.integers(0, 10**6), CONTENT), st.dictionaries(TEXT, CONTENT)).map(
    lambda rows: [{"key": key, **content} for key, content in rows.items()]
)
MANY = settings(max_examples=40, deadline=None)
FULL = """
import resource, sys
from pathlib import Path
from art_pipeline.errors import StorageError
from art_pipeline.sources.journal import Journal
resource.setrlimit(resource.RLIMIT_FSIZE, (1001, 1001))
try:
    with Journal(Path(sys.argv[1]), key="key") as journal:
        for key in range(100, 0, -1):
            journal.append({"key": key, "text": "é" * 10})
except StorageError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    folder, numbers = tmp_path_factory.mktemp("journals"), count()
    return lambda: folder / str(next(numbers)) / "answers.jsonl"


def write(path, answers):
    with Journal(path, key="key") as journal:
        for answer in answers:
            journal.append(answer)
    return path.read_bytes()


def write_and_die(path, answers, cut):
    """Append what is missing, then die: nothing is sorted, and the last bytes are lost."""
    journal = Journal(path, key="key").__enter__()
    for answer in answers:
        if answer["key"] not in journal:
            journal.append(answer)
    journal._file.close()
    os.close(journal._lock)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(max(0, size - cut))


@MANY
@given(answers=ANSWERS, data=st.data())
def test_kills_at_any_byte_leave_no_trace(fresh, answers, data):
    undisturbed = write(fresh(), data.draw(st.permutations(answers)))
    path = fresh()
    for _ in range(data.draw(st.integers(0, 3))):
        order = data.draw(st.permutations(answers))
        write_and_die(path, order[: data.draw(st.integers(0, len(order)))], data.draw(st.integers(0, 60)))
    before = Journal(path, key="key")
    again = [answer for answer in data.draw(st.permutations(answers)) if answer["key"] not in before]
    assert write(path, again) == undisturbed


@MANY
@given(answers=ANSWERS)
def test_what_is_written_is_read_by_ascending_key(fresh, answers):
    path = fresh()
    written = write(path, answers)
    journal = Journal(path, key="key")
    expected = sorted(answers, key=lambda answer: answer["key"])
    assert list(journal) == expected
    assert [json.loads(line) for line in written.split(b"\n")[:-1]] == expected
    assert len(journal) == len(answers)
    assert all(answer["key"] in journal for answer in answers)
    assert write(path, []) == written


@MANY
@given(answers=ANSWERS.filter(len))
def test_answers_are_read_while_others_are_appended(fresh, answers):
    with Journal(fresh(), key="key") as journal:
        for done, answer in enumerate(answers, start=1):
            journal.append(answer)
            assert len(list(journal)) == done


def test_a_journal_that_is_not_there_is_empty(tmp_path):
    journal = Journal(tmp_path / "none.jsonl", key="key")
    assert (list(journal), len(journal), 1 in journal) == ([], 0, False)
    assert not journal.path.exists()


@MANY
@given(answers=ANSWERS, data=st.data())
def test_after_it_is_closed_the_same_object_reads_what_was_written(fresh, answers, data):
    journal = Journal(fresh(), key="key")
    for part in range(2):  # and it can be opened again
        with journal:
            for answer in data.draw(st.permutations(answers)):
                journal.append(answer | {"part": part})
        assert list(journal) == [one | {"part": part} for one in sorted(answers, key=lambda answer: answer["key"])]
        assert all(journal.get(answer["key"]) == answer | {"part": part} for answer in answers)
        assert list(journal) == list(Journal(journal.path, key="key"))


DAMAGES = [b'{"key": 2', b"", b"\x00" * 9, b'{"kee": 2}', b"[2]", b"2", b'"key"', b"\xff"]
ODD_KEYS = [b'{"key": [1]}', b'{"key": null}', b'{"key": true}', b'{"key": "2"}', b'{"key": 1.5}', b"[" * 100_000]


@pytest.mark.parametrize("damage", [*DAMAGES, *ODD_KEYS], ids=lambda damage: repr(damage[:20]))
def test_a_damaged_line_is_named(tmp_path, damage):
    path = tmp_path / "answers.jsonl"
    path.write_bytes(b'{"key":1}\n' + damage + b'\n{"key":3}\n')
    with pytest.raises(StorageError, match=r"answers\.jsonl, line 2, is damaged: .*Delete the line to fetch it again"):
        Journal(path, key="key")


def test_leavings_of_a_killed_sort_do_no_harm(tmp_path):
    path = tmp_path / "answers.jsonl"
    write_and_die(path, [{"key": 2}, {"key": 1}], 0)
    (tmp_path / ".answers.jsonl.part").write_bytes(b'{"key":1}\n{"ke')
    assert write(path, []) == b'{"key":1}\n{"key":2}\n'
    assert [file.name for file in tmp_path.iterdir()] == ["answers.jsonl"]


def test_an_error_in_between_keeps_what_is_there(tmp_path):
    path = tmp_path / "answers.jsonl"
    with pytest.raises(KeyboardInterrupt), Journal(path, key="key") as journal:
        journal.append({"key": 2})
        journal.append({"key": 1})
        raise KeyboardInterrupt
    assert [answer["key"] for answer in Journal(path, key="key")] == [1, 2]


def test_a_full_disk_is_an_error_and_the_file_is_usable_again(tmp_path):
    path = tmp_path / "answers.jsonl"
    command = [sys.executable, "-c", FULL, str(path)]
    child = subprocess.run(command, capture_output=True, text=True, check=True)
    assert child.stdout.startswith(
        f"No space is left for {path}. Free some space and run again: completed work is kept"
    )
    assert path.read_bytes().endswith(b"\n")  # no half line is left
    journal = Journal(path, key="key")
    kept = len(journal)
    assert kept == path.read_bytes().count(b"\n") > 0
    answers = [{"key": key, "text": "é" * 10} for key in range(1, 101)]
    missing = [answer for answer in answers if answer["key"] not in journal]
    assert len(missing) == 100 - kept
    assert write(path, missing) == write(tmp_path / "other.jsonl", answers)


def test_a_disk_that_is_full_when_the_lines_are_sorted(tmp_path):
    path = tmp_path / "answers.jsonl"
    (tmp_path / ".answers.jsonl.part").symlink_to("/dev/full")
    with pytest.raises(StorageError, match=r"No space is left for .*answers\.jsonl"):
        write(path, [{"key": 2}, {"key": 1}])
    (tmp_path / ".answers.jsonl.part").unlink(missing_ok=True)
    assert write(path, []) == b'{"key":1}\n{"key":2}\n'


def test_two_runs_at_once_are_refused(tmp_path):
    with (
        Journal(tmp_path / "answers.jsonl", key="key") as journal,
        pytest.raises(StorageError, match=r"Another run is writing to .* Wait until it ends"),
        Journal(tmp_path / "answers.jsonl", key="key"),
    ):
        pass
    with Journal(tmp_path / "answers.jsonl", key="key") as journal:
        journal.append({"key": 1})


def test_what_another_run_wrote_since_is_kept(tmp_path):
    opened = Journal(tmp_path / "answers.jsonl", key="key")
    write(tmp_path / "answers.jsonl", [{"key": 2}])
    with opened:
        opened.append({"key": 1})
    assert [answer["key"] for answer in Journal(tmp_path / "answers.jsonl", key="key")] == [1, 2]
