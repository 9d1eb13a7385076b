"""What happens around a run: refusals, memory, how long models took, and the table at the end."""

import errno
import logging
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from kedro.pipeline import Pipeline, node
from kedro.runner import ParallelRunner, SequentialRunner, ThreadRunner

from art_pipeline.errors import NotEnoughMemoryError, RunnerError, StorageError, TrackingError, is_out_of_memory
from art_pipeline.hooks import summary as summary_hooks
from art_pipeline.hooks import timing
from art_pipeline.hooks.errors import ErrorHooks
from art_pipeline.hooks.mlflow import MlflowHooks
from art_pipeline.hooks.run_lock import require_sequential
from art_pipeline.hooks.summary import SummaryHooks, align
from art_pipeline.hooks.timing import ModelTimer
from art_pipeline.lineage.reproduce import ENVIRONMENT
from art_pipeline.lineage.verify_mlflow import MlflowRun

ROOT = Path(__file__).parents[2]


def test_only_the_sequential_runner_runs():
    require_sequential(str(SequentialRunner()))
    for runner in (ThreadRunner(), ParallelRunner()):
        with pytest.raises(RunnerError, match=f"Run again without --runner {type(runner).__name__}"):
            require_sequential(str(runner))
    with pytest.raises(RunnerError, match="Run again without --async"):
        require_sequential(str(SequentialRunner()), is_async=True)


def caused_by(cause):
    error = RuntimeError("while saving")
    error.__cause__ = cause
    return error


def named(name, text=""):
    """An error of a library that is not imported."""
    return type(name, (Exception,), {})(text)


OUT_OF_MEMORY = [
    MemoryError(),
    np._core._exceptions._ArrayMemoryError((1, 2), np.dtype(float)),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
    RuntimeError("can't start new thread"),
    ImportError("libthing.so: failed to map segment from shared object"),
    named("ResourceExhaustedError", "OOM when allocating tensor"),
    named("OutOfMemoryError", "CUDA out of memory"),
    named("XlaRuntimeError", "RESOURCE_EXHAUSTED: Out of memory"),
    named("error", "OpenCV(4.14) (-4:Insufficient memory) Failed to allocate 12 bytes"),
    caused_by(MemoryError()),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=lambda one: type(one).__name__)
def test_want_of_memory_is_known_whichever_library_has_it(error):
    assert is_out_of_memory(error)


@pytest.mark.parametrize("error", [ValueError("x"), OSError(errno.ENOENT, "x"), StorageError("x"), ImportError("x")])
def test_other_errors_are_none_of_memory(error):
    assert not is_out_of_memory(error)
    error.__context__ = MemoryError()
    assert not is_out_of_memory(error)


@pytest.fixture
def hooks():
    parameters = {
        "bow_svm": {"kind": "bow_svm", "vocabulary": {"words": 500, "max_descriptors": 200_000}, "colour": True},
        "alexnet": {"kind": "alexnet", "training": {"batch_size": 32}},
    }
    hooks = ErrorHooks()
    hooks.after_context_created(SimpleNamespace(config_loader={"parameters": parameters}))
    inputs = ["descriptors", "params:bow_svm"]
    hooks.before_node_run(node(lambda *_: 0, inputs, "bow_svm.vocabulary", name="cluster", namespace="bow_svm"))
    return hooks


def test_memory_that_is_not_enough_names_the_parameters_to_lower(hooks):
    with pytest.raises(NotEnoughMemoryError) as caught:
        hooks.on_pipeline_error(caused_by(MemoryError("Unable to allocate 1.2 GiB for an array\nmore")))
    assert str(caught.value).removeprefix("bow_svm (bow_svm.cluster)") == (
        " needs more memory than is available: Unable to allocate 1.2 GiB for an array. "
        "Lower bow_svm.vocabulary.max_descriptors (200000), bow_svm.vocabulary.words (500), or give it more memory."
    )


def test_other_errors_are_left_as_they_are(hooks):
    hooks.on_pipeline_error(StorageError("full"))


def nodes():
    """Nodes of two models and of none, in turn."""
    return {name: node(lambda: 0, None, f"{name}.x", name=name, namespace=name or None) for name in ("one", "two")} | {
        "": node(lambda: 0, None, "x", name="stage")
    }


def test_a_models_seconds_are_those_of_its_own_nodes(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(timing, "perf_counter", lambda: now[0])
    clock, some = ModelTimer(), nodes()
    clock.before_pipeline_run()
    for model, seconds, outputs in (("one", 2, 1), ("two", 30, 2), ("", 100, 1), ("one", 4, 1)):
        now[0] += 1000  # what passes between nodes
        clock.before_node_run()
        for _ in range(outputs):
            now[0] += seconds
            clock.after_dataset_saved(some[model])
    assert clock.seconds == {"one": 6, "two": 60}
    clock.before_pipeline_run()
    assert clock.seconds == {}


def test_a_pipeline_without_models_is_none_of_mlflows_business(monkeypatch):
    monkeypatch.setattr("art_pipeline.tracking.runs.Tracker", None)
    hooks = MlflowHooks(ModelTimer())
    stage = nodes()[""]
    hooks.before_pipeline_run(catalog=None, pipeline=Pipeline([stage]))
    hooks.before_node_run(stage)
    hooks.after_dataset_saved("x", stage)
    hooks.after_pipeline_run()
    hooks.on_pipeline_error()


def test_a_table_is_aligned():
    assert align([("model", "accuracy", "id"), ("a", "0.9", "x")], left=(0, 2)) == [
        "  model  accuracy  id",
        "  a           0.9  x",
    ]


METRICS = {"f1_macro": 0.5, "n": 80, "interval_95": {"accuracy": {"low": 0.1, "high": 0.9}}}

LABEL_METRICS = {
    "f2_samples": 0.6,
    "average_precision_macro": None,
    "n": 90,
    "interval_95": {"f2_samples": {"low": 0.5, "high": 0.7}},
}


def in_mlflow(*_, **__):
    return MlflowRun("r", {"seconds": 7.0}, {}, None, "m-123")


class Results(dict):
    """A catalog of metrics, with files."""

    def load(self, name):
        return self[name].metrics


@pytest.fixture
def summary(tmp_path, monkeypatch, caplog):
    """What a run says at its end that evaluated two models."""

    def say(report=False, tracked=True, environment="test", data="data/test", found=in_mlflow, labels=False, **stale):
        caplog.clear()
        monkeypatch.setattr(summary_hooks, "find_run", found)
        monkeypatch.setattr(summary_hooks, "stale_reason", lambda _data, model, _source: stale.get(model))
        clock = ModelTimer()
        clock.seconds["best"] = 12.34
        hooks = SummaryHooks(tracked, clock)
        parameters = yaml.safe_load((ROOT / "params.yaml").read_text())
        parameters["tasks"]["tags"] = parameters["tasks"]["department"] | {"label": "tags", "kind": "multilabel"}
        for name, task in (("best", "department"), ("better", "tags" if labels else "department")):
            parameters[name] = parameters["bow_svm"] | {"task": task}
        loader = {"globals": {"data": data}, "parameters": parameters}
        hooks.after_context_created(SimpleNamespace(project_path=tmp_path, env=environment, config_loader=loader))
        results = Results(report=SimpleNamespace(path=tmp_path / "report.html"))
        for name, accuracy in (("better", 0.5), ("best", 0.75)):
            record = tmp_path / data / "08_reporting" / name / "lineage.json"
            record.parent.mkdir(parents=True, exist_ok=True)
            record.write_text("{}")
            results[f"{name}.metrics"] = SimpleNamespace(path=tmp_path, metrics={**METRICS, "accuracy": accuracy})
        if labels:
            results["better.metrics"].metrics = LABEL_METRICS
        some = [node(lambda: 0, None, f"{name}.metrics", name=name, namespace=name) for name in ("better", "best")]
        with warnings.catch_warnings(action="ignore"):  # of names in a namespace that is not the node's
            reported = node(lambda *_: 0, ["best.metrics", "better.metrics"], "report", name="write")
        with caplog.at_level(logging.INFO, "art_pipeline"):
            hooks.after_pipeline_run(Pipeline([reported] if report else some), results)
        return caplog.messages

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_STAGE", raising=False)
    return say


def test_the_end_is_a_table_of_the_models_the_best_first_and_what_to_do_next(summary):
    table, following = summary()
    assert table.splitlines() == [
        "Models of department, by accuracy on the test images:",
        "  model   accuracy    95% interval  macro F1  images  seconds  MLflow id",
        "  best       0.750  0.100 to 0.900     0.500      80     12.3  m-123",
        "  better     0.500  0.100 to 0.900     0.500      80      7.0  m-123",
    ]
    assert [line.split("  ")[1] for line in following.splitlines()[1:]] == [
        "make ui",
        "kedro predict best FOLDER --env test",
        "kedro lineage verify test/best",
    ]


def test_each_task_has_a_table_by_its_own_metric(summary):
    department, tags, following = summary(labels=True)
    assert department.splitlines()[2:] == [
        "  best      0.750  0.100 to 0.900     0.500      80     12.3  m-123",
    ]
    assert tags.splitlines() == [
        "Models of tags, by F2 on the test images:",
        "  model      F2    95% interval  macro AP  images  seconds  MLflow id",
        "  better  0.600  0.500 to 0.700         -      90      7.0  m-123",
    ]
    assert "kedro predict best " in following


def test_without_mlflow_it_names_none(summary):
    table, following = summary(tracked=False, environment=None, data="data")
    assert "m-123" not in table and "make ui" not in following
    assert "  kedro predict best FOLDER  " in following
    assert "  kedro lineage verify best  " in following


def test_a_store_that_is_lost_at_the_end_is_said_once_and_costs_no_result(summary):
    def lost(*_, **__):
        raise TrackingError("It does not answer.")

    warning, table, _ = summary(found=lost)
    assert warning == "It does not answer."
    assert "  best " in table and table.count("m-123") == 0


def test_a_model_of_another_source_is_called_stale(summary):
    table, stale, _ = summary(better="better was trained on a, and the current source is b.")
    assert "  better " in table
    assert stale == "Stale: better was trained on a, and the current source is b."


def test_a_report_alone_shows_the_models_that_it_compares(summary):
    table, place, following = summary(report=True)
    assert "  best " in table and "7.0" in table
    assert place == "Report: report.html"
    assert "make ui" in following


def test_a_run_of_reproduce_names_no_next_command(summary):
    assert len(summary(environment=ENVIRONMENT)) == 1


def test_only_the_last_of_dvcs_stages_says_what_to_do_next(summary, monkeypatch):
    monkeypatch.setenv("DVC_STAGE", "bow_svm")
    assert len(summary()) == 1
    assert len(summary(report=True)) == 3


@pytest.mark.parametrize("order", [1, -1])
def test_hooks_run_in_their_order_however_they_are_listed(order):
    """As pluggy calls them: trylast at the end, wrappers around all."""
    from kedro.framework.hooks.manager import _create_hook_manager

    from art_pipeline.settings import HOOKS

    manager = _create_hook_manager()
    for hook in HOOKS[::order]:
        manager.register(hook)

    def called(name):
        calls = [type(one.plugin).__name__ for one in reversed(getattr(manager.hook, name).get_hookimpls())]
        return {plugin: calls.index(plugin) for plugin in calls}

    context, before, node_run = (
        called("after_context_created"),
        called("before_pipeline_run"),
        called("before_node_run"),
    )
    saved, after, failed = called("after_dataset_saved"), called("after_pipeline_run"), called("on_pipeline_error")
    assert context["ParameterHooks"] == 0
    assert max(before["ParameterHooks"], before["RunLockHooks"]) == 1
    assert before["MlflowHooks"] == max(before.values())
    assert node_run["ModelTimer"] == max(node_run.values())
    assert saved["ModelTimer"] < saved["LineageHooks"] < saved["MlflowHooks"]
    assert after["RunLockHooks"] < after["MlflowHooks"] < after["SummaryHooks"]
    assert failed["RunLockHooks"] == 0 and failed["ErrorHooks"] == max(failed.values())
