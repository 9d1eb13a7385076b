"""Pipeline of a model: train, predict, evaluate, in a namespace of the model's name."""

from collections.abc import Mapping, Sequence

from kedro.pipeline import Pipeline, node
from kedro.pipeline.node import Node

from art_pipeline.evaluation.kinds import Kind
from art_pipeline.models.decided import decided_steps
from art_pipeline.models.family import ModelFamily, Step
from art_pipeline.pipelines.evaluate import pipeline as evaluate
from art_pipeline.pipelines.model.nodes import exclude_leaks
from art_pipeline.pipelines.stage import shared_names

# Data sets that exist for each task.
OF_TASK = {"manifest", "near_duplicates", "selection", "augmentation", "augmented_images"}


def create_pipeline(
    name: str, options: ModelFamily, learnt_from: Sequence[str] = (), kind: Kind = "multiclass"
) -> Pipeline:
    """Return the pipeline of one model: training, prediction and evaluation.

    Args:
        name: Name of the model's block in params.yaml, of its namespace, and of its folders.
        options: The block. Only what decides on the steps is used here; a run loads the rest.
        learnt_from: Other tasks on whose training images a model was trained that this one starts from. Images that
            would leak from there are removed from the model's own ``manifest``.
        kind: Kind of the model's task.
    """
    own_parameters = {"params:options": f"params:{name}", "params:task": f"params:tasks.{options.task}"}
    with shared_names():
        leaks = [_exclude_leaks(options.task, learnt_from)] if learnt_from else []
        own = Pipeline([*leaks, *map(_create_node, decided_steps(options)), *evaluate.create_pipeline(kind).nodes])
        read = {one: dataset_name(one, options.task) for one in own.inputs() if not one.startswith("params:")}
        parameters = {one: one for one in own.inputs() if one.startswith("params:")}
        return Pipeline(
            own,
            tags=name,
            namespace=name,
            inputs=read,
            parameters=parameters | {one: own_parameters[one] for one in own_parameters.keys() & parameters.keys()},
            prefix_datasets_with_namespace=True,
        )


def _exclude_leaks(task: str, others: Sequence[str]) -> Node:
    """Return the node that makes the manifest of a model from that of its task."""
    manifests = [f"{one}.manifest" for one in (task, *others)]
    return node(
        exclude_leaks, ["image_hashes", "params:task", *manifests], "manifest", name="exclude_leaks", tags="train"
    )


def dataset_name(dataset: str, task: str) -> str:
    """Return the name of a data set in the catalog; a task's own data sets are prefixed by its name."""
    return f"{task}.{dataset}" if dataset in OF_TASK else dataset


def _create_node(step: Step) -> Node:
    inputs = dict(step.inputs) if isinstance(step.inputs, Mapping) else list(step.inputs)
    outputs = step.outputs if isinstance(step.outputs, str) else list(step.outputs)
    return node(step.function, inputs, outputs, name=step.name, tags=step.tag)
