"""Decisions: what a form records, and what it cannot."""

import re
import shutil
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse
from tests.web.conftest import PASSWORD
from tests.web.run_folder import TASKS, write_model

from art_pipeline.web.accounts.roles import CATALOGUER, give_role
from art_pipeline.web.catalogue.importer import import_run
from art_pipeline.web.catalogue.models import ArtworkTerm, Prediction
from art_pipeline.web.catalogue.run_folder import RunFolder
from art_pipeline.web.review.models import Action, Decision, Preference
from art_pipeline.web.review.shown import SALT

QUEUE, DECIDE, UNDO = (reverse(f"review:{name}") for name in ("queue", "decide", "undo"))
SELECTION = {"task": "department", "model": "first_svm"}


@pytest.fixture
def bob(db, django_user_model):
    user = django_user_model.objects.create_user("bob", password=PASSWORD)
    give_role(user, CATALOGUER)
    client = Client()
    client.force_login(user)
    return client


def hidden(page, name):
    return re.search(rf'name="{name}" value="([^"]*)"', page.content.decode())[1].replace("&amp;", "&")


def show(client, **query):
    return client.get(QUEUE, SELECTION | query)


def decide(client, page, **values):
    form = {name: hidden(page, name) for name in ("shown", "selection")}
    return client.post(DECIDE, form | values, follow=True)


def predictions():
    return list(Prediction.objects.order_by("pk").values())


@pytest.mark.parametrize("action", [Action.ACCEPT, Action.UNSURE, Action.SKIP])
def test_a_decision_keeps_what_was_shown_and_goes_on(imported, as_cataloguer, cataloguer, action):
    before, page = predictions(), show(as_cataloguer)
    facts, next_page = page.context["facts"], decide(as_cataloguer, page, action=action)
    (found,) = Decision.objects.all()
    assert (found.artwork_key, found.record, found.user) == (facts["artwork"], facts["record"], cataloguer)
    assert found.labels == (page.context["predicted"] if action == Action.ACCEPT else [])
    assert found.shown["likely"] == [list(one) for one in facts["likely"]]
    assert next_page.context["artwork"] == page.context["next"].artwork
    assert predictions() == before  # a prediction never changes


def test_keeping_the_record(imported, as_cataloguer):
    page = show(as_cataloguer, works="disagree")
    decide(as_cataloguer, page, action="keep")
    found = Decision.objects.get()
    assert (found.action, found.labels) == ("keep", page.context["facts"]["recorded"])


@pytest.mark.parametrize("field", ["label", "choose"])
def test_overruling(imported, as_cataloguer, field):
    page = show(as_cataloguer)
    other = next(one["name"] for one in page.context["likely"] if not one["predicted"] and not one["recorded"])
    decide(as_cataloguer, page, **{field: other}, **({"action": "overrule"} if field == "label" else {}), note=" odd ")
    found = Decision.objects.get()
    assert (found.action, found.labels, found.note) == ("overrule", [other], "odd")


def test_typing_the_predicted_or_the_recorded_label_is_no_overruling(imported, as_cataloguer):
    for name, action in (("predicted", "accept"), ("recorded", "keep")):
        page = show(as_cataloguer, works="disagree")
        value = page.context["predicted"] if name == "predicted" else page.context["facts"]["recorded"]
        decide(as_cataloguer, page, action="overrule", label=f"  {value[0]} ")
        assert Decision.objects.latest("pk").action == action


def test_a_new_label_must_be_confirmed(imported, as_cataloguer):
    page = show(as_cataloguer)
    again = decide(as_cataloguer, page, action="overrule", label="Asain Art")
    assert again.status_code == 400
    assert "Did you mean &#x27;Asian Art&#x27;?" in again.content.decode()
    assert again.context["artwork"] == page.context["artwork"]
    assert not Decision.objects.exists()
    decide(as_cataloguer, again, action="overrule", label="Asain Art", confirm="1")
    assert Decision.objects.get().labels == ["Asain Art"]


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("", "Write a label"),
        ("Asian Art|Photographs", "Write one label"),
        ("x" * 192, "at most 191 characters"),
        ("a\x00b", "control character"),
        ("<script>alert(1)</script>", "&lt;script&gt;"),
    ],
)
def test_labels_that_cannot_be_used(imported, as_cataloguer, label, message):
    answer = decide(as_cataloguer, show(as_cataloguer), action="overrule", label=label)
    assert answer.status_code == 400
    assert message in answer.content.decode()
    assert not Decision.objects.exists()


def test_label_sets(imported, as_cataloguer):
    page = as_cataloguer.get(QUEUE, {"task": "tags", "model": "tags_svm"})
    decide(as_cataloguer, page, action="overrule", labels=["Men"], label="Women|Boats", confirm="1")
    assert Decision.objects.get().labels == ["Boats", "Men", "Women"]
    page = as_cataloguer.get(QUEUE, {"task": "tags", "model": "tags_svm"})
    decide(as_cataloguer, page, action="overrule")
    assert Decision.objects.latest("pk").labels == []  # no label applies


def test_the_same_form_is_one_decision(imported, as_cataloguer):
    page = show(as_cataloguer)
    decide(as_cataloguer, page, action="accept")
    decide(as_cataloguer, page, action="skip")
    assert [one.action for one in Decision.objects.all()] == ["accept"]


# Forged forms


def test_a_form_cannot_claim_what_was_not_shown(imported, as_cataloguer, cataloguer):
    page = show(as_cataloguer)
    shown = hidden(page, "shown")
    forged = [
        "",
        "x",
        shown[:-2],
        signing.dumps(page.context["facts"] | {"user": cataloguer.pk, "form": "1"}),
        signing.dumps({"user": cataloguer.pk}, key="guessed", salt=SALT),
    ]
    for token in forged:
        answer = as_cataloguer.post(DECIDE, {"shown": token, "action": "accept"}, follow=True)
        assert "out of date" in answer.content.decode()
    assert not Decision.objects.exists()


def test_a_form_of_another_user_is_refused(imported, as_cataloguer, bob):
    decide(bob, show(as_cataloguer), action="accept")
    assert not Decision.objects.exists()


@pytest.mark.parametrize("action", ["", "undo", "drop", "ACCEPT"])
def test_unknown_actions(imported, as_cataloguer, action):
    assert decide(as_cataloguer, show(as_cataloguer), action=action).status_code == 200
    assert not Decision.objects.exists()


def test_an_old_form_is_refused(imported, as_cataloguer, settings):
    page = show(as_cataloguer)
    settings.SESSION_COOKIE_AGE = -1
    as_cataloguer.post(DECIDE, {"shown": hidden(page, "shown"), "action": "accept"})
    assert not Decision.objects.exists()


def test_without_csrf_token(imported, cataloguer):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cataloguer)
    for address in (DECIDE, UNDO, reverse("review:shortcuts")):
        assert client.post(address).status_code == 403


@pytest.mark.parametrize("name", ["queue", "statistics", "decide", "undo", "shortcuts"])
def test_roles(imported, client, viewer, name):
    address = reverse(f"review:{name}")
    call = client.get if name in ("queue", "statistics") else client.post
    assert call(address).status_code == 302
    client.force_login(viewer)
    assert call(address).status_code == 403


@pytest.mark.parametrize("name", ["decide", "undo", "shortcuts"])
def test_reading_changes_nothing(as_cataloguer, name):
    assert as_cataloguer.get(reverse(f"review:{name}")).status_code == 405


# Undo


def test_undo_is_a_row_and_shows_the_work_again(imported, as_cataloguer):
    page = show(as_cataloguer)
    decide(as_cataloguer, page, action="accept")
    decision = Decision.objects.get()
    answer = as_cataloguer.post(UNDO, {"decision": decision.pk, "selection": hidden(page, "selection")}, follow=True)
    assert answer.context["artwork"] == page.context["artwork"]
    assert [one.action for one in Decision.objects.order_by("pk")] == ["accept", "undo"]
    assert not Decision.objects.in_force().exists()
    assert show(as_cataloguer).context["artwork"] == page.context["artwork"]
    as_cataloguer.post(UNDO, {"decision": decision.pk})
    assert Decision.objects.count() == 2


def test_decisions_of_others_and_undos_cannot_be_undone(imported, as_cataloguer, bob):
    decide(bob, show(bob), action="accept")
    decision = Decision.objects.get()
    assert as_cataloguer.post(UNDO, {"decision": decision.pk}).status_code == 404
    bob.post(UNDO, {"decision": decision.pk})
    bob.post(UNDO, {"decision": Decision.objects.latest("pk").pk})
    assert Decision.objects.count() == 2


@pytest.mark.parametrize("decision", ["x", "", "999", "-1"])
def test_undo_of_nothing(imported, as_cataloguer, decision):
    assert as_cataloguer.post(UNDO, {"decision": decision}).status_code == 404


# Meanwhile


def test_two_reviewers_on_one_work(imported, as_cataloguer, bob):
    pages = show(as_cataloguer), show(bob)
    assert pages[0].context["artwork"] == pages[1].context["artwork"]
    decide(as_cataloguer, pages[0], action="accept")
    other = next(one["name"] for one in pages[1].context["likely"] if not one["predicted"])
    answer = decide(bob, pages[1], action="overrule", label=other)
    assert "ada decided on this work meanwhile" in answer.content.decode()
    assert Decision.objects.in_force().count() == 2


def test_a_conflict_is_settled_with_both_decisions_in_view(imported, as_cataloguer, bob):
    page = show(as_cataloguer)
    decide(as_cataloguer, page, action="accept")
    other = next(one["name"] for one in page.context["likely"] if not one["predicted"])
    decide(bob, show(bob), action="overrule", label=other)
    settling = show(bob, work=page.context["artwork"].key)
    assert "Reviewers disagree" in settling.content.decode()
    decide(bob, settling, action="accept")
    assert Decision.objects.latest("pk").settles == [one.pk for one in Decision.objects.order_by("pk")[:2]]
    statistics = as_cataloguer.get(reverse("review:statistics"), SELECTION)
    assert statistics.context["conflict_count"] == 0


def test_a_model_that_was_trained_again(imported, as_cataloguer, finished_run, tmp_path):
    page = show(as_cataloguer)
    data = shutil.copytree(finished_run, tmp_path / "data")
    write_model(data, "first_svm", "department", seed=9)
    import_run(RunFolder(data, TASKS))
    answer = decide(as_cataloguer, page, action="accept")
    assert "trained again while you looked" in answer.content.decode()
    assert Decision.objects.get().record == page.context["facts"]["record"]
    assert answer.context["facts"]["record"] != page.context["facts"]["record"]


def test_an_import_keeps_decisions(imported, as_cataloguer, finished_run):
    decide(as_cataloguer, show(as_cataloguer), action="accept")
    imported.delete()
    import_run(RunFolder(finished_run, TASKS))
    assert Decision.objects.in_force().count() == 1


def test_corrected_manifests_show_the_museums_record(imported, as_cataloguer, finished_run, tmp_path):
    import pandas as pd

    data = shutil.copytree(finished_run, tmp_path / "data")
    file = data / "03_primary/department/manifest.parquet"
    table = pd.read_parquet(file)
    table.assign(recorded_label=table["label"], label="Photographs", corrected_by="r-1").to_parquet(file)
    before = set(ArtworkTerm.objects.filter(term__vocabulary__name="department").values_list("artwork", "term__name"))
    import_run(RunFolder(data, TASKS))
    after = set(ArtworkTerm.objects.filter(term__vocabulary__name="department").values_list("artwork", "term__name"))
    assert before == after


# The page


def test_the_page_says_why_and_what_it_is_worth(imported, as_cataloguer):
    texts = {
        order: show(as_cataloguer, order=order).content.decode() for order in ("uncertain", "label_errors", "random")
    }
    assert "The model is unsure" in texts["uncertain"]
    assert "The record may be wrong" in texts["label_errors"]
    assert "Drawn at random, 1 of 57" in texts["random"]
    for text in texts.values():
        assert "risk that it is wrong" in text
        assert "0 of " in text


def test_a_finished_queue_says_what_to_do(imported, as_cataloguer):
    query = {"order": "label_errors", "works": "accepted"}
    for _ in range(100):
        page = show(as_cataloguer, **query)
        if "artwork" not in page.context:
            break
        decide(as_cataloguer, page, action="skip")
    assert "Choose another order" in page.content.decode() or "Choose all works" in page.content.decode()


def test_before_the_first_import(as_cataloguer):
    for name in ("queue", "statistics"):
        assert "kedro run" in as_cataloguer.get(reverse(f"review:{name}")).content.decode()


def test_shortcuts_are_switched_off_for_a_user(imported, as_cataloguer, cataloguer, bob):
    assert "<kbd>a</kbd>" in show(as_cataloguer).content.decode()
    answer = as_cataloguer.post(reverse("review:shortcuts"), {"on": "0", "selection": "task=tags"})
    assert parse_qs(urlsplit(answer["Location"]).query)["task"] == ["tags"]
    assert 'data-on="0"' in show(as_cataloguer).content.decode()
    assert 'data-on="1"' in show(bob).content.decode()
    assert Preference.objects.get().user == cataloguer


def test_the_selection_cannot_lead_elsewhere(imported, as_cataloguer):
    page = show(as_cataloguer)
    form = {"shown": hidden(page, "shown"), "selection": "https://museum.example/", "action": "skip"}
    assert as_cataloguer.post(DECIDE, form)["Location"].startswith(QUEUE)
