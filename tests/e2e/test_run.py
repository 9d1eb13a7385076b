"""The whole way, as a user goes it: museum to report."""

import json

import pandas as pd
import pytest

STAGES = ["scrape", "download", "subset", "describe", "bow_svm", "evaluate", "report"]
MAIN_METRICS = {"accuracy", "top_5_accuracy", "precision_macro", "recall_macro", "f1_macro", "roc_auc_ovr"}


def test_the_results_are_where_others_look_for_them(finished):
    metrics = json.loads((finished.data / "08_reporting/bow_svm/metrics.json").read_text())
    assert metrics.keys() >= MAIN_METRICS
    assert all(0 <= metrics[name] <= 1 for name in MAIN_METRICS)
    assert "<!doctype html>" in (finished.data / "08_reporting/report.html").read_text()[:100].lower()


def test_the_model_beats_chance_on_the_sample(finished):
    metrics = json.loads((finished.data / "08_reporting/bow_svm/metrics.json").read_text())
    per_class = pd.read_csv(finished.data / "08_reporting/bow_svm/per_class.csv")
    assert metrics["accuracy"] > per_class["support"].max() / per_class["support"].sum()


def test_it_ends_by_saying_what_was_measured_and_where_to_look(finished):
    end = (finished.path / "log.txt").read_text().splitlines()[-3:]
    metrics = json.loads((finished.data / "08_reporting/bow_svm/metrics.json").read_text())
    assert f"bow_svm: accuracy {metrics['accuracy']:.3f}" in end[0]
    assert end[1].endswith("data/test/08_reporting/report.html")
    assert end[2].endswith("make ui")


def test_every_listed_object_is_accounted_for(finished):
    tables = {file.stem: pd.read_parquet(file) for file in finished.data.glob("0[23]_*/*.parquet")}
    assert tables["objects"]["object_id"].tolist() == tables["listing"]["object_id"].tolist()
    recorded = tables["objects"].query("status == 'ok'")["object_id"].tolist()
    assert tables["pictures"]["object_id"].tolist() == recorded
    usable = set(tables["pictures"].query("status == 'ok'")["object_id"])
    assert {int(file.stem) for file in (finished.data / "02_intermediate/images").iterdir()} == usable
    assert set(tables["selection"]["object_id"]) <= usable
    kept = tables["selection"].query("decision == 'kept'")["object_id"].tolist()
    assert tables["manifest"]["object_id"].tolist() == kept


def test_predictions_are_of_the_test_split_alone(finished):
    manifest = pd.read_parquet(finished.data / "03_primary/manifest.parquet")
    predictions = pd.read_parquet(finished.data / "07_model_output/bow_svm/predictions.parquet")
    assert predictions["object_id"].tolist() == manifest.query("split == 'test'")["object_id"].tolist()


def test_two_runs_in_two_places_write_the_same_bytes(finished, project):
    result = project.run()
    assert result.returncode == 0, result.stderr
    assert project.files() == finished.files()


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_alone_writes_the_same_bytes_again(copied, stage):
    before = copied.files()
    result = copied.run("--pipelines", stage)
    assert result.returncode == 0, result.stderr
    assert copied.files() == before


@pytest.mark.parametrize("part", [("--from-nodes", "choose"), ("--tags", "evaluate"), ("--namespaces", "bow_svm")])
def test_a_part_writes_the_same_bytes_again(copied, part):
    before = copied.files()
    result = copied.run(*part)
    assert result.returncode == 0, result.stderr
    assert copied.files() == before
