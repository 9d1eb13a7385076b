"""Source files and parameters that nodes depend on."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from kedro.pipeline.node import Node

from art_pipeline.common.options import Options, blocks_behind
from art_pipeline.lineage.code_files import PACKAGE, code_files

OF_MODELS = {"train", "predict", "evaluate"}  # tags of the nodes of a model
ANALYSIS = "analysis"  # tag of the node of an analysis
BY_NAME = ("tasks.", "features.")  # blocks whose names the user chooses
DATASETS = "art_pipeline.kedro_ext.datasets"  # the code that writes data


def files_behind(nodes: Iterable[Node], parameters: Mapping[str, Options]) -> list[Path]:
    """Return the files of the nodes' functions and parameter classes, and of all modules that they import.

    Args:
        nodes: Any nodes.
        parameters: Options of each block of params.yaml.

    Returns:
        Absolute paths in this package, sorted. Other packages are pinned in the lock file.
    """
    nodes = list(nodes)
    functions = {node.func.__module__ for node in nodes if node.func.__module__.partition(".")[0] == PACKAGE}
    keys = parameter_keys(nodes, parameters)
    options = {type(block).__module__ for key in keys for block in blocks_behind(parameters, key)}
    wiring = {f"{module.rpartition('.')[0]}.pipeline" for module in functions}
    return code_files({DATASETS, *functions, *options}, alone=wiring)


def parameter_keys(nodes: Iterable[Node], parameters: Iterable[str]) -> list[str]:
    """Return the keys of params.yaml that nodes read, without those inside another one.

    Args:
        nodes: Any nodes.
        parameters: Names of all blocks of params.yaml, for nodes that read all of them.
    """
    read = {name for node in nodes for name in node.inputs}
    if "parameters" in read:
        return sorted(parameters)
    keys = sorted(name.removeprefix("params:") for name in read if is_parameter(name))
    return [key for key in keys if not any(key.startswith(f"{other}.") for other in keys)]


def named_files(node: Node, parameters: Mapping[str, Options]) -> list[str]:
    """Return files and folders that a node's parameters name, as written.

    A model or an analysis reads options of its task and its features, but no file that they name.
    """
    refers = is_of_model(node) or is_analysis(node)
    keys = [key for key in parameter_keys([node], parameters) if not (refers and key.startswith(BY_NAME))]
    return sorted({path for key in keys for block in blocks_behind(parameters, key) for path in block.read_paths})


def is_of_model(node: Node) -> bool:
    """Return whether a node belongs to a model."""
    return bool(node.tags & OF_MODELS)


def is_analysis(node: Node) -> bool:
    """Return whether a node is an analysis."""
    return ANALYSIS in node.tags


def is_parameter(name: str) -> bool:
    """Return whether a node's input is a parameter."""
    return name == "parameters" or name.startswith("params:")
