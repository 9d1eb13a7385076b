"""All kinds of analyses. A further kind is one line here."""

from collections.abc import Mapping
from typing import Any

from art_pipeline.pipelines.analysis.kind import AnalysisKind
from art_pipeline.pipelines.audit.kind import AUDIT
from art_pipeline.pipelines.discovery.kind import DISCOVERY
from art_pipeline.pipelines.generate.kind import GENERATE
from art_pipeline.pipelines.maps.nodes import MAPS
from art_pipeline.pipelines.similar.kind import SIMILAR

ANALYSES: tuple[AnalysisKind, ...] = (MAPS, DISCOVERY, SIMILAR, AUDIT, GENERATE)


def kind_of_stage(stage: str) -> AnalysisKind:
    """Return the kind of the analysis of a stage, ``<key>_<name>``."""
    return next(kind for kind in ANALYSES if stage.startswith(f"{kind.key}_"))


def metrics_of_analyses(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the metrics of all analyses that MLflow's page shows, each once.

    Args:
        parameters: Blocks of params.yaml as they are written, of which those of analyses are read.
    """
    written = [(kind, block) for kind in ANALYSES for block in parameters.get(kind.key, {}).values()]
    blocks = [(kind, kind.options(block).model_validate(block)) for kind, block in written]
    return tuple(dict.fromkeys(name for kind, options in blocks for name in kind.metrics(options)))
