"""The museum's published table in place of its lists."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from art_pipeline.common import user_paths
from art_pipeline.errors import MuseumError
from art_pipeline.sources.apis.cleveland import ClevelandOptions
from art_pipeline.sources.apis.met import MetOptions
from art_pipeline.sources.apis.met_csv import PublishedTable
from art_pipeline.sources.apis.met_source import MetSource, fetch_listings, published_table
from art_pipeline.sources.journal import listing_journal

HEADER = "Object ID,Department,Is Public Domain\n"
API = "/public/collection/v1"
COLUMNS = ["Object Number", "Is Highlight", "Is Public Domain", "Object ID", "Department", "Title", "Tags"]
ROWS = st.lists(
    st.tuples(st.booleans(), st.integers(1, 10**6), st.sampled_from(["Asian Art", "The American Wing"]), st.text()),
    unique_by=lambda row: row[1],
)


def write(file, rows):
    with file.open("w", encoding="utf-8-sig", newline="", errors="replace") as content:
        table = csv.writer(content)
        table.writerow(COLUMNS)
        table.writerows(["04.1", False, public, number, name, title, "a|b"] for public, number, name, title in rows)
    return file


@given(rows=ROWS, public_only=st.booleans())
def test_it_lists_what_the_rows_say(tmp_path_factory, rows, public_only):
    file = write(tmp_path_factory.mktemp("table") / "MetObjects.csv", rows)
    expected = {}
    for public, number, name, _ in sorted(rows, key=lambda row: row[1]):
        if public or not public_only:
            expected.setdefault(name, []).append(number)
    assert PublishedTable(file, public_only).ids_by_department() == expected


@pytest.fixture
def american(museum):
    listed = [
        {"departmentId": 1, "displayName": "American Decorative Arts"},
        {"departmentId": 6, "displayName": "Asia"},
    ]
    museum.held[f"{API}/departments"] = museum.as_json({"departments": listed})
    return museum


def test_the_museum_is_not_asked_for_lists(american, options, tmp_path):
    file = write(tmp_path / "t.csv", [(True, 5, "The American Wing", "é\n"), (False, 4, "The American Wing", "")])
    chosen = options(american, departments=["american decorative arts"], objects_csv=str(file))
    fetch_listings(chosen, tmp_path)
    assert american.paths() == [f"{API}/departments"]
    assert MetSource(chosen).select(tmp_path).to_dict("list") == {"object_id": [5], "listed_in": ["The American Wing"]}
    whole = chosen.model_copy(update={"csv_public_domain_only": False})
    fetch_listings(whole, tmp_path)
    assert MetSource(whole).select(tmp_path)["object_id"].tolist() == [4, 5]
    assert len(american.asked) == 1


def test_a_newer_table_is_another_list(american, options, tmp_path):
    for number in (5, 6):
        file = write(tmp_path / "t.csv", [(True, number, "The American Wing", "")])
        chosen = options(american, departments=[1], objects_csv=str(file))
        fetch_listings(chosen, tmp_path)
        assert MetSource(chosen).select(tmp_path)["object_id"].tolist() == [number]
    assert len(listing_journal(chosen, tmp_path)) == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"objects_csv: there is no file .*t\.csv"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:1\n", r"Git LFS pointer\. .*git lfs pull"),
        ("a,b\n1,2\n", r"it has no column 'Object ID', 'Department', 'Is Public Domain'"),
        (f"{HEADER}x,Asian Art,True\n", r"line 2: 'x' is not an Object ID"),
        (f"{HEADER}1,Asian Art,True\n-1,Asian Art,True\n", r"line 3: '-1' is not an Object ID"),
        (f"{HEADER}{'9' * 5000},Asian Art,True\n", r"line 2: '9+' is not an Object ID"),
        (f"{HEADER}{2**63},Asian Art,True\n", r"line 2: '9223372036854775808' is not an Object ID"),
        (f"{HEADER}\u00b2,Asian Art,True\n", r"line 2: '\u00b2' is not an Object ID"),
        (f"{HEADER},Asian Art,True\n", r"line 2: '' is not an Object ID"),
        (f"{HEADER}1,Asian Art\n", r"line 2: it has more or fewer values than columns"),
        (f"{HEADER}1,Asian Art,True\n1,Arms, Armor,True\n", r"line 3: it has more or fewer values than columns"),
        (f'{HEADER}1,"{"x" * 200_000}",True\n', r"line 2: field larger than field limit"),
        ("", r"it has no column"),
    ],
    ids=lambda value: repr(value)[-40:],
)
def test_what_is_not_the_table_is_told_so(tmp_path, content, message):
    file = tmp_path / "t.csv"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(MuseumError, match=message):
        PublishedTable(file, True).ids_by_department()


def test_a_table_is_a_file_that_parameters_name():
    assert MetOptions(base_url="https://museum.org", objects_csv="data/t.csv").read_paths == ("data/t.csv",)
    with pytest.raises(ValueError, match="Extra inputs"):
        ClevelandOptions(base_url="https://museum.org", objects_csv="data/t.csv")


def test_a_table_in_another_encoding_is_told_so(tmp_path):
    (tmp_path / "t.csv").write_bytes(f"{HEADER}1,Caf\u00e9,True\n".encode("latin-1"))
    with pytest.raises(MuseumError, match=r"t\.csv, line \d: 'utf-8' codec can't decode"):
        PublishedTable(tmp_path / "t.csv", True).ids_by_department()


def test_its_path_is_relative_to_the_project(tmp_path, monkeypatch):
    (tmp_path / "MetObjects.csv").write_text("Object ID,Department,Is Public Domain\n", encoding="utf-8")
    monkeypatch.setitem(user_paths._project, "folder", tmp_path)
    options = MetOptions(base_url="https://museum.example", objects_csv="MetObjects.csv")
    assert published_table(options).ids_by_department() == {}


def test_a_quote_that_is_not_closed_is_refused(tmp_path):
    file = tmp_path / "MetObjects.csv"
    file.write_text(f'{HEADER}1,"Asian Art,True\n2,Asian Art,True\n', encoding="utf-8")
    with pytest.raises(MuseumError, match=r"MetObjects\.csv, line \d+: unexpected end of data"):
        PublishedTable(file, public_only=False).ids_by_department()
