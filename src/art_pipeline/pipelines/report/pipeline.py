"""Pipeline of the ``report`` stage."""

from collections.abc import Collection, Iterable, Mapping

from kedro.pipeline import Pipeline, node
from kedro.pipeline.node import Node

from art_pipeline.pipelines.code import ANALYSIS
from art_pipeline.pipelines.report import nodes
from art_pipeline.pipelines.stage import shared_names

COLLECTION = ("objects", "image_table", "parameters")
OF_TASK = ("selection", "manifest", "class_distribution_figure", "comparison_figure", "significance")
AUGMENTATION = ("augmentation_figure", "augmentation_examples_figure")
TABLES = ("metrics", "per_class", "selective", "confusion_matrix", "model")


def create_pipeline(
    models: Mapping[str, Iterable[str]], tasks: Mapping[str, str], augmented: Collection[str], analyses: Iterable[str]
) -> Pipeline:
    """Create the nodes from results to the report, which has a part for each task with models, and each analysis.

    Args:
        models: Names of the data sets that each model outputs, by its name.
        tasks: The task of each model.
        augmented: Tasks with augmented images.
        analyses: The stages of analyses.
    """
    by_task: dict[str, list[str]] = {}
    for name in models:
        by_task.setdefault(tasks[name], []).append(name)
    results = [result for outputs in models.values() for result in _results(outputs)]
    for task in by_task:
        results += [f"{task}.{name}" for name in (*OF_TASK, *(AUGMENTATION if task in augmented else ()))]
    results += [f"{stage}.{ANALYSIS}" for stage in analyses]
    manifests = {_argument(name): name for name in (f"{task}.manifest" for task in by_task)}
    inputs = {name: name for name in COLLECTION} | {_argument(result): result for result in results}
    with shared_names():
        return Pipeline(
            [
                *(one for task, names in by_task.items() for one in _task_nodes(task, names)),
                node(nodes.credit_images, {"objects": "objects", **manifests}, "credits", name="credit_images"),
                node(nodes.write_report, inputs, "report", name="write_report"),
            ],
            tags="report",
        )


def _task_nodes(task: str, models: Iterable[str]) -> list[Node]:
    """Return the nodes that plot and compare the results of a task's models."""
    metrics = {name: f"{name}.metrics" for name in models}
    predictions = {name: f"{name}.predictions" for name in models}
    return [
        node(
            nodes.plot_distribution,
            [f"{task}.manifest", f"params:tasks.{task}"],
            f"{task}.class_distribution_figure",
            name=f"plot_distribution_{task}",
        ),
        node(nodes.plot_comparison, metrics, f"{task}.comparison_figure", name=f"plot_comparison_{task}"),
        node(nodes.compare_models, predictions, f"{task}.significance", name=f"compare_models_{task}"),
    ]


def _results(outputs: Iterable[str]) -> list[str]:
    """Return the tables, the folder and all figures of a model."""
    return [name for name in sorted(outputs) if name.endswith("_figure") or name.partition(".")[2] in TABLES]


def _argument(result: str) -> str:
    return result.replace(".", "__")
