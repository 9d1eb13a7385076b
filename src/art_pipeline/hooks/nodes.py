"""What the hooks ask of nodes and data sets."""

from pathlib import Path
from typing import Any

from kedro.io import DataCatalog
from kedro.pipeline.node import Node

from art_pipeline.pipelines.code import is_analysis, is_of_model

STAGES = {"scrape", "download", "report"}  # those without a namespace


def stage_of(node: Node) -> str:
    """Return the stage of a node: its namespace, such as a model, or the pipeline that tagged it."""
    return str(node.namespace or min(node.tags & STAGES, default=""))


def model_of(node: Node) -> str | None:
    """Return the model of a node; None where it belongs to none."""
    return node.namespace if is_of_model(node) else None


def result_of(node: Node) -> str | None:
    """Return the model or analysis of a node, which has a record of lineage; None where it belongs to none."""
    return node.namespace if is_of_model(node) or is_analysis(node) else None


def absolute_path(catalog: DataCatalog, name: str) -> Path:
    """Return the path of a data set that is stored in a file or folder."""
    dataset: Any = catalog[name]
    return Path(dataset.path)


def dataset_path(catalog: DataCatalog, name: str, project: Path) -> Path | None:
    """Return the path of a data set relative to the project; None where it is in memory or outside the project."""
    path = getattr(catalog.get(name), "path", None)
    absolute = project / path if path else None
    return absolute.relative_to(project) if absolute and absolute.is_relative_to(project) else None
