"""All pipelines by name: one per stage, one per model and analysis, and ``evaluate`` for all models."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kedro.pipeline import Pipeline
from kedro.utils import find_kedro_project

from art_pipeline.features.extractor import ExtractorOptions
from art_pipeline.kedro_ext.config_loader import read_parameters
from art_pipeline.models.family import ModelFamily
from art_pipeline.pipelines.analysis.kind import Blocks
from art_pipeline.pipelines.analysis.pipeline import analysis_pipelines
from art_pipeline.pipelines.analysis.registry import ANALYSES
from art_pipeline.pipelines.augment import pipeline as augment
from art_pipeline.pipelines.download import pipeline as download
from art_pipeline.pipelines.features import pipeline as extract
from art_pipeline.pipelines.model import pipeline as model
from art_pipeline.pipelines.parameters import check_blocks
from art_pipeline.pipelines.report import pipeline as report
from art_pipeline.pipelines.scrape import pipeline as scrape
from art_pipeline.pipelines.search import pipeline as search
from art_pipeline.pipelines.subset import pipeline as subset

UNIONS = ("features", "features_augmented", "subset", "evaluate", *(kind.key for kind in ANALYSES))  # tags of nodes


def register_pipelines() -> dict[str, Pipeline]:
    """Return the pipelines for ``kedro run --pipelines NAME``; ``__default__`` is all of them.

    ``features``, ``features_augmented``, ``subset`` and ``augment`` are those of all blocks and tasks; ``evaluate``
    computes metrics and figures of all models. The key of a kind of analysis is the name of all of its analyses.
    """
    parameters = check_blocks(read_parameters(_project() / "params.yaml"))
    stages = stage_pipelines(parameters)
    whole = sum(stages.values(), Pipeline([]))
    single = [name for name, task in parameters["tasks"] if task.kind == "multiclass"]
    augmented = {f"augment_{task}": augment.create_pipeline(task) for task in single}
    unions = {tag: whole.only_nodes_with_tags(tag) for tag in UNIONS}
    augment_all = sum(augmented.values(), Pipeline([]))
    return {
        "__default__": whole,
        **stages,
        **augmented,
        **unions,
        "augment": augment_all,
        **search_pipelines(parameters),
    }


def stage_pipelines(parameters: Mapping[str, Any]) -> dict[str, Pipeline]:
    """Return the stages from source to report, in order: one for each block of features, task, model and analysis.

    Images are augmented, and features of augmented images extracted, only where a model trains on them. Without models
    there is no report.

    Args:
        parameters: Validated blocks of params.yaml, by name.
    """
    blocks = Blocks.of(parameters)
    models, tasks, features = blocks.models, blocks.tasks, blocks.features
    analyses = analysis_pipelines(parameters)
    trained = {
        name: model.create_pipeline(name, options, _upstream_tasks(name, models), tasks[options.task].kind)
        for name, options in models.items()
    }
    of_augmented = _augmented_features(trained, tasks, features)
    used = {name for one in (*trained.values(), *of_augmented.values()) for name in one.inputs()}
    augmented = [task for task in tasks if f"{task}.augmented_images" in used]
    outputs = {name: one.all_outputs() for name, one in trained.items()}
    in_report = outputs, {name: one.task for name, one in models.items()}, augmented, analyses
    return {
        "scrape": scrape.create_pipeline(),
        "download": download.create_pipeline(),
        **{f"subset_{name}": subset.create_pipeline(name, task) for name, task in tasks.items()},
        **{f"augment_{task}": augment.create_pipeline(task) for task in augmented},
        **{f"features_{name}": extract.create_pipeline(name, one, [*tasks]) for name, one in features.items()},
        **of_augmented,
        **trained,
        **analyses,
        **({"report": report.create_pipeline(*in_report)} if models else {}),
    }


def search_pipelines(parameters: Mapping[str, Any]) -> dict[str, Pipeline]:
    """Return a stage ``search_<model>`` for each search; a plain ``kedro run`` runs none of them.

    Args:
        parameters: Validated blocks of params.yaml, by name.
    """
    models = Blocks.of(parameters).models
    return {
        f"search_{name}": search.create_pipeline(name, models[name], one, bool(_upstream_tasks(name, models)))
        for name, one in dict(parameters["search"]).items()
    }


def _augmented_features(
    trained: Mapping[str, Pipeline], tasks: Iterable[str], features: Mapping[str, ExtractorOptions]
) -> dict[str, Pipeline]:
    """Return the stages of the features of augmented images that models read."""
    used = {name for one in trained.values() for name in one.inputs()}
    return {
        f"features_{name}_augmented_{task}": extract.create_augmented_pipeline(name, options, task)
        for name, options in features.items()
        for task in tasks
        if f"features.{name}.augmented.{task}" in used
    }


def _upstream_tasks(name: str, models: Mapping[str, ModelFamily]) -> list[str]:
    """Return the other tasks on which a model was trained by way of the models that it refers to."""
    others = [reference.model for reference in models[name].references()]
    found = {task for other in others for task in (models[other].task, *_upstream_tasks(other, models))}
    return sorted(found - {models[name].task})


def _project() -> Path:
    """Return the Kedro project of the working folder, or else the one that contains this file."""
    return find_kedro_project(Path.cwd()) or Path(__file__).parents[2]
