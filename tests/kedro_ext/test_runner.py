"""Working with some of the models."""

from pathlib import Path

import pytest
import yaml
from kedro.io import DataCatalog, MemoryDataset

from art_pipeline.errors import EvaluationError, StorageError
from art_pipeline.hooks.nodes import model_of
from art_pipeline.kedro_ext.datasets import FolderDataset
from art_pipeline.kedro_ext.runner import SequentialRunner, require_inputs, with_results
from art_pipeline.pipeline_registry import stage_pipelines
from art_pipeline.pipelines.parameters import check_blocks

PARAMETERS = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text(encoding="utf-8"))
OPTIONS = {"one": PARAMETERS["bow_svm"], "two": PARAMETERS["bow_svm_dense"], "net": PARAMETERS["alexnet"]}
ANALYSES = {"maps": {"looks": {"model": "net"}}, "audit": {}, "similar": {}, "discovery": {}}
WHOLE = {name: block for name, block in PARAMETERS.items() if "kind" not in block} | OPTIONS | ANALYSES


@pytest.fixture
def stages():
    return stage_pipelines(check_blocks(WHOLE))


def catalog_with(stages, models, without=()):
    """A catalog in which everything of these models is but some, and of the others nothing."""
    made = {name for model in models for name in stages[model].all_outputs()}
    shared = {name for stage in ("scrape", "download", "subset_department") for name in stages[stage].all_outputs()}
    there = {name: MemoryDataset("there") for name in (made | shared) - set(without)}
    return DataCatalog(there | {"parameters": MemoryDataset(WHOLE)})


def models_of(pipeline):
    return {model for node in pipeline.nodes if (model := model_of(node))}


def read_by_report(pipeline):
    (node,) = [node for node in pipeline.nodes if node.name == "write_report"]
    return {name.partition(".")[0] for name in node.inputs if "." in name} - {"department"}


def evaluation(stages):
    return sum(stages.values()).only_nodes_with_tags("evaluate")


def test_only_trained_models_are_evaluated_and_the_others_are_named(stages, caplog):
    left = with_results(evaluation(stages), catalog_with(stages, ["one"]))
    assert models_of(left) == {"one"}
    assert caplog.messages == ["Not evaluated, because there are no predictions: net, two."]


def test_the_report_is_of_the_models_that_have_results_and_the_others_are_named(stages, caplog):
    left = with_results(stages["report"], catalog_with(stages, ["one", "net"]))
    assert read_by_report(left) == {"one", "net"}
    assert {node.name for node in left.nodes} == {node.name for node in stages["report"].nodes}
    assert caplog.messages == ["Not in the report, because there are no results: maps_looks, two."]


def test_a_model_of_which_a_part_is_missing_is_not_in_the_report(stages):
    catalog = catalog_with(stages, ["one", "two"], without=["two.selective"])
    assert read_by_report(with_results(stages["report"], catalog)) == {"one"}


def test_models_that_the_same_run_trains_count(stages):
    run = sum(stages[name] for name in ("subset_department", "features_sift", "one", "report"))
    left = with_results(run, catalog_with(stages, []))
    assert models_of(left) == read_by_report(left) == {"one"}


@pytest.mark.parametrize("pipeline", ["whole", "subset_department", "one"])
def test_a_run_of_all_that_it_needs_stays_as_it_is(stages, pipeline):
    asked = sum(stages.values()) if pipeline == "whole" else stages[pipeline]
    assert with_results(asked, catalog_with(stages, [])).nodes == asked.nodes


def test_a_part_of_the_report_stays_a_part(stages):
    part = stages["report"].only_nodes("plot_comparison_department")
    left = with_results(part, catalog_with(stages, ["two"]))
    assert [(node.name, node.inputs) for node in left.nodes] == [("plot_comparison_department", ["two.metrics"])]


def test_a_report_of_nothing_names_the_remedy(stages):
    with pytest.raises(
        EvaluationError, match=r"No model has results yet\. Train one, for example: kedro run --pipelines"
    ):
        with_results(stages["report"], catalog_with(stages, []))


def test_it_is_kedros_runner_by_its_name():
    assert "SequentialRunner" in str(SequentialRunner())


def test_stages_that_must_run_first_are_named(stages, tmp_path):
    there = {name: MemoryDataset("there") for name in stages["one"].inputs()}
    require_inputs(stages["one"], DataCatalog(there), stages)
    missing = FolderDataset(str(tmp_path / "sift"))
    with pytest.raises(StorageError, match=r"^features\.sift does not exist yet\. .* --pipelines features_sift\. All"):
        require_inputs(
            stages["one"],
            DataCatalog(
                there | {"features.sift": missing} | {"image_table": MemoryDataset(1)} | {"images": MemoryDataset(1)}
            ),
            stages,
        )
    require_inputs(stages["one"] + stages["features_sift"], DataCatalog(there | {"features.sift": missing}), stages)
