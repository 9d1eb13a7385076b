"""The parameters of benchmarks. Their figures differ between computers and are not tested."""

import importlib.util
import re
from pathlib import Path

import pytest
import yaml

from art_pipeline.pipelines.parameters import check_parameters

PROJECT = Path(__file__).parents[1]


@pytest.fixture
def script(monkeypatch):
    """A function that imports a script of the benchmarks."""
    monkeypatch.syspath_prepend(PROJECT / "benchmarks")

    def load(name):
        spec = importlib.util.spec_from_file_location(f"benchmark_{name}", PROJECT / "benchmarks" / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def parameters():
    return yaml.safe_load((PROJECT / "params.yaml").read_text(encoding="utf-8"))


def test_every_draw_has_the_seed_also_where_a_block_leaves_it_out(script, parameters):
    models = ["bow_svm", "bow_svm_dense", "mobilenet_v2"]
    blocks = script("results").with_models(parameters, script("results").QUICK)
    seeded = script("accuracy").with_seed(blocks, models, 7)
    assert "seed" not in blocks["mobilenet_v2"]["training"]
    assert seeded["mobilenet_v2"]["training"]["seed"] == 7
    assert seeded["mobilenet_v2"]["training"]["class_weight"] == "square_root"
    assert (seeded["bow_svm_dense"]["seed"], seeded["bow_svm_dense"]["svm"]["seed"]) == (7, 7)
    assert seeded["bow_svm"]["vocabulary"]["seed"] == 7
    assert all(seeded[name] == block for name, block in blocks.items() if name not in models)


@pytest.mark.parametrize("name", ["museum", "paintings"])
def test_parameters_of_measured_projects_are_valid(name):
    file = PROJECT / "benchmarks" / "params" / f"{name}.yml"
    check_parameters(yaml.safe_load(file.read_text(encoding="utf-8")))


def test_networks_join_the_project_where_accuracy_is_measured(script, parameters, tmp_path):
    results = script("results")
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(parameters), encoding="utf-8")
    plain = dict(results.commands(tmp_path, imagenet=False))
    assert [*plain] == [*results.BENCHMARKS, *results.ACCURACY]
    assert yaml.safe_load((tmp_path / "params.yaml").read_text()) == parameters
    commands = results.commands(tmp_path, imagenet=True)
    for _ in results.BENCHMARKS:
        next(commands)
    assert yaml.safe_load((tmp_path / "params.yaml").read_text()) == parameters
    further = dict(commands)
    written = yaml.safe_load((tmp_path / "params.yaml").read_text())
    assert [*further] == [*results.ACCURACY, results.OF_TUNING]
    for command in further.values():
        models = [word for word in command.split()[1:] if word in written]
        assert models and all("kind" in written[model] for model in models)


def test_the_page_on_networks_shows_the_blocks_that_are_measured(script, parameters):
    """But for the two that the page tells how to change: which splits they learn from, and so how they stop."""
    results = script("results")
    page = (PROJECT / "docs" / "networks.md").read_text(encoding="utf-8")
    fences = [block for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "kind" in block or "<<" in block]
    page_blocks = yaml.safe_load("\n".join(fences))
    features = page_blocks.pop("features")
    assert features == results.FEATURES
    shown = check_parameters(results.with_models(parameters, page_blocks, features))
    measured = check_parameters(results.with_models(parameters, results.QUICK | results.TUNING))
    for name in ("mobilenet_v2", "mobilenet_v2_svm", "mobilenet_v2_head", "together"):
        assert shown[name] == measured[name]
    everything = {"train_on": ("train", "validation")}
    training = shown["mobilenet_v2_tuned"].training.model_copy(update={"patience": 5, "calibrate": False})
    changed = shown["mobilenet_v2_tuned"].model_copy(update=everything | {"training": training})
    assert changed == measured["mobilenet_v2_tuned"]


def test_each_model_of_the_studies_has_a_small_block(script, parameters):
    studies = script("studies")
    page = studies.blocks_of_page((PROJECT / "docs" / "studies.md").read_text(encoding="utf-8"))
    small, sections = studies.parameters_of(page, parameters)
    assert len(sections) > 40
    blocks = check_parameters(small)
    for name in sections:
        assert blocks[name].kind == page[sections[name]][name]["kind"]
        assert getattr(blocks[name], "weights", "random") == "random"
