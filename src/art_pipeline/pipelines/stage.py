"""Pipelines of stages whose data sets belong to a task or to a block of features."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node


@contextmanager
def shared_names() -> Iterator[None]:
    """Do not warn of data sets of other namespaces: those of a task and of features are read by several models."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "One or more dataset names contain '.'")
        yield


def stage_pipeline(stage: str, tag: str, nodes: Sequence[Node]) -> Pipeline:
    """Return the pipeline of a stage, in a namespace of its name that does not change the names of data sets.

    Args:
        stage: Name of the stage, which is a tag too.
        tag: Tag of all stages of the kind.
        nodes: The nodes.
    """
    return Pipeline(nodes, tags=[tag, stage], namespace=stage, prefix_datasets_with_namespace=False)
