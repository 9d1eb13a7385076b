import json

import numpy as np
import pytest

from art_pipeline.sources.sample.catalogue import TRAPS, find_work
from art_pipeline.sources.sample.records import FIELDS, NOT_PUBLIC, REPOSITORY, make_record


def test_rights_come_in_the_stated_share(records):
    closed = np.mean([not record["isPublicDomain"] for record in records.values()])
    assert closed == pytest.approx(NOT_PUBLIC, abs=0.015)


def test_artists_have_several_works_and_one_life(records):
    lives = {}
    for record in records.values():
        life = (record["artistBeginDate"], record["artistEndDate"], record["artistNationality"])
        lives.setdefault(record["artistDisplayName"], []).append(life)
    anonymous = lives.pop("")
    assert len(anonymous) > 100
    assert all(len(set(life)) == 1 for life in lives.values())
    assert np.mean([len(life) for life in lives.values()]) > 3


def test_records_have_the_real_fields_and_call_themselves_a_sample(records):
    for object_id, record in records.items():
        assert tuple(record)[: len(FIELDS)] == FIELDS
        assert record["objectID"] == object_id
        assert record["repository"] == REPOSITORY
        assert record["title"].startswith("Sample ")
        assert record["creditLine"].startswith("Sample ")
        assert record["objectURL"].startswith("sample://")
        assert record["objectBeginDate"] <= record["objectEndDate"]
    assert len(FIELDS) == 49
    assert json.loads(json.dumps(records[3711])) == records[3711]


def test_tags_are_null_or_strings_in_old_records_and_objects_in_new_ones(records):
    shapes = set()
    for record in records.values():
        for tag in record["tags"] or [None]:
            newer = record["metadataDate"] >= "2020"
            shapes.add((type(tag).__name__, newer) if tag else "null")
            assert not isinstance(tag, dict) or set(tag) == {"term", "AAT_URL", "Wikidata_URL"}
    assert shapes == {"null", ("str", False), ("dict", True)}


def test_works_without_public_image_have_empty_addresses(records):
    for object_id, record in records.items():
        shown = record["isPublicDomain"] and object_id not in TRAPS["no_url"]
        assert bool(record["primaryImage"]) == bool(record["primaryImageSmall"]) == shown


@pytest.mark.parametrize("trap", sorted(TRAPS.keys() - {"gone", "no_url"}))
@pytest.mark.parametrize("seed", [0, 7])
def test_every_trap_of_images_can_be_met(seed, trap):
    assert all(make_record(seed, find_work(seed, one))["primaryImage"] for one in TRAPS[trap])
