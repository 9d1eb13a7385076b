"""All kinds of analyses. A further kind is one line here."""

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
