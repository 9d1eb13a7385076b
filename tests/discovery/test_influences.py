import numpy as np
import pandas as pd
import pytest

from art_pipeline.discovery.influences import WHOLE, Dated, find_earlier_artists, find_influences
from art_pipeline.discovery.nearest import unit_rows
from art_pipeline.discovery.options import InfluenceOptions
from art_pipeline.discovery.regions import cut

N = 120


@pytest.fixture(scope="module")
def rows():
    return unit_rows(np.random.default_rng(0).normal(size=(N, 6)))


@pytest.fixture(scope="module")
def dated():
    rng = np.random.default_rng(1)
    begins = rng.integers(1600, 1900, size=N).astype(float)
    return Dated(rng.choice(["a", "b", "c", "d", ""], N), begins, begins + rng.integers(0, 10, size=N))


def test_each_neighbour_is_the_nearest_earlier_work_by_another_artist(rows, dated):
    ids = np.arange(N) + 10
    found = find_influences({WHOLE: rows}, ids, dated, InfluenceOptions(neighbours=2), 0)
    for work in np.flatnonzero(dated.usable):
        others = [
            one
            for one in np.flatnonzero(dated.usable)
            if dated.ends[one] < dated.begins[work] and dated.artists[one] != dated.artists[work]
        ]
        expected = sorted(others, key=lambda one: -float(rows[work] @ rows[one]))[:2]
        own = found[found["object_id"] == ids[work]]
        assert own["earlier_id"].tolist() == [ids[one] for one in expected]
        assert own["rank"].tolist() == list(range(1, len(expected) + 1))
    assert (found["years"] > 0).all()


def test_a_copy_is_unusually_near_and_chance_is_not(rows, dated):
    copied = rows.copy()
    known = np.flatnonzero(dated.usable)
    early = known[np.argmin(dated.ends[known])]
    late = next(one for one in known[np.argsort(-dated.begins[known])] if dated.artists[one] != dated.artists[early])
    copied[late] = unit_rows(rows[early : early + 1] + 0.01 * rows[:1])[0]
    found = find_influences({WHOLE: copied}, np.arange(N), dated, InfluenceOptions(period=300), 0)
    pair = found[(found["object_id"] == late) & (found["rank"] == 1)].iloc[0]
    assert pair["earlier_id"] == early
    assert pair["p_value"] < 0.01
    others = found[(found["object_id"] != late) & (found["rank"] == 1)]
    assert others["p_value"].median() > pair["p_value"]


def test_parts_have_their_own_nearest_work_and_the_same_bytes_twice(rows, dated):
    parts = {WHOLE: rows, "colour": unit_rows(rows[:, :3])}
    first, second = (find_influences(parts, np.arange(N), dated, InfluenceOptions(), 0) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert set(first["part"]) == set(parts)
    assert first.loc[first["part"] == "colour", "rank"].unique().tolist() == [1]


def test_a_region_finds_the_earlier_work_with_the_most_similar_region(dated):
    rng = np.random.default_rng(3)
    regions = {name: unit_rows(rng.normal(size=(N, 6))) for name in ("left", "right")}
    known = np.flatnonzero(dated.usable)
    early = known[np.argmin(dated.ends[known])]
    late = next(one for one in known[np.argsort(-dated.begins[known])] if dated.artists[one] != dated.artists[early])
    regions["left"][late] = regions["right"][early]
    whole = {WHOLE: unit_rows(rng.normal(size=(N, 6)))}
    found = find_influences(whole, np.arange(N), dated, InfluenceOptions(period=300), 0, regions)
    assert set(found["part"]) == {WHOLE, *regions}
    pair = found[(found["object_id"] == late) & (found["part"] == "left")].iloc[0]
    assert (pair["earlier_id"], round(pair["similarity"], 5)) == (early, 1)
    assert pair["p_value"] < 0.02
    plain = find_influences(whole, np.arange(N), dated, InfluenceOptions(period=300), 0)
    pd.testing.assert_frame_equal(found[found["part"] == WHOLE].reset_index(drop=True), plain)


def test_regions_are_the_cells_of_a_grid():
    image = np.arange(5 * 7 * 3).reshape(5, 7, 3)
    cells = cut(image, 3)
    assert [one.shape[:2] for one in cells] == [(h, w) for h in (1, 2, 2) for w in (2, 2, 3)]
    assert np.array_equal(np.vstack([np.hstack(cells[row : row + 3]) for row in (0, 3, 6)]), image)
    assert all(one.size for one in cut(image[:1, :2], 3))


def test_collections_without_dates_or_artists_have_counted_reasons(rows):
    records = pd.DataFrame({"object_begin_date": [1700, None, None], "object_end_date": [None, 1720, None]})
    dated = Dated.of(records.astype("Int64"), pd.Series(["a", "", "b"]))
    assert dated.reasons() == {"without_date": 1, "without_artist": 1}
    assert dated.ends[:2].tolist() == [1700, 1720]
    nothing = Dated.of(pd.DataFrame(index=range(N)), pd.Series(["a"] * N))
    assert find_influences({WHOLE: rows}, np.arange(N), nothing, InfluenceOptions(), 0).empty
    assert find_earlier_artists(rows, nothing, InfluenceOptions()).empty


def test_an_artist_who_repeats_an_earlier_one_is_nearest_to_that_one():
    rng = np.random.default_rng(2)
    centres = {"old": rng.normal(size=8), "other": rng.normal(size=8)}
    centres["pupil"] = centres["old"]
    artists = np.repeat(list(centres), 6)
    rows = unit_rows(np.stack([centres[one] for one in artists]) + 0.2 * rng.normal(size=(18, 8)))
    years = np.array([{"old": 1600.0, "other": 1650.0, "pupil": 1680.0}[one] for one in artists])
    found = find_earlier_artists(rows, Dated(artists, years, years), InfluenceOptions(neighbours=2))
    pupil = found[found["artist"] == "pupil"]
    assert pupil["earlier_artist"].tolist() == ["old", "other"]
    assert pupil[["year", "earlier_year", "works"]].iloc[0].tolist() == [1680, 1600, 6]
    assert found.loc[found["artist"] == "other", "earlier_artist"].tolist() == ["old"]
    assert "old" not in found["artist"].tolist()
    none = find_earlier_artists(rows, Dated(artists, years, years), InfluenceOptions(min_works=7))
    assert none.empty
