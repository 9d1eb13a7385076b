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
from art_pipeline.features.sift import SiftOptions
from art_pipeline.models.svm.bow_svm import BowSvm
from art_pipeline.models.svm.options import SvmOptions
from art_pipeline.models.svm.search import search_svm

CLASSES = ("=sum(A1)", "grün", "rot")
SAMPLE = "sample://museum/public/collection/v1"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a trained model, and four files in a folder."""
    root = Path(__file__).parents[2]
    for name in ("params.yaml", "pyproject.toml"):
        shutil.copy(root / name, tmp_path)
    shutil.copytree(root / "conf", tmp_path / "conf")
    model = tmp_path / "data" / "06_models" / "bow_svm"
    model.mkdir(parents=True)
    rng = np.random.default_rng(0)
    svm = search_svm(rng.normal(size=(18, 4)), np.arange(18) % 3, SvmOptions(folds=2)).svm
    vocabulary = rng.integers(0, 256, (4, 128)).astype(np.float32)
    BowSvm(CLASSES, 64, svm, {}, SiftOptions(), "hellinger", vocabulary).save(model)
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
        (0.0, r"Accepted: 3, with a probability of at least 0.000"),
        (1.0, r"Accepted: 0, with a probability of at least 1.000"),
        (float("nan"), "Accepted: none, because no threshold reaches an accuracy of 95% on the test images."),
        (None, "Accepted: unknown, because the model is not evaluated. Run kedro run --pipelines evaluate."),
    ],
)
def test_whether_the_model_is_sure_enough_is_counted(project, threshold, message):
    if threshold is not None:
        evaluated(project, threshold)
    assert message in run("bow_svm", "photos").output


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
    card.write_text(json.dumps(json.loads(card.read_text()) | {"sift": {"sigma": "x"}}))
    result = run("bow_svm", "photos")
    assert result.exit_code == 1
    assert "is damaged" in result.output
