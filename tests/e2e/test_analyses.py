"""The records of analyses, their runs in MLflow, and a further kind of analysis."""

import re
from dataclasses import replace
from pathlib import Path

import mlflow
import pytest
import yaml

ROOT = Path(__file__).parents[2]
BLOCKS = {
    "similar": {"works": {"features": ["colour_moments"], "labels": ["department"], "examples": 1}},
    "discovery": {"looks": {"features": ["colour_moments"], "clusters": 2, "bootstrap": 0, "map": None}},
    "audit": {"department": {"task": "department", "features": ["colour_moments"], "repeats": 1, "shown": 1}},
}
STAGES = "features_colour_moments,similar_works,discovery_looks,audit_department"
# A table of each analysis.
TABLES = {"similar_works": "precision.csv", "discovery_looks": "clusters.csv", "audit_department": "classes.csv"}


@pytest.fixture
def analysed(copied):
    """A finished project to which analyses have been added."""
    project = replace(copied, tracked=True)
    file = project.path / "params.yaml"
    parameters = yaml.safe_load(file.read_text())
    parameters["features"]["colour_moments"] = {"extractor": "colour_moments", "images": "all"}
    parameters |= BLOCKS
    file.write_text(yaml.safe_dump(parameters, sort_keys=False))
    result = project.run("--pipelines", STAGES)
    assert result.returncode == 0, result.stdout + result.stderr
    return project


def test_analyses_are_verified_and_have_runs(analysed):
    client = mlflow.MlflowClient(analysed.store)
    found = client.search_runs([client.get_experiment_by_name("art_pipeline-test/analyses").experiment_id])
    assert {(one.info.run_name, one.info.status) for one in found} == {(name, "FINISHED") for name in TABLES}
    for name, file in TABLES.items():
        said = analysed.ask("lineage", "verify", f"test/{name}", check=False)  # the project has no commit
        assert f"proven  {name}.analysis" in said
        assert "proven  features.colour_moments" in said
        assert "proven  MLflow: metrics" in said
        assert ", 0 broken" in said
        assert f"└ {name}.{name.split('_')[0]}" in analysed.ask("lineage", "show", f"test/{name}")
        table = analysed.data / "08_reporting" / name / "analysis" / file
        content = table.read_bytes()
        table.write_bytes(content[:-2] + (b"1\n" if content[-2:] != b"1\n" else b"2\n"))
        assert f"broken  {name}.analysis" in analysed.ask("lineage", "verify", f"test/{name}", check=False)


def test_a_kind_of_analysis_is_one_file_and_one_line(copied):
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Add an analysis")[2]
    place = copied.path / "src/art_pipeline/pipelines"
    (place / re.search(r"`pipelines/(analysis/\w+\.py)`", text)[1]).write_text(
        re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    )
    registry = place / "analysis/registry.py"
    lines = registry.read_text().replace(
        "\nfrom", "\nfrom art_pipeline.pipelines.analysis.brightness import BRIGHTNESS\nfrom", 1
    )
    registry.write_text(lines.replace("GENERATE)\n", "GENERATE, BRIGHTNESS)\n"))
    file = copied.path / "params.yaml"
    file.write_text(file.read_text() + re.search(r"`(brightness: {.*?)`", text)[1])
    result = copied.run("--pipelines", "brightness_of_departments,report")
    assert result.returncode == 0, result.stdout + result.stderr
    page = (copied.data / "08_reporting/report.html").read_text()
    assert "Brightness of department" in page
    assert "Mean grey level" in page
