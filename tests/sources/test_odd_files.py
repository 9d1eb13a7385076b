"""Folders and tables as people really have them: nothing of them is lost in silence."""

import gzip
import os
import unicodedata
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.common.user_paths import set_project
from art_pipeline.errors import MuseumError
from art_pipeline.sources.datasets import listing as folders
from art_pipeline.sources.datasets.csv_files import read_csv_table
from art_pipeline.sources.datasets.folder import FolderOptions
from art_pipeline.sources.datasets.listing import is_hidden, list_files
from art_pipeline.sources.datasets.parquet_files import as_text
from art_pipeline.sources.datasets.reading import list_images, read_table
from art_pipeline.sources.datasets.table import TableOptions
from art_pipeline.sources.image_files import FolderImages

NFC, NFD = (unicodedata.normalize(form, "Réalisme") for form in ("NFC", "NFD"))


def listed(root):
    return [path.as_posix() for path in list_files(root)]


# Folders


def test_a_class_folder_that_is_a_link_is_followed(put, files, bring_home, tmp_path, caplog):
    caplog.set_level("INFO", logger="art_pipeline")
    put("prints/a.jpg"), put("prints/b.jpg"), put("../elsewhere/c.jpg"), put("../elsewhere/deep/d.jpg")
    (tmp_path / "data" / "paintings").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    home = bring_home(files("folder"))
    assert home.lines == ["folder: 4 objects, 4 images with a label, 2 classes; dropped: none"]
    assert "Folders that are links, whose changes DVC does not detect: 'paintings'." in caplog.text


def test_a_file_that_is_a_link_is_read_and_a_broken_one_is_missing(put, files, bring_home, tmp_path):
    put("prints/a.jpg")
    (tmp_path / "data/prints/b.jpg").symlink_to(put("../elsewhere/b.jpg"))
    (tmp_path / "data/prints/c.jpg").symlink_to("nowhere.jpg")
    home = bring_home(files("folder"))
    assert home.statuses("images") == {"ok": 2, "missing": 1}


def test_links_that_lead_round_in_a_circle_end(put, tmp_path):
    root = put("one/a.jpg").parents[1]
    put("two/b.jpg")
    (root / "one" / "up").symlink_to(root)
    (root / "one" / "self").symlink_to(root / "one")
    (root / "one" / "over").symlink_to(root / "two")
    (root / "two" / "back").symlink_to(root / "one")
    (root / "two" / "above").symlink_to(tmp_path)
    found = listed(root)
    assert found == ["one/a.jpg", "one/over/b.jpg", "two/b.jpg", "two/back/a.jpg"]


def test_every_file_is_read_or_counted(put, files, bring_home, paint, tmp_path):
    for name in ("prints/a.jfif", "prints/b", "prints/c.JPG", "paintings/d.avif", "paintings/e.dat", "stray.jpg"):
        put(name)
    put("paintings/f.avif", paint(6, kind="AVIF")), put("paintings/notes.txt", "no image"), put("README", "no image")
    os.mkfifo(tmp_path / "data/prints/pipe.jpg")
    home = bring_home(files("folder"))
    assert home.lines == [
        "folder: 10 objects, 6 images with a label, 2 classes; dropped: 1 missing, 2 not_an_image, 1 without a label"
    ]


def test_a_folder_without_files_is_named(put, files, bring_home, tmp_path, caplog):
    put("prints/a.jpg")
    for name in ("empty", "deep/er", ".git", "@eaDir"):
        (tmp_path / "data" / name).mkdir(parents=True)
    bring_home(files("folder"))
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "Folders without files are not classes: 'deep', 'empty'."
    ]


HIDDEN = [".DS_Store", "._a.jpg", "Thumbs.db", "desktop.ini", "Icon\r", "~$a.jpg"]
HIDDEN_FOLDERS = ["__MACOSX", ".git", "@eaDir", ".ipynb_checkpoints", "$RECYCLE.BIN"]


def test_hidden_and_system_files_are_neither_classes_nor_images(put, files, bring_home):
    for name in (*HIDDEN, *(f"prints/{one}" for one in HIDDEN), *(f"{one}/x.jpg" for one in HIDDEN_FOLDERS)):
        put(name)
    put("prints/a.jpg"), put("paintings/b.jpg"), put("paintings/@eaDir/b.jpg")
    home = bring_home(files("folder"))
    assert home.lines == ["folder: 2 objects, 2 images with a label, 2 classes; dropped: none"]
    assert all(map(is_hidden, [*HIDDEN, *HIDDEN_FOLDERS]))
    assert not is_hidden("a.b.jpg")


def test_two_forms_of_a_folders_name_are_one_class_and_no_image_is_lost(put, files, bring_home):
    for folder in (NFC, NFD):
        for number in range(3):
            put(f"{folder}/{number}.jpg")
    put("Cubisme/1.jpg")
    home = bring_home(files("folder"))
    assert home.lines == ["folder: 7 objects, 7 images with a label, 2 classes; dropped: none"]
    assert home.images["md5"].nunique() == 7
    assert set(home.objects["classification"]) == {NFC, "Cubisme"}
    assert {f"{NFC}/1.jpg", f"{NFD}/1.jpg"} <= set(home.objects["image"])


NAMES = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="/\0"), min_size=1, max_size=12).filter(
    lambda name: name.strip() and name not in (".", "..") and len(name.encode()) < 200 and not is_hidden(name)
)


@settings(deadline=None, max_examples=30)
@given(NAMES, NAMES)
def test_a_path_from_a_listing_finds_its_file(tmp_path_factory, folder, name):
    root = tmp_path_factory.mktemp("set")
    file = root / folder / name
    file.parent.mkdir()
    file.write_bytes(b"body")
    (path,) = listed(root)
    assert path == f"{folder}/{name}"
    assert FolderImages(root).image(path, bytes, 9) == b"body"


PLACES = st.lists(NAMES | st.sampled_from([".git", "__MACOSX", "Thumbs.db", NFC, NFD]), min_size=1, max_size=3)


@settings(deadline=None, max_examples=30)
@given(st.lists(PLACES, min_size=1, max_size=6))
def test_every_file_that_is_not_hidden_is_listed_once(tmp_path_factory, places):
    root = tmp_path_factory.mktemp("set")
    for place in places:
        with suppress(FileExistsError, NotADirectoryError, IsADirectoryError):  # one name is a file and a folder
            root.joinpath(*place[:-1]).mkdir(parents=True, exist_ok=True)
            root.joinpath(*place).touch()
    made = [file.relative_to(root) for file in root.rglob("*") if file.is_file()]
    wanted = sorted(file.as_posix() for file in made if not any(map(is_hidden, file.parts)))
    if all("/" not in path for path in wanted):
        with pytest.raises(MuseumError, match="There is no folder of images"):
            list_images(FolderOptions(folder=str(root)))
    else:
        assert list_images(FolderOptions(folder=str(root)))["image"].tolist() == wanted


def test_a_name_that_is_no_utf8_is_an_image_like_any_other(put, files, bring_home, tmp_path):
    body = put("prints/a.jpg").read_bytes()
    folder = os.fsencode(tmp_path / "data") + b"/caf\xe9"
    Path(os.fsdecode(folder)).mkdir()
    Path(os.fsdecode(folder + b"/\xff.jpg")).write_bytes(body)
    home = bring_home(files("folder"))
    assert home.lines == ["folder: 2 objects, 2 images with a label, 2 classes; dropped: none"]
    assert set(home.objects["classification"]) == {"prints", "caf\\xe9"}
    home.objects.to_parquet(tmp_path / "objects.parquet")
    home.images.to_parquet(tmp_path / "image_table.parquet")


@pytest.mark.parametrize(
    "name", ["a|b", "a,b", 'a"b', "a\nb", "all", "nan", "None", "NA", "1850", "True", "=1+1", "浮世絵"]
)
def test_any_folder_name_is_a_class(put, files, bring_home, name):
    put(f"{name}/1.jpg"), put("prints/1.jpg")
    home = bring_home(files("folder"))
    assert home.lines == ["folder: 2 objects, 2 images with a label, 2 classes; dropped: none"]
    assert set(home.objects["classification"]) == {"prints", name.replace("|", "/").replace("\n", " ")}


def test_a_folder_that_cannot_be_read_is_named(put, monkeypatch):
    root = put("prints/a.jpg").parents[1]
    scan = os.scandir

    def refuse(folder):
        if Path(folder).name == "prints":
            raise PermissionError(13, "Permission denied", str(folder))
        return scan(folder)

    monkeypatch.setattr(folders.os, "scandir", refuse)
    with pytest.raises(MuseumError, match=r"^The folder .*/prints cannot be read: Permission denied\.$"):
        listed(root)


def test_a_file_that_cannot_be_read_has_a_status(put, files, bring_home, monkeypatch):
    put("prints/a.jpg"), put("prints/b.jpg")
    read = Path.read_bytes

    def refuse(file):
        if file.match("data/prints/b.jpg"):
            raise PermissionError(13, "Permission denied")
        return read(file)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert bring_home(files("folder")).statuses("images") == {"ok": 1, "unreadable": 1}


def test_a_folder_that_is_not_there_is_named(files, bring_home):
    with pytest.raises(MuseumError, match=r"^There is no folder .*data\. Set folder of the source"):
        bring_home(files("folder"))


# Tables


@pytest.fixture
def read(put, files, bring_home):
    """Reads a table of images a.jpg, b.jpg and c.jpg."""

    def read(text, name="works.csv", label="style", **chosen):
        for image in "abc":
            put(f"{image}.jpg")
        if text is not None:
            put(name, text)
        return bring_home(files("table", table=name, **chosen), label=label)

    return read


def styles(home):
    return {row["image"]: row["style"] for row in home.rows.values()}


def test_rows_that_all_end_with_a_separator_are_read(read):
    assert styles(read("image,style\na.jpg,Cubism,\nb.jpg,Fauvism,\n")) == {"a.jpg": "Cubism", "b.jpg": "Fauvism"}
    assert styles(read("image,style,\na.jpg,Cubism,\nb.jpg,Fauvism,\n")) == {"a.jpg": "Cubism", "b.jpg": "Fauvism"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("image,title,style\na.jpg,Nude, seated,Cubism\n", r"row 1 \(line 2\) has 4 fields, but there are 3 columns"),
        ("image,style\na.jpg,Cubism\nb.jpg\n", r"row 2 \(line 3\) has 1 fields"),
        ("image,style\na.jpg,Cubism,\nb.jpg,Fauvism\n", r"row 1 \(line 2\) has 3 fields"),
        ("image,style\na.jpg,Cubism,\nb.jpg,Fauvism,x\n", r"row 1 \(line 2\) has 3 fields"),
        ("image,style\n1,a.jpg,Cubism\n2,b.jpg,Fauvism\n", r"row 1 \(line 2\) has 3 fields"),
        ('image,style\na.jpg,"two\nlines"\n\nb.jpg\n', r"row 2 \(line 5\) has 1 fields"),
        ("image,style,style\na.jpg,x,y\n", r"two columns are called 'style'"),
        ("image,style, style\na.jpg,x,y\n", r"two columns are called 'style'"),
        ('image,style\na.jpg,Cubism\nb.jpg,"open\nc.jpg,x\n', r"row 3 \(line 3\): a quote is not closed"),
        ('image,style\na.jpg,"Cub"ism\n', r"row 2 \(line 2\): ',' expected after '\"'"),
        ("image,style\na.jpg,Cub\0ism\n", r"line 2 has a NUL byte"),
        ("", r"it is empty"),
        ("\n\n", r"it is empty"),
    ],
)
def test_a_malformed_table_is_refused_with_its_row(read, text, why):
    with pytest.raises(MuseumError, match=rf"works\.csv cannot be read: {why}"):
        read(text)


CELLS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=8)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=5), st.sampled_from([",", ";", "\t"]))
def test_a_well_formed_csv_is_read_as_it_is(tmp_path_factory, rows, separator):
    file = tmp_path_factory.mktemp("csv") / "works.csv"
    table = pd.DataFrame(rows, columns=["x", "y", "z"])
    table.to_csv(file, index=False, sep=separator, quoting=1)
    names, found = read_csv_table(file, "utf-8", separator)
    assert names == ["x", "y", "z"]
    assert found == [row for row in rows if any(cell.strip() for cell in row)]


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=60) | CELLS.map(lambda text: f"image,style\na.jpg,{text}\n".encode()))
def test_whatever_a_table_holds_is_read_or_refused(tmp_path_factory, body):
    folder = tmp_path_factory.mktemp("set")
    (folder / "works.csv").write_bytes(body)
    try:
        table = read_table(TableOptions(folder=str(folder), table="works.csv"), "works.csv")
    except MuseumError:
        return
    assert table.map(type).eq(str).all(axis=None)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=6))
def test_a_csv_of_uneven_rows_is_never_half_read(tmp_path_factory, widths):
    file = tmp_path_factory.mktemp("csv") / "works.csv"
    file.write_text("".join(",".join("x" * width) + "\n" for width in [3, *widths]).replace("x,x,x", "a,b,c", 1))
    try:
        _, found = read_csv_table(file, "utf-8", ",")
    except ValueError as error:
        wrong = next(number for number, width in enumerate(widths, start=1) if width != 3)
        assert f"row {wrong} (line {wrong + 1}) has {widths[wrong - 1]} fields" in str(error)
    else:
        assert found == [["x"] * 3] * len(widths)


@pytest.mark.parametrize(
    ("text", "encoding", "chosen"),
    [
        ("image,style\r\na.jpg,Cubism\r\n", "utf-8", {}),
        ("image,style\ra.jpg,Cubism\r", "utf-8", {}),
        ("image,style\na.jpg,Cubism\n", "utf-16", {"encoding": "utf-16"}),
        ("\ufeffimage,style\na.jpg,Cubism\n", "utf-16-le", {"encoding": "utf-16-le"}),
        ("image,style\na.jpg,Cubism\n", "utf-8-sig", {"encoding": "UTF8"}),
        ("sep=;\nimage;style\na.jpg;Cubism\n", "utf-8-sig", {}),
        ("image, style\n a.jpg , Cubism \n", "utf-8", {}),
        ("image;style\na.jpg;Cubism\n;\n", "utf-8", {"separator": ";"}),
        (",image,style\n0,a.jpg,Cubism\n", "utf-8", {}),
        (",Unnamed: 0,image,style,\n0,0,a.jpg,Cubism,\n", "utf-8", {}),  # saved by pandas, twice
        ("image,style,notes\na.jpg,Cubism," + "x" * 300_000 + "\n", "utf-8", {}),
    ],
)
def test_what_programs_write_is_read(read, put, text, encoding, chosen):
    put("works.csv", text.encode(encoding))
    assert styles(read(None, **chosen)) == {"a.jpg": "Cubism"}


def test_two_forms_of_one_files_name_are_one_image(read, put):
    put(f"{NFD}.jpg")
    home = read(f"image,style\n{NFC}.jpg,Cubism\n{NFD}.jpg,Cubism\n./{NFD}.jpg,Fauvism\n")
    assert home.lines == [
        "table: 3 objects, 0 images with a label, 0 classes; dropped: 1 duplicate, 1 merged, 1 with several labels"
    ]


def test_a_packed_table_that_is_damaged_is_named(read, put):
    body = gzip.compress(b"image,style\n" + b"a.jpg,Cubism\n" * 999)
    for damaged in (body[:-20], body[:30] + b"\0" * 20 + body[50:]):
        put("works.csv.gz", damaged)
        with pytest.raises(MuseumError, match=r"works\.csv\.gz cannot be read: "):
            read(None, name="works.csv.gz")


def test_a_packed_table_is_read(read, put):
    put("works.csv.gz", gzip.compress(b"image,style\na.jpg,Cubism\n"))
    assert styles(read(None, name="works.csv.gz")) == {"a.jpg": "Cubism"}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("image,style\na.jpg,x\n".encode("utf-16"), r"is not utf-8: .* Set encoding of the source\.$"),
        ("image,style\na.jpg,x\n".encode("utf-16-le"), r"line 1 has a NUL byte; .* utf-16"),
        (b"PK\x03\x04 a spreadsheet", r"it is a spreadsheet or an archive; save it as CSV"),
        (b"PAR1 but no more", r"cannot be read: "),
        (b"image,style\n", r"has no rows\.$"),
    ],
)
def test_a_table_of_another_kind_is_named(read, put, body, why):
    put("works.csv", body)
    with pytest.raises(MuseumError, match=why):
        read(None)


def test_backslashes_and_files_whose_names_hold_one(read, put):
    put("jpg/a.jpg"), put("jpg/x\\y.jpg")
    home = read("image,style\njpg\\a.jpg,Cubism\njpg/x\\y.jpg,Fauvism\n")
    assert styles(home) == {"jpg/a.jpg": "Cubism", "jpg/x\\y.jpg": "Fauvism"}


OWN = [
    "status",
    "object_id",
    "source",
    "is_supplement",
    "is_supplement",
    "label",
    "century",
    "listed_in",
    "is_highlight",
]


@pytest.mark.parametrize("name", OWN)
def test_no_column_has_a_meaning_that_was_not_given_to_it(read, name):
    rows = f"image,style,{name}\na.jpg,Cubism,accessioned\nb.jpg,Cubism,true\nc.jpg,Fauvism,\n"
    home = read(rows)
    assert home.lines == ["table: 3 objects, 3 images with a label, 2 classes; dropped: none"]
    without = read("image,style\na.jpg,Cubism\nb.jpg,Cubism\nc.jpg,Fauvism\n")
    pd.testing.assert_frame_equal(home.objects, without.objects)
    mapped = read(rows, columns={"genre": name})
    assert sorted(mapped.objects["genre"]) == ["", "accessioned", "true"]


def test_object_numbers_that_are_none_are_named(read):
    with pytest.raises(MuseumError, match=r"the object_id 'A-2' of row 2 is not a whole number .* Remove object_id"):
        read("image,style,no\na.jpg,Cubism,1\nb.jpg,Cubism,A-2\n", columns={"object_id": "no"})


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("https://museum.example/a.jpg", "It is a web address"),
        ("A.JPG", r"There is 'a\.jpg': paths are case-sensitive\.$"),
        ("jpg/a.jpg", r"There is 'a\.jpg': set folder of the source"),
        ("none.jpg", r"Set folder of the source, or images of a table\.$"),
        ("../a.jpg", r"There is 'a\.jpg': set "),
        ("C:\\images\\a.jpg", r"There is 'a\.jpg': set "),
        ("x" * 5000 + ".jpg", r"Set folder of the source"),
    ],
)
def test_images_that_are_all_missing_are_an_error_with_the_first_path(read, path, hint):
    shown = path.replace("\\", "/")
    with pytest.raises(MuseumError, match=rf"^None of the 2 images of table:.* exists\. .*{hint}") as caught:
        read(f"image,style\n{path},Cubism\nother,Cubism\n")
    assert repr(shown) in str(caught.value)


def test_some_that_are_missing_are_counted(read):
    home = read("image,style\na.jpg,x\nA.JPG,x\nhttps://museum.example/a.jpg,x\n" + "y" * 5000 + ",x\n,x\n")
    assert home.lines == ["table: 5 objects, 1 images with a label, 1 classes; dropped: 1 bad_url, 2 missing, 1 no_url"]


def test_a_label_of_blanks_alone_is_none(read):
    assert read("image,style\na.jpg,  \nb.jpg,\u00a0\nc.jpg,x\n").lines == [
        "table: 3 objects, 1 images with a label, 1 classes; dropped: 2 without a label"
    ]


@pytest.mark.parametrize("key", ["table", "images"])
@pytest.mark.parametrize("path", ["/etc/passwd", "../works.csv", "a/../../b"])
def test_a_path_of_the_data_set_stays_within_it(key, path):
    with pytest.raises(ValueError, match=r"leads out of folder"):
        TableOptions(**{"folder": "x", "table": "a.csv", key: path})


def test_a_parquet_of_odd_types(read, tmp_path):
    table = pa.table(
        {
            "image": pa.array([b"a.jpg", b"b.jpg", b"c.jpg"]),
            "style": pa.array(["Cubism", None, "Fauvism"]).dictionary_encode(),
            "tags": pa.array([["x", "y"], [], None]),
            "object_date": pa.array([1850.0, None, float("nan")]),
            "title": pa.array([{"en": "Nude"}, None, {"en": "Hat"}]),
            "medium": pa.array(np.array(["2024-01-01", "NaT", "2024-01-02"], "datetime64[ns]")),
        }
    )
    (tmp_path / "data").mkdir()
    pq.write_table(table, tmp_path / "data" / "works.pq")
    objects = read(None, name="works.pq").objects.set_index("image")
    told = ["style", "tags", "object_date", "title", "medium"]
    assert objects.loc["a.jpg", told].tolist() == ["Cubism", "x|y", "1850", '{"en": "Nude"}', "2024-01-01 00:00:00"]
    assert objects.loc["b.jpg", told].tolist() == ["", "", "", "", ""]


def test_a_column_that_is_not_used_may_hold_anything(read, tmp_path):
    (tmp_path / "data").mkdir()
    columns = {"image": ["a.jpg"], "style": ["Cubism"], "thumbnail": [b"\xff\xd8"], "embedding": [[0.1, 0.2]]}
    pq.write_table(pa.table(columns), tmp_path / "data" / "works.parquet")
    assert styles(read(None, name="works.parquet")) == {"a.jpg": "Cubism"}
    with pytest.raises(MuseumError, match=r"the column 'thumbnail' has bytes that are not UTF-8"):
        read(None, name="works.parquet", keep=["thumbnail"])


def test_the_index_of_a_parquet_is_a_column(read, tmp_path):
    (tmp_path / "data").mkdir()
    works = pd.DataFrame({"style": ["Cubism"]}, index=pd.Index(["a.jpg"], name="image"))
    works.to_parquet(tmp_path / "data" / "works.parquet")
    assert styles(read(None, name="works.parquet")) == {"a.jpg": "Cubism"}


def test_a_parquet_of_bytes_that_are_no_text_names_the_column(read, tmp_path):
    (tmp_path / "data").mkdir()
    pq.write_table(pa.table({"image": [b"\xff\xd8"], "style": ["x"]}), tmp_path / "data" / "works.parquet")
    with pytest.raises(MuseumError, match=r"the column 'image' has bytes that are not UTF-8"):
        read(None, name="works.parquet")


@given(st.none() | st.floats() | st.integers() | st.booleans() | st.text() | st.lists(st.none() | st.text()))
def test_any_value_has_a_text(value):
    assert isinstance(as_text(value), str)


# From any working folder


def test_a_folder_is_relative_to_the_project(put, files, bring_home, tmp_path, monkeypatch):
    put("prints/a.jpg")
    museum = files("folder", folder="data")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    set_project(tmp_path)
    try:
        home = bring_home(museum)
    finally:
        set_project(Path())
    assert museum.address == "folder:data"
    assert home.lines == ["folder: 1 objects, 1 images with a label, 1 classes; dropped: none"]
