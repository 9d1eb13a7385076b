"""``generate:`` as a kind of analysis."""

from art_pipeline.generate.options import GenerateOptions
from art_pipeline.pipelines.analysis.kind import AnalysisKind
from art_pipeline.pipelines.generate.nodes import datasets, find_problem, generate

GENERATE = AnalysisKind(
    key="generate",
    what="a generator of images",
    options=lambda _block: GenerateOptions,
    run=generate,
    datasets=datasets,
    find_problem=find_problem,
    metrics=lambda _options: ("kid", "recall"),
)
