"""The queue: which works, in which order."""

import pytest
from django.http import QueryDict
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from tests.web.review.decisions import add_decision

from art_pipeline.common.numbers import percent
from art_pipeline.web.catalogue.models import Prediction, TrainedModel
from art_pipeline.web.review import queue
from art_pipeline.web.review.models import Order
from art_pipeline.web.review.queue import audit_sample, next_predictions, of_selection, progress, random_sample
from art_pipeline.web.review.reasons import origin
from art_pipeline.web.review.selection import Reviewed, Works, read_selection

ALL = 1000


def selection(query="", model="first_svm", task="department"):
    return read_selection(QueryDict(f"task={task}&model={model}&{query}"))[0]


def test_uncertain_works_come_first(imported, cataloguer):
    found = next_predictions(selection(), cataloguer.pk, ALL)
    assert [one.probability for one in found] == sorted(one.probability for one in found)
    assert len(found) == TrainedModel.objects.get(name="first_svm").predictions.count()


def test_a_model_was_not_trained_on_an_upload():
    assert origin({"origin": "upload"}) == "The model was not trained on this upload."


def test_suspected_label_errors_come_first(imported, cataloguer):
    found = next_predictions(selection("order=label_errors"), cataloguer.pk, ALL)
    assert [one.label_error for one in found] == sorted((one.label_error for one in found), reverse=True)
    assert found
    assert not any(one.is_correct for one in found)


def test_a_label_error_is_the_margin_over_the_recorded_class(imported):
    for one in Prediction.objects.filter(model__name="first_svm").select_related("artwork"):
        (recorded,) = one.artwork.labels.filter(term__vocabulary__name="department").values_list(
            "term__name", flat=True
        )
        margin = round(one.probability - one.probabilities[recorded], 6)
        assert one.label_error == (None if one.is_correct else pytest.approx(margin, abs=2e-6))
        assert one.doubt == pytest.approx(1 - one.probability, abs=2e-6)


def test_the_doubt_of_label_sets_is_the_expected_number_of_errors(imported):
    for one in Prediction.objects.filter(model__name="tags_svm"):
        errors = [1 - p if name in one.labels else p for name, p in one.probabilities.items()]
        assert one.doubt == pytest.approx(sum(errors), abs=1e-5)
        assert (one.label_error is None) == one.is_correct


@given(st.lists(st.text(min_size=1), unique=True, min_size=1), st.integers(0, 99))
def test_a_random_sample_depends_on_keys_and_seed_alone(keys, seed):
    works = [(key, number) for number, key in enumerate(keys)]
    sample = random_sample(works, seed, 5)
    assert sample == random_sample(works[::-1], seed, 5)
    assert len(set(sample)) == min(5, len(keys))
    assert random_sample(works, seed, 3) == sample[:3]


def test_seeds_give_different_orders(imported, cataloguer):
    orders = [audit_sample(selection(f"order=random&seed={seed}")) for seed in (0, 1)]
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] != orders[1]
    shown = [one.artwork_id for one in next_predictions(selection("order=random"), cataloguer.pk, ALL)]
    assert shown == orders[0]


def test_an_audit_is_of_a_limited_number_of_works(imported, cataloguer, monkeypatch):
    monkeypatch.setattr(queue, "AUDIT", 7)
    assert progress(selection("order=random&seed=99"), cataloguer.pk).total == 7


@pytest.mark.parametrize(
    ("works", "wanted"),
    [
        (Works.ALL, bool),
        (Works.ACCEPTED, lambda one: one.accepted),
        (Works.REJECTED, lambda one: not one.accepted),
        (Works.DISAGREE, lambda one: not one.is_correct),
    ],
)
def test_works(imported, works, wanted):
    found = set(of_selection(selection(f"works={works}")))
    rows = Prediction.objects.filter(model__name="first_svm")
    assert found == {one for one in rows if wanted(one)}
    assert found


@pytest.mark.parametrize(
    ("model", "task", "label"), [("first_svm", "department", "Asian Art"), ("tags_svm", "tags", "Men")]
)
def test_works_of_a_predicted_label(imported, model, task, label):
    found = set(of_selection(selection(f"class={label}", model, task)))
    assert found == {one for one in Prediction.objects.filter(model__name=model) if label in one.labels}
    assert found


def test_reviewed_works_are_left_out(imported, cataloguer, viewer):
    (first, second) = next_predictions(selection(), cataloguer.pk)
    add_decision(cataloguer, first)
    add_decision(viewer, second)
    mine, nobody = (
        {one.pk for one in next_predictions(selection(f"reviewed={value}"), cataloguer.pk, ALL)}
        for value in (Reviewed.MINE, Reviewed.NOBODY)
    )
    everything = {one.pk for one in next_predictions(selection("reviewed=any"), cataloguer.pk, ALL)}
    assert everything - mine == {first.pk}
    assert everything - nobody == {first.pk, second.pk}
    assert progress(selection(), cataloguer.pk).reviewed == 1
    assert progress(selection("reviewed=nobody"), cataloguer.pk).reviewed == 2


def test_an_audit_shows_works_that_were_reviewed_in_another_order(imported, cataloguer):
    first = next_predictions(selection("order=random"), cataloguer.pk)[0]
    add_decision(cataloguer, first, order=Order.UNCERTAIN)
    assert next_predictions(selection("order=random"), cataloguer.pk)[0] == first
    add_decision(cataloguer, first, order=Order.RANDOM)
    assert next_predictions(selection("order=random"), cataloguer.pk)[0] != first


@pytest.mark.parametrize("order", ["uncertain", "label_errors", "random"])
def test_a_queue_of_all_works_goes_on_after_the_last_one(imported, cataloguer, order):
    query = f"order={order}&reviewed=any"
    whole = [one.artwork_id for one in next_predictions(selection(query), cataloguer.pk, ALL)]
    rest = [one.artwork_id for one in next_predictions(selection(f"{query}&after={whole[3]}"), cataloguer.pk, ALL)]
    assert rest == whole[4:]


def test_a_single_work(imported, cataloguer):
    (found,) = next_predictions(selection("work=105"), cataloguer.pk)
    assert found.artwork.key == "105"


def test_values_that_cannot_be_used_are_told(imported):
    query = QueryDict("task=x&model=y&order=z&works=w&reviewed=v&class=u&seed=-1&after=a")
    found, problems = read_selection(query)
    assert found.order == Order.UNCERTAIN
    assert len(problems) == 8


def test_the_address_is_the_selection(imported):
    query = "order=random&works=rejected&reviewed=any&seed=7&class=Asian+Art&after=3"
    assert selection(query) == read_selection(QueryDict(selection(query).query))[0]


@given(st.floats(0, 1))
def test_a_probability_is_never_rounded_to_certainty(value):
    text = percent(value)
    assert text.endswith("%")
    if 0.0001 < value < 0.9999:
        assert 0 < float(text[:-1]) < 100


def test_the_number_of_queries_does_not_depend_on_the_number_of_works(
    imported, as_cataloguer, django_assert_max_num_queries
):
    with django_assert_max_num_queries(25):
        as_cataloguer.get(reverse("review:queue"), {"task": "tags"})
