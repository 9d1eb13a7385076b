import json
from collections import Counter

import numpy as np
import pytest

from art_pipeline.sources.sample.catalogue import COPIES, TRAPS, departments, find_work, stream
from art_pipeline.sources.sample.records import (
    FIELDS,
    MISSING_TAGS,
    NO_TAGS,
    NOT_PUBLIC,
    REPOSITORY,
    WRONG_TAGS,
    make_record,
)
from art_pipeline.sources.sample.scenes import SCENES, shown_in


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


def terms_of(record):
    return [tag if isinstance(tag, str) else tag["term"] for tag in record["tags"] or []]


def test_tags_are_missing_and_wrong_in_the_stated_shares(records):
    tagged, listed, shown, wrong = 0, 0, 0, 0
    for object_id, record in records.items():
        work, terms = find_work(0, object_id), set(terms_of(record))
        if record["tags"] is None:
            continue
        style = departments()[work.original % 100].style
        visible = set(shown_in(work.kind.scene, style, stream(0, f"picture/{work.original}")))
        subject = SCENES[work.kind.scene].subject
        tagged += 1
        listed += len(terms & visible - {subject})
        shown += len(visible - {subject})
        wrong += len(terms - visible)
        assert terms_of(record)[0] == subject
        assert len(terms - visible) <= 1
    assert tagged / len(records) == pytest.approx(1 - NO_TAGS, abs=0.04)
    assert listed / shown == pytest.approx(1 - MISSING_TAGS, abs=0.03)
    assert wrong / tagged == pytest.approx(WRONG_TAGS, abs=0.025)


def test_a_second_photograph_has_the_tags_of_its_work(records):
    for copy, original in COPIES.items():
        assert terms_of(records[copy]) == terms_of(records[original])


def test_many_tags_and_classifications_have_enough_images(records):
    shown = [record for record in records.values() if record["primaryImage"]]
    tags = Counter(term for record in shown for term in terms_of(record))
    assert sum(number >= 20 for number in tags.values()) >= 25
    assert sum(number >= 20 for number in Counter(record["classification"] for record in shown).values()) >= 9


def test_works_without_public_image_have_empty_addresses(records):
    for object_id, record in records.items():
        shown = record["isPublicDomain"] and object_id not in TRAPS["no_url"]
        assert bool(record["primaryImage"]) == bool(record["primaryImageSmall"]) == shown


@pytest.mark.parametrize("trap", sorted(TRAPS.keys() - {"gone", "no_url"}))
@pytest.mark.parametrize("seed", [0, 7])
def test_every_trap_of_images_can_be_met(seed, trap):
    assert all(make_record(seed, find_work(seed, one))["primaryImage"] for one in TRAPS[trap])
