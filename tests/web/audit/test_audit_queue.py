import json
import shutil

import pandas as pd
import pytest
from django.urls import reverse
from tests.web.run_folder import TASKS

from art_pipeline.web.audit.models import Finding
from art_pipeline.web.catalogue.importer import import_run
from art_pipeline.web.catalogue.models import ImportedRun
from art_pipeline.web.catalogue.run_folder import RunFolder
from art_pipeline.web.review.models import Decision

SUSPECTS = pd.DataFrame(
    {
        "object_id": [103, 101, 105, 999],
        "title": "A work",
        "recorded": "Photographs",
        "suggested": ["Asian Art", "", "", ""],
        "score": [0.97, 0.5, 0.2, 0.1],
        "reasons": ["label", "duplicate", "outlier", "label"],
        "evidence": ["probability of Asian Art 95%", "near-duplicate of 7", "far from its label", "of no work"],
    }
)


@pytest.fixture
def run(finished_run, tmp_path):
    data = tmp_path / "project" / "data"
    shutil.copytree(finished_run, data)
    folder = data / "08_reporting" / "audit_labels" / "analysis"
    folder.mkdir(parents=True)
    SUSPECTS.to_csv(folder / "suspects.csv", index=False)
    (folder / "audit.json").write_text(json.dumps({"task": "department"}))
    return RunFolder(data, TASKS, is_sample=True)


@pytest.fixture
def audited(db, finished_run, run, copies):
    copies["audited", finished_run].put(lambda: import_run(run))
    return ImportedRun.latest()


def queue(client, **query):
    return client.get(reverse("review:queue"), {"task": "department", "model": "first_svm", "order": "audit", **query})


def test_findings_are_imported_and_go_with_their_audit(run, audited):
    assert Finding.objects.count() == 3
    assert import_run(run) == audited
    shutil.rmtree(run.data / "08_reporting" / "audit_labels")
    import_run(run)
    assert not Finding.objects.exists()


def test_the_queue_shows_the_most_suspect_record_first_with_the_evidence(as_cataloguer, audited):
    response = queue(as_cataloguer)
    assert response.context["artwork"].object_id == 103
    assert response.context["reason"] == "Suspected by the audit “labels”: probability of Asian Art 95%."
    assert response.context["progress"].total == 3


def test_a_decision_leads_to_the_next_finding_and_keeps_what_was_shown(as_cataloguer, audited):
    first = queue(as_cataloguer)
    sent = {"selection": first.context["selection"].query, "shown": first.context["token"], "action": "keep"}
    response = as_cataloguer.post(reverse("review:decide"), sent, follow=True)
    assert response.context["artwork"].object_id == 101
    decision = Decision.objects.get()
    assert decision.order == "audit"
    assert decision.shown["finding"] == {"audit": "labels", "score": 0.97, "evidence": "probability of Asian Art 95%"}


def test_the_queue_continues_after_a_work_where_reviewed_ones_are_shown_too(as_cataloguer, audited):
    first = queue(as_cataloguer, reviewed="any").context["artwork"]
    assert queue(as_cataloguer, reviewed="any", after=first.pk).context["artwork"].object_id == 101


def test_without_findings_the_queue_is_empty(as_cataloguer, imported):
    response = queue(as_cataloguer)
    assert response.status_code == 200
    assert "artwork" not in response.context
