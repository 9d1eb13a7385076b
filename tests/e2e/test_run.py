"""The whole pipeline, from the museum to the report."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
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
    title, head, row, report, following, *commands = (finished.path / "log.txt").read_text().splitlines()[-8:]
    metrics = json.loads((finished.data / "08_reporting/bow_svm/metrics.json").read_text())
    interval = metrics["interval_95"]["accuracy"]
    assert title.endswith("Models of department, by accuracy on the test images:")
    assert head.split("  ")[1].strip() == "model"
    assert row.startswith(
        f"  bow_svm     {metrics['accuracy']:.3f}  {interval['low']:.3f} to {interval['high']:.3f}     "
        f"{metrics['f1_macro']:.3f}      {metrics['n']}"
    )
    assert re.search(r" \d+\.\d  m-[0-9a-f]{32}$", row)
    assert report.endswith("Report: data/test/08_reporting/report.html")
    assert following.endswith("Next:")
    assert [command.split("  ")[1] for command in commands] == [
        "make ui",
        "kedro predict bow_svm FOLDER --env test",
        "kedro lineage verify test/bow_svm",
    ]


def test_every_listed_object_is_accounted_for(finished):
    files = [*finished.data.glob("02_*/*.parquet"), *finished.of_task.glob("*.parquet")]
    tables = {file.stem: pd.read_parquet(file) for file in files}
    assert tables["objects"]["object_id"].tolist() == tables["listing"]["object_id"].tolist()
    recorded = tables["objects"].query("status == 'ok'")["object_id"].tolist()
    assert tables["image_table"]["object_id"].tolist() == recorded
    usable = set(tables["image_table"].query("status == 'ok'")["object_id"])
    assert {int(file.stem) for file in (finished.data / "02_intermediate/images").iterdir()} == usable
    assert set(tables["selection"]["object_id"]) <= usable
    kept = tables["selection"].query("decision == 'kept'")["object_id"].tolist()
    assert tables["manifest"]["object_id"].tolist() == kept


def test_every_image_of_the_task_is_predicted(finished):
    manifest = pd.read_parquet(finished.of_task / "manifest.parquet")
    predictions = pd.read_parquet(finished.data / "07_model_output/bow_svm/predictions.parquet")
    columns = ["object_id", "label", "split"]
    assert predictions[columns].equals(manifest[columns])
    assert set(predictions.query("split == 'test'")["origin"]) == {"held_out"}
    assert set(predictions.query("split != 'test'")["origin"]) == {"out_of_fold"}


def test_a_folder_of_images_is_predicted_as_documented(copied):
    page = (ROOT / "docs" / "predictions.md").read_text()
    (command,) = re.findall(r"^kedro (predict .* --output photos\.csv)", page, flags=re.MULTILINE)
    predictions = pd.read_parquet(copied.data / "07_model_output/bow_svm/predictions.parquet")
    predictions = predictions.query("split == 'test'").head(3)
    (copied.path / "photos").mkdir()
    for one in predictions["object_id"]:
        shutil.copy(copied.data / f"02_intermediate/images/{one}.jpg", copied.path / "photos")
    (copied.path / "photos" / "notes.txt").write_text("notes")
    said = copied.do("kedro", *command.replace("bow_svm_dense", "bow_svm").split(), "--env", "test")
    assert "bow_svm: 3 of 4 files predicted; without a prediction: not_an_image 1." in said
    table = pd.read_csv(copied.path / "photos.csv")
    named = re.findall(r"^\| (`.*?) \| ", page.partition("## Images without a label")[2], flags=re.MULTILINE)
    assert [one for cell in named for one in re.findall(r"`(.*?)`", cell)] == [*table.columns[:5], "p:<class>"]
    table = table.set_index(table["file"].str.partition(".")[0]).loc[predictions["object_id"].astype(str)]
    classes = [name for name in predictions.columns if name.startswith("p:")]
    assert table[classes].to_numpy(float) == pytest.approx(predictions[classes].to_numpy(), abs=1e-6)
    threshold = pd.read_csv(copied.data / "08_reporting/bow_svm/selective.csv")["threshold"][0]
    assert table["accepted"].astype(str).tolist() == [str(one) for one in table["probability"] >= threshold]


def test_a_model_can_be_run_up_to_its_predictions(project):
    result = project.run("--to-outputs", "bow_svm.predictions")
    assert result.returncode == 0, result.stderr
    assert "bow_svm has no record of lineage yet" in result.stdout + result.stderr
    assert not (project.data / "08_reporting/bow_svm/lineage.json").exists()


@pytest.mark.parametrize(
    ("part", "file"),
    [
        (("--from-nodes", "subset_department.select_images"), "03_primary/department/selection.parquet"),
        (("--tags", "evaluate"), "08_reporting/bow_svm/per_class.csv"),
        (("--only-missing-outputs",), "07_model_output/bow_svm/predictions.parquet"),
    ],
)
def test_a_part_writes_the_same_bytes_again(copied, part, file):
    before = copied.files()
    (copied.data / file).unlink()
    result = copied.run(*part, ART_PIPELINE_TRACKING="on")
    assert result.returncode == 0, result.stderr
    assert copied.files() == before
    assert "FAILED" not in copied.statuses()


def test_the_report_says_where_the_predictions_are(finished):
    report = finished.data / "08_reporting/report.html"
    (named,) = set(re.findall(r"[./\w]+/predictions\.parquet", report.read_text()))
    assert (report.parent / named).exists()


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ("subset", "do not exist yet. Run these stages first: kedro run --pipelines scrape,download."),
        ("report", "No model has results yet. Train one, for example: kedro run --pipelines bow_svm,report."),
    ],
)
def test_a_stage_before_whose_inputs_exist_says_so(project, stage, message):
    result = project.run_here("--pipelines", stage)
    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_results_of_another_source_are_marked_in_the_report(copied):
    other = "sample://other/public/collection/v1"
    result = copied.run("--pipelines", "report", "--params", f"sources.0.base_url={other}")
    assert result.returncode == 0, result.stderr
    report = (copied.data / "08_reporting/report.html").read_text()
    assert (
        f"Out of date: bow_svm was trained on sample://museum/public/collection/v1, and the current source is {other}."
        in report
    )
