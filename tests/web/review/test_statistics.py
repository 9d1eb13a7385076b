"""Opinions and statistics, against values computed by hand."""

import pytest
from django.urls import reverse
from tests.web.conftest import PASSWORD
from tests.web.review.decisions import add_decision

from art_pipeline.web.catalogue.models import Prediction
from art_pipeline.web.review.decide import undo
from art_pipeline.web.review.models import Action, Decision, Order
from art_pipeline.web.review.opinions import verdicts
from art_pipeline.web.review.statistics import (
    audit,
    by_class,
    by_confidence,
    by_user,
    exact_interval,
    reviewed_predictions,
)

OVERRULED = ("Photographs",)


@pytest.fixture
def users(cataloguer, django_user_model):
    return [cataloguer, *(django_user_model.objects.create_user(name, password=PASSWORD) for name in ("bob", "cleo"))]


@pytest.fixture
def works(imported):
    """Predictions of works that are predicted to be Asian Art."""
    rows = Prediction.objects.filter(model__name="first_svm", term__name="Asian Art")
    return list(rows.select_related("artwork", "model__vocabulary").order_by("pk"))


def in_force():
    return list(Decision.objects.in_force().order_by("pk"))


def verdict():
    (found,) = verdicts(in_force())
    return found


# Opinions


def test_the_latest_decision_of_a_user_counts(works, users):
    add_decision(users[0], works[0])
    add_decision(users[0], works[0], Action.OVERRULE, OVERRULED)
    assert [one.labels for one in verdict().agreed()] == [list(OVERRULED)]


def test_after_undo_the_one_before_counts(works, users):
    add_decision(users[0], works[0])
    undo(add_decision(users[0], works[0], Action.OVERRULE, OVERRULED))
    assert verdict().agreed()[0].labels == ["Asian Art"]


def test_who_cannot_tell_later_has_no_label_and_who_skips_keeps_it(works, users):
    add_decision(users[0], works[0])
    add_decision(users[0], works[0], Action.SKIP)
    assert verdict().agreed()
    add_decision(users[0], works[0], Action.UNSURE)
    assert not verdict().agreed()
    assert verdict().unsure == 1


def test_reviewers_who_agree_count_together(works, users):
    for user in users[:2]:
        add_decision(user, works[0])
    assert not verdict().is_conflict
    assert len(verdict().agreed()) == 2


def test_conflicts_are_left_out_or_the_majority_counts(works, users):
    add_decision(users[0], works[0])
    add_decision(users[1], works[0], Action.OVERRULE, OVERRULED)
    assert verdict().is_conflict
    assert not verdict().agreed()
    assert not verdict().agreed("majority")  # one each
    add_decision(users[2], works[0])
    assert not verdict().agreed()
    assert [one.user_id for one in verdict().agreed("majority")] == [users[0].pk, users[2].pk]


def test_a_settled_conflict_is_none(works, users):
    found = [add_decision(users[0], works[0]), add_decision(users[1], works[0], Action.OVERRULE, OVERRULED)]
    add_decision(users[2], works[0], settles=[one.pk for one in found])
    assert not verdict().is_conflict
    assert verdict().agreed()[0].user_id == users[2].pk
    undo(Decision.objects.latest("pk"))
    assert verdict().is_conflict


# Statistics


def test_the_exact_interval():
    # Clopper & Pearson 1934 by the beta distribution: 3 of 20
    assert exact_interval(3, 20) == pytest.approx((0.0321, 0.3789), abs=1e-4)
    assert exact_interval(0, 0) == (0.0, 1.0)


def test_agreement(works, users):
    for number, one in enumerate(works[:6]):
        if number < 4:
            add_decision(users[0], one)
        else:
            add_decision(users[0], one, Action.OVERRULE, OVERRULED)
    add_decision(users[0], works[6], Action.UNSURE)
    predictions = reviewed_predictions(verdicts(in_force()), in_force())
    (share,) = by_class(predictions)
    assert (share.name, share.count, share.total) == ("Asian Art", 4, 6)
    bins = by_confidence(predictions)
    assert sum(one.total for one in bins) == 6
    assert sum(one.count for one in bins) == 4
    total = sum(one.expected * one.total for one in bins)
    assert total == pytest.approx(sum(one.probability for one in works[:6]))


def test_the_audited_risk_is_of_accepted_predictions_that_were_drawn_at_random(works, users):
    accepted = [one for one in works if one.accepted]
    rejected = [one for one in works if not one.accepted]
    assert len(accepted) > 6
    assert rejected
    drawn = {"order": Order.RANDOM}
    for one in accepted[:4]:
        add_decision(users[0], one, **drawn)
    add_decision(users[0], accepted[4], Action.OVERRULE, OVERRULED, **drawn)
    add_decision(users[0], accepted[5], Action.UNSURE, **drawn)
    add_decision(users[0], accepted[6], Action.OVERRULE, OVERRULED)  # in another order
    add_decision(users[0], rejected[0], Action.OVERRULE, OVERRULED, **drawn)
    found = audit(verdicts(in_force()), in_force(), 0.95)
    assert (found.wrong.count, found.wrong.total, found.works, found.undecided) == (1, 5, 6, 1)
    assert found.promised == pytest.approx(0.05)
    assert (found.state, found.needed) == ("open", 72)


@pytest.mark.parametrize("chosen", [{"works": "disagree"}, {"class": "Asian Art"}])
def test_a_selection_that_depends_on_errors_is_no_audit(works, users, chosen):
    add_decision(users[0], works[0], order=Order.RANDOM, **chosen)
    assert audit(verdicts(in_force()), in_force(), 0.95).works == 0


def test_a_promise_is_kept_or_broken_where_the_interval_leaves_no_doubt(works, users):
    accepted = [one for one in works if one.accepted]
    for one in accepted:
        add_decision(users[0], one, order=Order.RANDOM)
    right = len(accepted)
    high = exact_interval(0, right)[1]
    assert audit(verdicts(in_force()), in_force(), 1 - high).state == "kept"
    for one in accepted:
        add_decision(users[0], one, Action.OVERRULE, OVERRULED, order=Order.RANDOM)
    assert audit(verdicts(in_force()), in_force(), 0.95).state == "broken"


def test_by_user(works, users):
    add_decision(users[0], works[0])
    undo(add_decision(users[0], works[1]))
    add_decision(users[1], works[1], Action.OVERRULE, OVERRULED)
    add_decision(users[1], works[2], Action.SKIP)
    rows = list(Decision.objects.select_related("user", "undone_by"))
    ada, bob = by_user(rows)
    assert (ada.name, ada.actions, ada.undone, ada.agrees.count, ada.agrees.total) == ("ada", {"accept": 1}, 1, 1, 1)
    assert (bob.actions, bob.agrees.count, bob.agrees.total) == ({"overrule": 1, "skip": 1}, 0, 1)


def test_the_page(works, users, as_cataloguer):
    for number, one in enumerate(works[:8]):
        add_decision(users[0], one, order=Order.RANDOM)
        if number == 0:
            add_decision(users[1], one, Action.OVERRULE, OVERRULED)
    query = {"task": "department", "model": "first_svm"}
    page = as_cataloguer.get(reverse("review:statistics"), query)
    text = page.content.decode()
    assert "Do accepted predictions reach the target?" in text
    assert f"Settle: {works[0].artwork.title}" in text
    assert page.context["agreement"]["count"] == "7"


def test_the_number_of_queries_does_not_depend_on_decisions(works, users, as_cataloguer, django_assert_max_num_queries):
    for one in works:
        add_decision(users[0], one)
        add_decision(users[1], one, Action.OVERRULE, OVERRULED)
    with django_assert_max_num_queries(20):
        as_cataloguer.get(reverse("review:statistics"), {"task": "department", "model": "first_svm"})
