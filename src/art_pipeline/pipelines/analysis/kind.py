"""Base of all kinds of analyses.

An analysis is a block below one of the keys of `art_pipeline.pipelines.analysis.registry.ANALYSES`. Its stage, its
Kedro namespace and its result are called ``<key>_<name>``, and one node fills a folder:

- ``section.json``: what the report shows of it; see `art_pipeline.evaluation.report.analyses`;
- ``metrics.json``: flat numbers, which MLflow logs as metrics;
- tables as CSV and figures as PNG.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from art_pipeline.common.options import Options
from art_pipeline.features.extractor import ExtractorOptions
from art_pipeline.models.family import ModelFamily
from art_pipeline.tasks.options import TaskOptions


@dataclass(frozen=True)
class Blocks:
    """The blocks of params.yaml that an analysis can refer to, by name."""

    tasks: Mapping[str, TaskOptions]
    features: Mapping[str, ExtractorOptions]
    models: Mapping[str, ModelFamily]

    @classmethod
    def of(cls, blocks: Mapping[str, Any]) -> "Blocks":
        """Return those of validated parameters."""
        models = {name: block for name, block in blocks.items() if isinstance(block, ModelFamily)}
        return cls(dict(blocks["tasks"]), dict(blocks["features"]), models)


def no_problem(_name: str, _options: Any, _blocks: Blocks) -> str | None:
    """Accept all options."""
    return None


def no_metrics(_options: Any) -> Sequence[str]:
    """Show no metrics."""
    return ()


@dataclass(frozen=True)
class AnalysisKind:
    """A kind of analysis.

    Attributes:
        key: Its key in params.yaml, below which each analysis has a named block.
        what: What a block is, with its article, for error messages: ``a clustering``.
        options: Returns the class of the options of a block, from the block as written.
        run: The node's function. It takes ``options`` and the data sets of ``datasets`` by name, and returns a function
            that fills the folder of the analysis.
        datasets: Returns the data sets that ``run`` reads, by the names of its arguments, from the name of a block,
            its options and the other blocks.
        find_problem: Returns what is wrong with a block's references to other blocks, likewise, beginning with the
            key: ``features cannot have 'x': …``; None if nothing is.
        metrics: Returns the names of a few numbers of ``metrics.json`` that MLflow's page shows, from the options of a
            block.
    """

    key: str
    what: str
    options: Callable[[Any], type[Options]]
    run: Callable[..., Callable[[Path], None]]
    datasets: Callable[[str, Any, Blocks], Mapping[str, str]]
    find_problem: Callable[[str, Any, Blocks], str | None] = no_problem
    metrics: Callable[[Any], Sequence[str]] = no_metrics

    def stage(self, name: str) -> str:
        """Return the stage of a block, which is the name of its result too."""
        return f"{self.key}_{name}"
