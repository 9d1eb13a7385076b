"""Data sets in the layouts that they are passed on in, made small, with their traps."""

import unicodedata

import pandas as pd
import pytest

from art_pipeline.errors import MuseumError

NFC, NFD = "Dürer", unicodedata.normalize("NFD", "Dürer")


def csv(*rows):
    return "".join(f"{','.join(row)}\n" for row in rows)


# Any table


@pytest.fixture
def table(put):
    """A table with a trap in almost every row."""
    for name in ("1", "2", "3", "7", "two"):
        put(f"images/{name}.jpg")
    put(f"images/{NFD}.jpg")
    put("images/page.jpg", b"<html>not an image</html>")
    rows = [
        ("path", "maker", "when", "kind", "mood"),
        ("1.jpg", NFC, "c. 1850", "print", "calm"),
        ("2.jpg", NFD, "1845-50", "print", ""),
        ("3.jpg", "Hokusai", "long ago", "painting", "wild"),
        ("3.jpg", "Hokusai", "long ago", "painting", "wild"),  # the same again
        ("gone.jpg", "Hokusai", "1830", "painting", ""),  # no such file
        ("two.jpg", "Hokusai", "1830", "print", ""),  # under two labels
        ("two.jpg", "Hokusai", "1830", "painting", ""),
        (f"{NFC}.jpg", NFC, "5th century BC", "painting", ""),  # a file whose name has the other form
        ("page.jpg", "", "", "print", ""),
        ("", "", "", "print", ""),
        ("../../secret.jpg", "", "", "print", ""),
        ("7.jpg", "", "", "", ""),
    ]
    return put("works.csv", csv(*rows))


@pytest.fixture
def mapped(table, files):
    columns = {"image": "path", "artist": "maker", "object_date": "when", "classification": "kind"}
    return files("table", table=table.name, images="images", columns=columns, keep=["mood"])


def test_a_table_and_a_folder(mapped, bring_home):
    home = bring_home(mapped)
    assert home.lines == [
        "table: 12 objects, 4 images with a label, 2 classes; dropped: 1 bad_url, 1 duplicate, 1 merged, "
        "1 missing, 1 no_url, 1 not_an_image, 1 with several labels, 1 without a label "
        "(kept with an unreadable date: 2)"
    ]
    rows = home.rows
    assert rows["images/1.jpg"]["artist"] == rows["images/2.jpg"]["artist"] == NFC
    assert rows["images/1.jpg"]["mood"] == "calm"
    assert rows["images/two.jpg"]["classification"] == "painting|print"
    years = ["object_begin_date", "object_end_date", "century"]
    assert [rows["images/2.jpg"][name] for name in years] == [1845, 1850, "19th century"]
    assert [rows[f"images/{NFD}.jpg"][name] for name in years] == [-500, -401, "5th century BC"]
    assert rows["images/3.jpg"]["century"] == ""


def test_the_same_data_set_gives_the_same_table_whatever_the_order(mapped, table, put, bring_home):
    before = bring_home(mapped).objects
    head, *rows = table.read_text().splitlines(keepends=True)
    put("works.csv", "".join([head, *sorted(rows, reverse=True)]))
    after = bring_home(mapped).objects
    assert after["object_id"].tolist() == before["object_id"].tolist()
    of_objects = before["status"] == "ok"  # which of two rows repeats the other is a matter of order
    pd.testing.assert_frame_equal(after[of_objects], before[of_objects])


def test_numbers_of_the_data_set_are_kept(put, files, bring_home):
    put("a.jpg"), put("b.jpg")
    put("works.csv", csv(("object_id", "image", "style"), ("7", "a.jpg", "Cubism"), ("3", "b.jpg", "Fauvism")))
    home = bring_home(files("table", table="works.csv", columns={"object_id": "object_id"}), label="style")
    assert home.objects[["object_id", "style"]].to_numpy().tolist() == [[3, "Fauvism"], [7, "Cubism"]]


def test_one_number_for_two_images_is_told(put, files, bring_home):
    put("a.jpg")
    put("works.csv", csv(("object_id", "image"), ("7", "a.jpg"), ("7", "b.jpg")))
    with pytest.raises(MuseumError, match=r"^Object 7 has several images: a\.jpg, b\.jpg\."):
        bring_home(files("table", table="works.csv", columns={"object_id": "object_id"}))


def test_a_parquet_is_read_as_a_csv_is(put, files, bring_home, tmp_path):
    put("a.jpg")
    works = pd.DataFrame({"image": ["a.jpg"], "object_date": [1850.0], "style": ["Cubism"], "genre": [None]})
    works.to_parquet(tmp_path / "data" / "works.parquet")
    (row,) = bring_home(files("table", table="works.parquet"), label="style").rows.values()
    assert (row["style"], row["genre"], row["object_begin_date"]) == ("Cubism", "", 1850)


def test_a_wrong_encoding_is_told_and_the_right_one_reads(put, files, bring_home):
    put("a.jpg")
    put("works.csv", csv(("image", "artist"), ("a.jpg", NFC)), encoding="cp1252")
    with pytest.raises(MuseumError, match=r"works\.csv is not utf-8: .* Set encoding of the source\.$"):
        bring_home(files("table", table="works.csv"))
    assert bring_home(files("table", table="works.csv", encoding="cp1252")).rows["a.jpg"]["artist"] == NFC


def test_a_mark_of_byte_order_is_no_part_of_a_name(put, files, bring_home):
    put("a.jpg")
    put("works.csv", csv(("image", "style"), ("a.jpg", "Cubism")), encoding="utf-8-sig")
    assert bring_home(files("table", table="works.csv")).rows["a.jpg"]["style"] == "Cubism"


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        (
            {"table": "wroks.csv"},
            r"There is no table .*wroks\.csv\. Set folder of the source",
        ),
        (
            {"columns": {"image": "path", "artist": "mkaer"}},
            r"has no column 'mkaer'\. Did you mean 'maker'\? It has: path, maker, ",
        ),
        ({"columns": {"image": "path"}, "keep": ["mod"]}, r"has no column 'mod'\. Did you mean 'mood'\?"),
        ({"columns": {}}, r"has no column 'image'\. .*It has: path, maker"),
    ],
)
def test_a_mistake_in_the_block_is_named(table, files, bring_home, chosen, why):
    with pytest.raises(MuseumError, match=why):
        bring_home(files("table", **{"table": table.name, **chosen}))


def test_a_table_that_is_none_is_told(put, files, bring_home):
    put("works.csv", 'image,style\na.jpg,"open')
    with pytest.raises(
        MuseumError, match=r"works\.csv cannot be read: .* Check separator of the source, which is ','\.$"
    ):
        bring_home(files("table", table="works.csv"))


@pytest.mark.parametrize(
    ("licence", "usable"), [("CC0-1.0", 1), ("Public Domain Mark", 1), ("", 0), ("in copyright", 0)]
)
def test_only_images_in_the_public_domain_are_taken(put, files, bring_home, licence, usable):
    put("a.jpg")
    put("works.csv", csv(("image", "licence", "object_url"), ("a.jpg", licence, "https://museum.example/a")))
    museum = files("table", table="works.csv", licence="")
    home = bring_home(museum)
    assert len(home.rows) == usable
    assert home.images[["licence", "object_url"]].to_numpy().tolist() == [[licence, "https://museum.example/a"]]
    assert len(bring_home(museum, public_domain_only=False).rows) == 1


def test_an_image_under_two_licences_is_under_the_stricter(put, files, bring_home):
    put("a.jpg")
    put("works.csv", csv(("image", "licence"), ("a.jpg", "CC0"), ("a.jpg", "in copyright")))
    home = bring_home(files("table", table="works.csv"))
    assert home.statuses("images") == {"not_public_domain": 1}


def test_years_of_the_tables_own_columns_come_before_those_of_the_date(put, files, bring_home):
    put("a.jpg"), put("b.jpg")
    heads = ("image", "object_date", "object_begin_date", "object_end_date")
    put("works.csv", csv(heads, ("a.jpg", "19th century", "1840", ""), ("b.jpg", "", "1840s", "1850s")))
    rows = bring_home(files("table", table="works.csv")).rows
    years = {name: [row["object_begin_date"], row["object_end_date"]] for name, row in rows.items()}
    assert years == {"a.jpg": [1840, 1900], "b.jpg": [1840, 1859]}


def test_so_many_of_each_folder_are_drawn(put, files, bring_home):
    for name in "abcdef":
        put(f"one/{name}.jpg"), put(f"two/{name}.jpg")
    home = bring_home(files("folder").model_copy(update={"objects_per_department": 2}))
    assert home.objects["classification"].value_counts().to_dict() == {"one": 2, "two": 2}


# Folders


def test_a_folder_for_each_class(put, files, bring_home):
    put("prints/a.jpg"), put("prints/deep/b.PNG"), put("paintings/a.jpg"), put("paintings/notes.txt", "no image")
    put("paintings/empty.jpg", b""), put("stray.jpg")
    home = bring_home(files("folder"))
    assert home.lines == [
        "folder: 6 objects, 3 images with a label, 2 classes; dropped: 1 empty, 1 not_an_image, 1 without a label"
    ]
    styles = bring_home(files("folder", columns={"style": "folder"}), label="style").objects["style"]
    assert sorted(styles) == ["", "paintings", "paintings", "paintings", "prints", "prints"]


def test_a_folder_with_a_blank_name_is_named(put, files, bring_home):
    put("prints/a.jpg"), put(" /a.jpg")
    with pytest.raises(MuseumError, match=r"^The folder ' ' in .*a has a blank name, which is not a class\. Rename it"):
        bring_home(files("folder"))


def test_no_folder_of_images_is_told(put, files, bring_home):
    put("stray.jpg")
    with pytest.raises(MuseumError, match=r"^There is no folder of images in .*data: each class needs a folder\."):
        bring_home(files("folder"))


def test_wikiart(put, files, bring_home):
    same = put("Cubism/pablo-picasso_guernica-1937.jpg").read_bytes()
    put("Surrealism/pablo-picasso_guernica-1937.jpg", same)
    put("Post_Impressionism/vincent-van-gogh_the-starry-night-1889(1).jpg")
    put(f"Northern_Renaissance/albrecht-{NFD.lower()}_hare.jpg")
    put("Cubism/untitled.jpg", b"<html></html>")
    home = bring_home(files("wikiart"), label="style")
    assert home.lines == ["wikiart: 5 objects, 4 images with a label, 4 classes; dropped: 1 not_an_image"]
    night, hare = home.rows["the starry night"], home.rows["hare"]
    told = ["style", "artist", "object_begin_date"]
    assert [night[name] for name in told] == ["Post Impressionism", "Vincent Van Gogh", 1889]
    assert (hare["artist"], hare["century"]) == ("Albrecht Dürer", "")


# The studies' data sets


def test_imet(put, files, bring_home):
    for name in ("1000483014d91860", "1000fe2e667721fe", "10001614cb89646e"):
        put(f"train/{name}.png")
    rows = [("id", "attribute_ids"), ("1000483014d91860", "0 2"), ("1000fe2e667721fe", "0 1 3")]
    put("train.csv", csv(*rows, ("10001614cb89646e", "2 9"), ("1000ffff00000000", "1"), rows[1]))
    names = ["culture::french", "culture::italian", "tag::flowers", "tag::men"]
    put("labels.csv", csv(("attribute_id", "attribute_name"), *((str(i), name) for i, name in enumerate(names))))
    home = bring_home(files("imet"), label="culture")
    assert home.lines == [
        "imet: 5 objects, 1 images with a label, 1 classes; dropped: 1 duplicate, 1 missing, 1 unknown attribute, "
        "1 with several labels"
    ]
    assert home.rows["train/1000fe2e667721fe.png"]["culture"] == "french|italian"
    assert home.rows["train/1000fe2e667721fe.png"]["tags"] == "men"
    assert home.objects["object_id"].is_unique


INFO = ("artist", "date", "genre", "pixelsx", "pixelsy", "size_bytes", "source", "style", "title", "artist_group")


def test_painter_by_numbers(put, files, bring_home):
    def painting(title, date, in_train, name):
        return (
            "Hokusai",
            date,
            "landscape",
            "48.0",
            "40.0",
            "999.0",
            "wikiart",
            "Ukiyo-e",
            title,
            "train_only",
            in_train,
            name,
        )

    put("train/1.jpg"), put("test/2.jpg")
    rows = [painting("wave", "1831.0", "True", "1.jpg"), painting("rain", "c.1832", "False", "2.jpg")]
    rows += [painting("gone", "", "True", "3.jpg"), rows[0]]
    put("all_data_info.csv", csv((*INFO, "in_train", "new_filename"), *rows))
    home = bring_home(files("painter_by_numbers"), label="genre")
    assert home.lines == [
        "painter_by_numbers: 4 objects, 2 images with a label, 1 classes; dropped: 1 duplicate, 1 missing"
    ]
    assert [home.rows[title]["object_begin_date"] for title in ("wave", "rain")] == [1831, 1832]


def test_painter_by_numbers_by_its_training_table_alone(put, files, bring_home):
    put("train/1.jpg"), put("train/2.jpg")
    heads = ("filename", "artist", "title", "style", "genre", "date")
    put("train_info.csv", csv(heads, ("1.jpg", "x", "wave", "Ukiyo-e", "marina", ""), ("2.jpg", "y", "", "", "", "")))
    home = bring_home(files("painter_by_numbers"), label="genre")
    assert home.lines == ["painter_by_numbers: 2 objects, 1 images with a label, 1 classes; dropped: 1 without a label"]


ARTISTS = csv(
    ("id", "name", "years", "genre", "nationality", "bio", "wikipedia", "paintings"),
    ("0", "Albrecht Dürer", "1471 - 1528", "Northern Renaissance", "German", "b", "w", "328"),
    ("1", "Vincent van Gogh", "1853 \u2013 1890", "Post-Impressionism", "Dutch", "b", "w", "877"),
    ("2", "Marc Chagall", "1887 - 1985", "Primitivism", '"French,Jewish"', "b", "w", "239"),
)


def test_best_artworks(put, files, bring_home):
    put("artists.csv", ARTISTS)
    folders = ["Albrecht_Du╠êrer", "Albrecht_DuΓòá├¬rer", "Vincent_van_Gogh", "Marc_Chagall", "Nobody_Known"]
    for name in folders:
        put(f"images/images/{name}/{name}_1.jpg")
    put("resized/resized/Vincent_van_Gogh_1.jpg")
    home = bring_home(files("best_artworks"), label="artist")
    assert home.lines == ["best_artworks: 5 objects, 4 images with a label, 3 classes; dropped: 1 unknown artist"]
    chagall = home.rows["Marc_Chagall_1"]
    told = ["artist_nationality", "artist_begin_date", "artist_end_date", "style"]
    assert [chagall[name] for name in told] == ["French|Jewish", "1887", "1985", "Primitivism"]
    assert home.objects["artist"].value_counts()["Albrecht Dürer"] == 2


HEADS = ("filename", "artist", "style", "genre")
STARRY = ("1.jpg", "Vincent van Gogh", "Post-Impressionism", "landscape")
HARE = ("3.jpg", "Albrecht Durer", "Northern Renaissance", "portrait")
TRAIN = [HEADS, STARRY, ("2.jpg", "No One", "Pop Art", "design")]
TEST = [HEADS, HARE, STARRY, ("4.jpg", "No One", "", "")]


@pytest.fixture
def paintings(put):
    put("groundtruth_multiloss_train_header.csv", csv(*TRAIN))
    put("groundtruth_multiloss_test_header.csv", csv(*TEST))
    for name in ("1", "2", "3"):
        put(f"images/{name}.jpg")


@pytest.mark.usefixtures("paintings")
def test_multitask_painting(files, bring_home):
    home = bring_home(files("multitask_painting"), label="genre")
    assert home.lines == [
        "multitask_painting: 5 objects, 3 images with a label, 3 classes; dropped: 1 duplicate, 1 missing"
    ]


@pytest.mark.usefixtures("paintings")
def test_the_join_has_the_artists_of_both(put, files, bring_home):
    put("artists.csv", ARTISTS)
    home = bring_home(files("artists_joined"), label="genre")
    assert home.lines == [
        "artists_joined: 5 objects, 2 images with a label, 2 classes; dropped: 1 duplicate, 2 unknown artist"
    ]
    told = ["artist", "artist_nationality", "artist_begin_date", "style", "genre"]
    assert [home.rows["images/3.jpg"][name] for name in told] == [
        "Albrecht Dürer", "German", "1471", "Northern Renaissance", "portrait"
    ]  # fmt: skip


def test_two_artists_of_one_name_are_told(put, files, bring_home):
    put("artists.csv", ARTISTS + csv(("3", "albrecht durer", "1500 - 1550", "Baroque", "Other", "b", "w", "1")))
    put("images/images/Marc_Chagall/Marc_Chagall_1.jpg")
    with pytest.raises(MuseumError, match=r"^artists\.csv: 'albrecht durer' has two rows that differ\.$"):
        bring_home(files("best_artworks"))


@pytest.mark.parametrize(
    ("source", "table", "heads", "missing"),
    [
        ("imet", "train.csv", "id,attributes", "attribute_ids"),
        ("painter_by_numbers", "all_data_info.csv", "filename,in_train", "new_filename"),
        ("multitask_painting", "groundtruth_multiloss_train_header.csv", "filename,artist,genre", "style"),
    ],
)
@pytest.mark.usefixtures("paintings")
def test_another_layout_is_told_by_the_column_that_is_not_there(request, source, table, heads, missing):
    put, files, bring_home = (request.getfixturevalue(name) for name in ("put", "files", "bring_home"))
    put("labels.csv", "attribute_id,attribute_name\n")
    put(table, f"{heads}\n")
    with pytest.raises(MuseumError, match=rf"^{table} has no column '{missing}'\."):
        bring_home(files(source))


# Images that change


def test_only_what_changed_is_read_again(put, files, bring_home, tmp_path):
    put("one/a.jpg"), put("one/b.jpg", b"<html></html>")
    first = bring_home(files("folder"))
    times = {file: file.stat().st_mtime_ns for file in (tmp_path / "raw" / "images").rglob("*.jpeg")}
    put("one/b.jpg")
    second = bring_home(files("folder"))
    assert (len(first.rows), len(second.rows)) == (1, 2)
    assert all(file.stat().st_mtime_ns == time for file, time in times.items())
    put("one/a.jpg", put("one/c.jpg").read_bytes())
    third = bring_home(files("folder"))
    assert third.rows["a"]["object_id"] == first.rows["a"]["object_id"]
    assert third.images["md5"].nunique() == 2  # a is now what c is


def test_what_has_left_the_table_leaves_ours(put, files, bring_home):
    gone = put("one/a.jpg")
    put("one/b.jpg")
    assert len(bring_home(files("folder")).objects) == 2
    gone.unlink()
    assert len(bring_home(files("folder")).objects) == 1
