"""The record of an analysis, and its run in MLflow."""

from dataclasses import replace

import mlflow
import pytest
import yaml

STAGES = "features_colour_moments,similar_works"


@pytest.fixture
def analysed(copied):
    """A finished project to which similar works have been added."""
    project = replace(copied, tracked=True)
    file = project.path / "params.yaml"
    parameters = yaml.safe_load(file.read_text())
    parameters["features"]["colour_moments"] = {"extractor": "colour_moments", "images": "all"}
    parameters["similar"] = {"works": {"features": ["colour_moments"], "labels": ["department"], "examples": 1}}
    file.write_text(yaml.safe_dump(parameters, sort_keys=False))
    result = project.run("--pipelines", STAGES)
    assert result.returncode == 0, result.stdout + result.stderr
    return project


def test_an_analysis_is_verified_and_has_a_run(analysed):
    said = analysed.ask("lineage", "verify", "test/similar_works", check=False)  # the project has no commit
    assert "proven  similar_works.analysis" in said
    assert "proven  features.colour_moments" in said
    assert "proven  MLflow: metrics" in said
    assert ", 0 broken" in said
    client = mlflow.MlflowClient(analysed.store)
    (run,) = client.search_runs([client.get_experiment_by_name("art_pipeline-test/analyses").experiment_id])
    assert (run.info.run_name, run.info.status) == ("similar_works", "FINISHED")
    assert "└ similar_works.similar" in analysed.ask("lineage", "show", "test/similar_works")
    table = analysed.data / "08_reporting/similar_works/analysis/precision.csv"
    content = table.read_bytes()
    table.write_bytes(content.replace(b"0", b"1", 1))
    assert "broken  similar_works.analysis" in analysed.ask("lineage", "verify", "test/similar_works", check=False)
