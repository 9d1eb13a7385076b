"""The loop: decisions on the web page, exported, and the next run trained on corrected labels."""

import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from art_pipeline.lineage.digest import digest_file

pytestmark = pytest.mark.slow

DECISIONS = 30
FILE = "data/00_external/corrections.csv"


@pytest.fixture(scope="module")
def corrected(finished, tmp_path_factory):
    """A finished project whose works were reviewed, and whose department task was trained on the corrections."""
    project = finished.copy(tmp_path_factory.mktemp("loop") / "project")
    shutil.copytree(project.data / "08_reporting/bow_svm", project.path / "data/before/08_reporting/bow_svm")
    _keep(project.path, project.of_task / "manifest.parquet")
    project.do("kedro", "web", "import", "--env", "test")
    project.do(sys.executable, str(Path(__file__).with_name("decide.py")), str(DECISIONS))
    project.do("kedro", "web", "corrections", "--task", "department", "--output", FILE)
    file = project.path / "params.yaml"
    parameters = yaml.safe_load(file.read_text())
    parameters["tasks"]["department"]["corrections"] = FILE
    file.write_text(yaml.safe_dump(parameters, sort_keys=False))
    answer = project.run("--pipelines", "subset_department,bow_svm")
    assert answer.returncode == 0, answer.stderr
    return project, answer.stderr + answer.stdout


def _keep(project: Path, file: Path) -> None:
    """Put a file into DVC's cache."""
    digest = digest_file(file)
    kept = project / ".dvc/cache/files/md5" / digest[:2] / digest[2:]
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, kept)


def test_training_labels_are_corrected_and_test_labels_frozen(corrected, finished):
    project, _ = corrected
    before, after = (pd.read_parquet(one.of_task / "manifest.parquet") for one in (finished, project))
    given = pd.read_csv(project.path / FILE).set_index("object_id")
    assert len(given) == DECISIONS
    both = before.merge(after, on="object_id", suffixes=("_before", ""))
    assert (both["split"] == both["split_before"]).all()
    assert (after["recorded_label"] == after["object_id"].map(before.set_index("object_id")["label"])).all()
    marked = after[after["corrected_by"] != ""].set_index("object_id")
    training = marked[marked["split"] != "test"]
    assert (training["label"] == given.loc[training.index, "label"]).all()
    assert (marked["label"] == marked["recorded_label"])[marked["split"] == "test"].all()
    assert set(marked["corrected_by"]) <= set(given["reviewer"])
    assert len(training) > DECISIONS / 3


def test_the_run_tells_what_was_corrected(corrected):
    project, output = corrected
    manifest = pd.read_parquet(project.of_task / "manifest.parquet")
    number = int(((manifest["corrected_by"] != "") & (manifest["label"] != manifest["recorded_label"])).sum())
    assert f"{number} labels corrected by 2 reviewers" in output
    assert f"{number} labels corrected" in (project.data / "08_reporting/bow_svm/model_card.md").read_text()


def test_the_record_has_the_digest_of_the_file(corrected):
    project, _ = corrected
    assert digest_file(project.path / FILE) in project.ask("lineage", "show", "test/bow_svm", "--format", "json")


def test_the_result_is_verified_with_its_corrections(corrected):
    said = corrected[0].ask("lineage", "verify", "test/bow_svm", check=False)  # the project has no commit
    assert "proven  department.corrections" in said
    assert "proven  metrics" in said
    assert ", 0 broken" in said


def test_diff_names_the_corrected_labels(corrected):
    project, _ = corrected
    found = project.ask("lineage", "diff", "before/bow_svm", "test/bow_svm")
    given = pd.read_csv(project.path / FILE)
    manifest = pd.read_parquet(project.of_task / "manifest.parquet").set_index("object_id")
    for row in given.itertuples():
        changed = manifest.loc[row.object_id, "label"] != row.recorded_label
        line = f"object {row.object_id}: {row.recorded_label} → {row.label} ({row.reviewer})"
        assert (line in found) == changed


def test_the_same_decisions_give_the_same_file(corrected):
    project, _ = corrected
    again = project.path / "again.csv"
    project.do("kedro", "web", "corrections", "--task", "department", "--output", str(again))
    assert again.read_bytes() == (project.path / FILE).read_bytes()
    again.unlink()


def test_a_row_of_an_unknown_task_stops_the_run_before_it_starts(corrected, tmp_path):
    project = corrected[0].copy(tmp_path / "project")
    file = project.path / FILE
    file.write_text(file.read_text().replace(",department,", ",departments,"))
    answer = project.run("--pipelines", "subset_department")
    assert answer.returncode == 1
    assert "row 1: there is no task 'departments'" in answer.stderr
