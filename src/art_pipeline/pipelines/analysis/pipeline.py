"""Pipeline of an analysis: one node, which fills a folder."""

from collections.abc import Mapping
from typing import Any

from kedro.pipeline import Pipeline, node

from art_pipeline.common.options import Options
from art_pipeline.pipelines.analysis.kind import AnalysisKind, Blocks
from art_pipeline.pipelines.analysis.registry import ANALYSES
from art_pipeline.pipelines.code import ANALYSIS
from art_pipeline.pipelines.stage import shared_names


def analysis_pipelines(parameters: Mapping[str, Any]) -> dict[str, Pipeline]:
    """Return the stage of each analysis.

    Args:
        parameters: Validated blocks of params.yaml, by name.
    """
    blocks = Blocks.of(parameters)
    return {
        kind.stage(name): create_pipeline(kind, name, options, blocks)
        for kind in ANALYSES
        for name, options in dict(parameters[kind.key]).items()
    }


def create_pipeline(kind: AnalysisKind, name: str, options: Options, blocks: Blocks) -> Pipeline:
    """Return the pipeline of one analysis.

    Args:
        kind: Its kind.
        name: Name of its block.
        options: The block.
        blocks: The blocks that it can refer to.
    """
    stage = kind.stage(name)
    inputs = {"options": f"params:{kind.key}.{name}", **kind.datasets(name, options, blocks)}
    tags = [ANALYSIS, kind.key]
    with shared_names():
        return Pipeline([node(kind.run, inputs, f"{stage}.{ANALYSIS}", name=kind.key, tags=tags, namespace=stage)])
