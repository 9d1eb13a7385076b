import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.errors import MuseumError
from art_pipeline.sources.apis.met_records import TEXT_FIELDS, YEAR_FIELDS, row_of
from art_pipeline.sources.columns import TEXTS, YEARS
from art_pipeline.sources.records import select_objects, tabulate_records

FEW = settings(max_examples=30, deadline=None)
WORDS = st.text(st.characters(blacklist_categories=("Cs",)), max_size=10)
TERMS = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=10)
TAGS = st.none() | st.lists(TERMS) | st.lists(st.fixed_dictionaries({"term": TERMS, "AAT_URL": WORDS | st.none()}))
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        **{field: st.none() | WORDS for field in TEXT_FIELDS.values()},
        **{field: st.none() | st.integers(-5000, 2100) | st.just("") for field in YEAR_FIELDS.values()},
        "tags": TAGS,
        "isPublicDomain": st.none() | st.booleans(),
        "isHighlight": st.none() | st.booleans(),
        "constituents": st.none(),
    },
)
DTYPES = {
    "object_id": "int64",
    "listed_in": "object",
    "status": "object",
    **dict.fromkeys(TEXTS, "object"),
    **dict.fromkeys(YEARS, "Int64"),
    "century": "object",
    "is_public_domain": "bool",
    "is_highlight": "bool",
}
# A department's name -> ids; a hundred numbers each, so that no object is in two.
LISTINGS = st.dictionaries(st.integers(0, 9), st.lists(st.integers(0, 99), unique=True, min_size=1), min_size=1).map(
    lambda some: {f"Department {key}": [100 * key + one for one in ids] for key, ids in some.items()}
)
SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def museums(draw):
    """A listing, and an answer for some of its objects and for some others."""
    ids = draw(st.lists(st.integers(0, 2**40), unique=True, min_size=1, max_size=8))
    answers = [{"object_id": one, "record": draw(st.none() | RECORDS)} for one in ids if draw(st.booleans())]
    listing = select_objects({"Asian Art": ids}, None, None, 0)
    return listing, [*answers, {"object_id": 2**41, "record": {"objectID": 2**41}}]


def one_row(**fields):
    listing = select_objects({"Asian Art": [7]}, None, None, 0)
    return tabulate_records(listing, [{"object_id": 7, "record": {"objectID": 7, **fields}}], row_of).iloc[0]


# The table


@pytest.mark.parametrize(
    ("date", "years"), [("", (pd.NA, pd.NA)), ("450 BC", (-450, -450)), ("long ago", (pd.NA, pd.NA))]
)
def test_two_years_of_0_are_unknown(date, years):
    row = one_row(objectDate=date, objectBeginDate=0, objectEndDate=0)
    assert tuple(row[list(YEARS)]) == years
    assert row["century"] == ("" if years[0] is pd.NA else "5th century BC")


@FEW
@given(museum=museums())
def test_a_row_per_listed_object_typed_as_documented(museum):
    listing, answers = museum
    table = tabulate_records(listing, answers, row_of)
    assert table.dtypes.astype(str).to_dict() == DTYPES
    assert table["object_id"].tolist() == sorted(listing["object_id"])
    assert table.index.tolist() == list(range(len(table)))
    states = {one["object_id"]: "not_found" if one["record"] is None else "ok" for one in answers}
    assert table["status"].tolist() == [states.get(one, "failed") for one in table["object_id"]]
    assert (table["listed_in"] == "Asian Art").all()
    texts = table[[*TEXTS, "century"]]
    assert texts.map(lambda value: isinstance(value, str)).all(axis=None)
    assert (texts[table["status"] != "ok"] == "").all(axis=None)
    assert not table.loc[table["status"] != "ok", ["is_public_domain", "is_highlight"]].any(axis=None)


@FEW
@given(museum=museums(), data=st.data())
def test_the_table_does_not_depend_on_the_order_of_the_answers(museum, data):
    listing, answers = museum
    before = listing.copy()
    expected = tabulate_records(listing, answers, row_of)
    pd.testing.assert_frame_equal(tabulate_records(listing, data.draw(st.permutations(answers)), row_of), expected)
    pd.testing.assert_frame_equal(listing, before)


@FEW
@given(museum=museums())
def test_parquet_keeps_the_table(tmp_path_factory, museum):
    table = tabulate_records(*museum, row_of)
    path = tmp_path_factory.getbasetemp() / "objects.parquet"
    table.to_parquet(path)
    pd.testing.assert_frame_equal(pd.read_parquet(path), table)


@FEW
@given(record=RECORDS)
def test_values_are_those_of_the_record(record):
    row = one_row(**record)
    for column, name in TEXT_FIELDS.items():
        assert row[column] == (record.get(name) or "").strip()
    for column, name in YEAR_FIELDS.items():
        year = record.get(name)
        assert pd.isna(row[column]) if year in (None, "") else row[column] == year
    assert row["is_public_domain"] == bool(record.get("isPublicDomain"))
    assert row["is_highlight"] == bool(record.get("isHighlight"))
    assert (row["licence"] == "CC0-1.0") == row["is_public_domain"]


@FEW
@given(terms=st.lists(TERMS))
def test_old_tags_and_new_ones_are_alike(terms):
    old, new = one_row(tags=terms), one_row(tags=[{"term": term, "AAT_URL": "http://…"} for term in terms])
    assert old["tags"] == new["tags"] == "|".join(terms)


@pytest.mark.parametrize("tags", [None, [], [None], [{"term": None}], [{"AAT_URL": "x"}], [""]])
def test_no_tags(tags):
    assert one_row(tags=tags)["tags"] == ""


@pytest.mark.parametrize(
    ("value", "year"),
    [(-3000, -3000), (0, 0), ("1850", 1850), (" -40 ", -40), ("ca. 1850", None), ([], None), (float("nan"), None)],
)
def test_years(value, year):
    found = one_row(objectBeginDate=value)["object_begin_date"]
    assert pd.isna(found) if year is None else found == year


def test_the_century_is_that_of_the_years():
    assert one_row(objectBeginDate=1845, objectEndDate="1850")["century"] == "19th century"
    assert one_row(objectEndDate=-450)["century"] == "5th century BC"
    assert one_row(objectDate="1850")["century"] == ""  # the museum's own years alone


def test_what_a_source_tells_beside_our_columns_is_kept_as_text():
    listing = select_objects({"a": [1, 2, 3]}, None, None, 0)
    told = [{"movement": "Fauvism"}, {"status": "duplicate", "title": "again"}]
    answers = [{"object_id": number, "record": record} for number, record in enumerate(told, start=1)]
    table = tabulate_records(listing, answers, dict)
    assert table["movement"].tolist() == ["Fauvism", "", ""]
    assert table["status"].tolist() == ["ok", "duplicate", "failed"]
    assert table["title"].tolist() == ["", "again", ""]


@pytest.mark.parametrize("record", ["none", "not_found"])
def test_a_table_without_one_record(record):
    listing = select_objects({"Asian Art": [3, 4]}, None, None, 0)
    answers = [] if record == "none" else [{"object_id": one, "record": None} for one in (3, 4)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = tabulate_records(listing, answers, row_of)
    assert table.dtypes.astype(str).to_dict() == DTYPES
    assert table["status"].tolist() == ["failed" if record == "none" else "not_found"] * 2
    assert table["object_begin_date"].isna().all()


# The choice


@given(listings=LISTINGS, most=st.none() | st.integers(1, 20), seed=SEEDS)
def test_a_choice_is_of_what_is_listed(listings, most, seed):
    chosen = select_objects(listings, None, most, seed)
    assert chosen.dtypes.astype(str).to_dict() == {"object_id": "int64", "listed_in": "object"}
    assert chosen["object_id"].is_unique
    assert chosen["object_id"].is_monotonic_increasing
    for name, ids in listings.items():
        drawn = chosen.loc[chosen["listed_in"] == name, "object_id"]
        assert set(drawn) <= set(ids)
        assert len(drawn) == min(len(ids), most or len(ids))


@given(listings=LISTINGS, most=st.integers(1, 20), seed=SEEDS, data=st.data())
def test_a_draw_depends_on_its_own_ids_and_the_seed_alone(listings, most, seed, data):
    together = select_objects(listings, None, most, seed)
    name = data.draw(st.sampled_from(sorted(listings)))
    alone = select_objects({name: data.draw(st.permutations(listings[name]))}, None, most, seed)
    pd.testing.assert_frame_equal(together[together["listed_in"] == name].reset_index(drop=True), alone)


@given(listings=LISTINGS, found=st.sets(st.integers(0, 999)), most=st.none() | st.integers(1, 20), seed=SEEDS)
def test_only_what_the_search_finds(listings, found, most, seed):
    if not found & {one for ids in listings.values() for one in ids}:
        with pytest.raises(MuseumError, match=r"no object that its query finds in Department"):
            select_objects(listings, found, most, seed)
    else:
        drawn = select_objects(listings, found, most, seed)
        assert set(drawn["object_id"]) <= found
        narrowed = {name: [one for one in ids if one in found] for name, ids in listings.items()}
        pd.testing.assert_frame_equal(drawn, select_objects(narrowed, None, most, seed))


def test_seeds_draw_differently():
    listings = {"Asian Art": list(range(1000))}
    draws = [frozenset(select_objects(listings, None, 20, seed)["object_id"]) for seed in range(20)]
    assert len(set(draws)) == 20
    assert np.mean([np.mean(list(draw)) for draw in draws]) == pytest.approx(500, abs=60)  # from all of the list


def test_nothing_listed_is_an_error():
    with pytest.raises(MuseumError, match=r"^The museum lists no object in Asian Art, Books\. Choose others\.$"):
        select_objects({"Asian Art": [], "Books": []}, None, 3, 0)
    with pytest.raises(MuseumError, match=r"^The museum lists no object that its query finds in A"):
        select_objects({"Asian Art": [1]}, [], 3, 0)
