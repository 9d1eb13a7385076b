"""``kedro predict``."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image

from art_pipeline.cli import cli
from art_pipeline.cli import predict as predict_cli
from art_pipeline.cli.acceptance import describe_acceptance
from art_pipeline.common.spreadsheet import escape_formulas
from art_pipeline.evaluation.acceptance import Thresholds, accepted

CLASSES = ("=sum(A1)", "grün", "rot")
SAMPLE = "sample://museum/public/collection/v1"


@pytest.fixture
def project(tmp_path, monkeypatch, save_svm):
    """A project with a trained model, and four files in a folder."""
    root = Path(__file__).parents[2]
    for name in ("params.yaml", "pyproject.toml"):
        shutil.copy(root / name, tmp_path)
    shutil.copytree(root / "conf", tmp_path / "conf")
    models, rng = tmp_path / "data" / "06_models", np.random.default_rng(0)
    save_svm(models / "bow_svm", list(CLASSES) * 6)
    save_svm(models / "labels", ["grün", "grün|rot", "rot", ""] * 4, "multilabel")
    images = tmp_path / "photos"
    images.mkdir()
    for name in ("-1.png", "b.png", "c.png"):
        Image.fromarray(rng.integers(0, 256, (50, 60, 3), np.uint8)).save(images / name)
    (images / "notes.txt").write_text("notes")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(cli, ["predict", *map(str, arguments)])


def evaluated(project, threshold):
    folder = project / "data" / "08_reporting" / "bow_svm"
    folder.mkdir(parents=True, exist_ok=True)
    table = {
        "class": ["all"],
        "predicted": [9],
        "accepted": [5],
        "coverage": [0.5],
        "accuracy": [1.0],
        "threshold": [threshold],
    }
    pd.DataFrame(table).to_csv(folder / "selective.csv", index=False)


def test_the_first_rows_and_the_counts_are_printed(project, monkeypatch):
    monkeypatch.setattr(predict_cli, "SHOWN", 2)
    result = run("bow_svm", "photos")
    assert result.exit_code == 0, result.output
    assert "-1.png" in result.output
    assert "… and 2 more" in result.output
    assert "bow_svm: 3 of 4 files predicted; without a prediction: not_an_image 1." in result.output
    assert "--output FILE.csv" in result.output
    assert not list(project.glob("*.csv"))


@pytest.mark.usefixtures("project")
def test_the_labels_of_a_multilabel_model_are_printed_and_written():
    result = run("labels", "photos", "--output", "new.parquet")
    assert result.exit_code == 0, result.output
    table = pd.read_parquet("new.parquet")
    assert [name for name in table if name != "accepted"] == ["file", "status", "label", "p:grün", "p:rot"]
    assert set("|".join(table["label"].dropna()).split("|")) <= {"", "grün", "rot"}
    assert "labels: 3 of 4 files predicted" in result.output
    shown = run("labels", "photos")
    assert all(name in shown.output.splitlines()[0] for name in ("file", "status", "label"))


@pytest.mark.parametrize("ending", ["csv", "parquet", "CSV"])
def test_the_whole_table_is_written(project, ending):
    evaluated(project, 0.0)
    result = run("bow_svm", "photos", "--output", f"new.{ending}")
    assert result.exit_code == 0, result.output
    table = pd.read_parquet("new.parquet") if ending == "parquet" else pd.read_csv(f"new.{ending}")
    columns = ["file", "status", "label", "probability", "accepted"]
    assert list(table.columns) == [*columns, *(f"p:{name}" for name in CLASSES)]
    assert table["status"].tolist() == ["ok", "ok", "ok", "not_an_image"]
    assert table["accepted"].tolist()[:3] == [True] * 3
    assert table["accepted"].isna().tolist() == [False, False, False, True]
    np.testing.assert_allclose(table[[f"p:{name}" for name in CLASSES]][:3].sum(axis=1), 1, atol=1e-5)


@pytest.mark.usefixtures("project")
def test_no_cell_for_people_is_a_formula():
    run("bow_svm", "photos", "--output", "new.csv")
    table = pd.read_csv("new.csv")
    assert table["file"][0] == "'-1.png"
    assert not table["label"].dropna().str.startswith("=").any()


@pytest.mark.parametrize(
    ("threshold", "message"),
    [
        (0.0, "Accepted: 3, with a probability of at least 0.000, which gave an accuracy of 95% on images that the"),
        (1.0, "Accepted: 0, with a probability of at least 1.000"),
        (float("nan"), "Accepted: none, because no threshold reaches an accuracy of 95% on images that the"),
        (None, "Accepted: unknown, because the model is not evaluated. Run kedro run --pipelines evaluate."),
    ],
)
def test_whether_the_model_is_sure_enough_is_counted(project, threshold, message):
    if threshold is not None:
        evaluated(project, threshold)
    assert message in run("bow_svm", "photos").output


def selective(project, rows):
    """A ``selective.csv`` of these thresholds, by class."""
    file = project / "selective.csv"
    table = pd.DataFrame({"class": rows.keys(), "threshold": rows.values(), "chosen_on": 9})
    escape_formulas(table).to_csv(file, index=False)
    return Thresholds.read(file)


def test_a_class_is_accepted_from_its_own_threshold(tmp_path):
    thresholds = selective(tmp_path, {"all": 0.5, "=a": 0.9, "1850": None})
    table = pd.DataFrame({"label": ["=a", "=a", "1850", "new", None], "probability": [0.95, 0.8, 1.0, 0.6, np.nan]})
    for name in ("=a", "1850", "new"):
        table[f"p:{name}"] = table["probability"]
    table["accepted"] = accepted(table, thresholds)
    assert table["accepted"].tolist() == [True, False, False, True, pd.NA]
    [line] = describe_acceptance(table, thresholds, 0.95)
    assert line.startswith("Accepted: 2, with a probability of at least its class's threshold")


def test_each_label_is_accepted_from_its_own_threshold(tmp_path):
    thresholds = selective(tmp_path, {"all": 0.5, "gold": 0.9, "silk": 0.2})
    table = pd.DataFrame({"label": ["gold|silk", "gold", "", None], "p:gold": [0.8, 0.9, 0.1, np.nan], "p:silk": 0.3})
    table["accepted"] = accepted(table, thresholds)
    assert table["accepted"].tolist()[:3] == ["silk", "gold", ""]
    assert table["accepted"].isna().tolist() == [False, False, False, True]
    [line] = describe_acceptance(table, thresholds, 0.9)
    assert line.startswith("Accepted: 2 of 3 labels, each by a threshold that gave an accuracy of 90%")


def test_a_model_without_images_to_choose_on_accepts_nothing():
    table = pd.DataFrame({"label": ["a"], "probability": [1.0], "p:a": [1.0]})
    thresholds = Thresholds(np.nan, {"a": np.nan}, 0)
    assert accepted(table, thresholds).tolist() == [False]
    [line] = describe_acceptance(table, thresholds, 0.95)
    assert line.startswith("Accepted: none, because the model was trained on all images")


@pytest.mark.usefixtures("project")
def test_a_model_of_another_source_gives_a_warning(monkeypatch):
    from art_pipeline.lineage import model_source

    monkeypatch.setattr(model_source, "source_of_model", lambda *_: "https://museum.example/v1")
    result = run("bow_svm", "photos")
    assert result.exit_code == 0
    assert f"bow_svm was trained on https://museum.example/v1, and the current source is {SAMPLE}." in result.output


@pytest.mark.usefixtures("project")
def test_the_table_is_no_row_of_the_next_one():
    for _ in range(2):
        assert "3 of 4 files" in run("bow_svm", "photos", "--output", "photos/new.csv").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("bow_swm", "photos"), "There is no trained model 'bow_swm' in data/06_models. Did you mean 'bow_svm'?"),
        (
            ("bow_svm", "photos", "--env", "met"),
            "There is no trained model in data/met/06_models.",
        ),
        (("bow_svm", "photos", "--env", "mett"), "there is no conf/mett"),
        (("bow_svm", "nowhere"), "nowhere does not exist. Give a folder of image files."),
        (("bow_svm", "photos/b.png"), "photos/b.png is a file. Give a folder of image files."),
        (("bow_svm", "empty"), "There are no files in empty"),
        (("bow_svm", "photos", "--output", "new.xlsx"), "give a file name that ends in .csv or .parquet"),
        (("bow_svm", "photos", "--output", "nowhere/new.csv"), "give a file name in an existing folder"),
        ((".", "photos"), "There is no trained model '.'"),
        (("../06_models/bow_svm", "photos"), "There is no trained model"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_written(project, arguments, message):
    (project / "empty").mkdir()
    result = run(*arguments)
    assert result.exit_code == 1
    assert message in result.output
    assert "Traceback" not in result.output
    assert not list(project.glob("*.csv"))


def test_a_damaged_model_is_named(project):
    card = project / "data" / "06_models" / "bow_svm" / "model.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"options": {"weighting": "x"}}))
    result = run("bow_svm", "photos")
    assert result.exit_code == 1
    assert "is damaged" in result.output
