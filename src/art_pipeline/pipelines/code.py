"""Which files of the project decide on what nodes write."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from kedro.pipeline.node import Node

from art_pipeline.common.options import Options
from art_pipeline.lineage.code_files import PACKAGE, code_files

DATASETS = "art_pipeline.kedro_ext.datasets"  # how data is written is code too


def files_behind(nodes: Iterable[Node], parameters: Mapping[str, Options]) -> list[Path]:
    """The files that nodes are in and import from this package, however far, and those of their parameters' classes.

    Args:
        nodes: Some nodes.
        parameters: The options of each block of params.yaml.

    Returns:
        Absolute paths, sorted. Functions of other packages have none: those are pinned in the lock.
    """
    nodes = list(nodes)
    functions = {node.func.__module__ for node in nodes if node.func.__module__.partition(".")[0] == PACKAGE}
    options = {type(parameters[key.partition(".")[0]]).__module__ for key in parameter_keys(nodes, parameters)}
    wiring = {f"{module.rpartition('.')[0]}.pipeline" for module in functions}
    return code_files({DATASETS, *functions, *options}, alone=wiring)


def parameter_keys(nodes: Iterable[Node], parameters: Iterable[str]) -> list[str]:
    """The keys of params.yaml that nodes read; one that holds another stands for both.

    Args:
        nodes: Some nodes.
        parameters: Every block of params.yaml, for a node that reads the whole.
    """
    read = {name for node in nodes for name in node.inputs}
    if "parameters" in read:
        return sorted(parameters)
    keys = sorted(name.removeprefix("params:") for name in read if is_parameter(name))
    return [key for key in keys if not any(key.startswith(f"{other}.") for other in keys)]


def is_parameter(name: str) -> bool:
    """Whether it is one of Kedro's names of parameters, not of data."""
    return name == "parameters" or name.startswith("params:")
