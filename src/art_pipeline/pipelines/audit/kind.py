"""The kind of the analyses of ``audit:``."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from art_pipeline.common.concurrency import one_thread_each
from art_pipeline.discovery.audit.options import AuditOptions
from art_pipeline.errors import did_you_mean
from art_pipeline.models.features import feature_inputs, open_stores
from art_pipeline.pipelines.analysis.features import find_feature_problem
from art_pipeline.pipelines.analysis.kind import AnalysisKind, Blocks
from art_pipeline.tasks.options import TaskOptions

PREDICTIONS = "predictions_"


def analyse(options: AuditOptions, task: TaskOptions, images: Path, **inputs: Any) -> Callable[[Path], None]:
    """Audit the labels of a task."""
    from art_pipeline.discovery.audit.analysis import write_audit
    from art_pipeline.discovery.audit.audit import Inputs, audit
    from art_pipeline.discovery.audit.works import works_of

    works = works_of(inputs["manifest"], inputs["objects"], inputs["image_table"])
    predictions = {name: inputs[f"{PREDICTIONS}{name}"] for name in options.models}
    stores = open_stores(options.features, inputs)
    read = Inputs(works, images, inputs["image_hashes"], predictions, stores)
    with one_thread_each():
        found = audit(read, options, multilabel=task.kind == "multilabel")
    return lambda folder: write_audit(found, options, images, folder)


def datasets(_name: str, options: AuditOptions, _blocks: Blocks) -> Mapping[str, str]:
    """Return what the node reads."""
    own = {name: name for name in ("objects", "image_table", "images", "image_hashes")}
    own |= {"task": f"params:tasks.{options.task}", "manifest": f"{options.task}.manifest"}
    own |= {f"{PREDICTIONS}{name}": f"{name}.predictions" for name in options.models}
    return own | feature_inputs(options.features)


def find_problem(_name: str, options: AuditOptions, blocks: Blocks) -> str | None:
    """Return what is wrong with the task, the models and the features that a block names."""
    if options.task not in blocks.tasks:
        return f"task cannot be {options.task!r}: there is no such task.{did_you_mean(options.task, blocks.tasks)}"
    for name in options.models:
        if name not in blocks.models:
            return f"models cannot have {name!r}: there is no such model.{did_you_mean(name, blocks.models)}"
        if blocks.models[name].task != options.task:
            return f"models cannot have {name!r}: it is of task {blocks.models[name].task}, not {options.task}"
    return find_feature_problem(options.features, blocks.features)


AUDIT = AnalysisKind(
    key="audit",
    what="an audit",
    options=lambda _block: AuditOptions,
    run=analyse,
    datasets=datasets,
    find_problem=find_problem,
    metrics=lambda _options: ("suspects", "agreement"),
)
