"""Decisions as a table of corrections."""

import csv
import io

import pytest
from tests.web.conftest import PASSWORD
from tests.web.review.decisions import add_decision

from art_pipeline.errors import WebError
from art_pipeline.tasks.corrections import COLUMNS, check_tasks, parse_corrections
from art_pipeline.web.catalogue.models import Artwork, Prediction
from art_pipeline.web.review.corrections import export, pseudonym
from art_pipeline.web.review.decide import undo
from art_pipeline.web.review.models import Action


@pytest.fixture
def bob(db, django_user_model):
    return django_user_model.objects.create_user("bob", password=PASSWORD)


@pytest.fixture
def works(imported):
    rows = Prediction.objects.select_related("artwork", "model__vocabulary").order_by("-pk")
    return list(rows.filter(model__name="first_svm"))


def rows(**options):
    return list(csv.DictReader(io.StringIO(export(**options).text)))


def test_a_row(works, cataloguer):
    add_decision(cataloguer, works[0], Action.OVERRULE, ["Photographs"], recorded=["Asian Art"])
    (row,) = rows()
    assert list(row) == list(COLUMNS)
    assert row["object_id"] == works[0].artwork.key
    assert (row["task"], row["label"], row["recorded_label"]) == ("department", "Photographs", "Asian Art")
    assert row["reviewer"] == pseudonym(cataloguer.pk)
    assert row["record"] == works[0].model.record
    assert "ada" not in export().text


def test_the_table_is_what_tasks_read(works, cataloguer):
    add_decision(cataloguer, works[0], Action.OVERRULE, ["=1+1"], recorded=["Asian Art"])
    parsed = parse_corrections(export().text.encode())
    check_tasks(parsed, ["department"])
    assert parsed["label"].tolist() == parsed["new_labels"].tolist() == ["=1+1"]


def test_the_order_is_that_of_tasks_and_objects_whatever_the_order_of_decisions(works, cataloguer):
    for one in works[:5]:
        add_decision(cataloguer, one)
    first = export().text
    found = [int(row["object_id"]) for row in rows()]
    assert found == sorted(found)
    assert export().text == first


def test_what_is_left_out(works, cataloguer, bob):
    add_decision(cataloguer, works[0])
    add_decision(bob, works[0], Action.OVERRULE, ["Photographs" if works[0].labels != ["Photographs"] else "Asian Art"])
    add_decision(cataloguer, works[1], Action.UNSURE)
    add_decision(cataloguer, works[2], Action.SKIP)
    undo(add_decision(cataloguer, works[3]))
    Artwork.objects.filter(pk=works[4].artwork_id).update(origin="upload")
    add_decision(cataloguer, works[4])
    add_decision(cataloguer, works[5])
    add_decision(bob, works[5])
    found = export()
    assert (found.rows, found.conflicts, found.unsure, found.uploads, found.removed) == (1, 1, 1, 1, 0)
    assert found.reviewers == 2
    assert rows()[0]["reviewer"] == "|".join(sorted(pseudonym(one.pk) for one in (cataloguer, bob)))


def test_the_majority(works, cataloguer, bob, viewer):
    for user in (cataloguer, viewer):
        add_decision(user, works[0])
    add_decision(bob, works[0], Action.OVERRULE, ["Nothing"])
    assert rows() == []
    assert rows(conflicts="majority")[0]["label"] == works[0].labels[0]


def test_one_task(imported, cataloguer):
    for name in ("first_svm", "tags_svm"):
        one = Prediction.objects.select_related("artwork", "model__vocabulary").filter(model__name=name).first()
        add_decision(cataloguer, one)
    assert {row["task"] for row in rows()} == {"department", "tags"}
    assert {row["task"] for row in rows(task="tags")} == {"tags"}


def test_a_task_that_is_not_there_is_named(imported):
    with pytest.raises(WebError, match=r"no task 'departmnt'\. Did you mean 'department'\? Tasks: department, tags\."):
        export("departmnt")
    assert export("department").rows == 0


def test_works_that_an_import_removed_are_not_uploads(works, cataloguer):
    add_decision(cataloguer, works[0])
    works[0].artwork.delete()
    found = export()
    assert (found.rows, found.uploads, found.removed) == (0, 0, 1)


def test_pseudonyms_depend_on_the_secret_key(cataloguer, settings):
    first = pseudonym(cataloguer.pk)
    settings.SECRET_KEY = "another"
    assert pseudonym(cataloguer.pk) != first
