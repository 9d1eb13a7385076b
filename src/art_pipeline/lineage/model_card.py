"""Write a model card from the record and the metrics of a result.

The sections are those of Mitchell et al., "Model Cards for Model Reporting" (2019), in the format of model
hubs. The card states what was not measured.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from art_pipeline.common.spreadsheet import CLASS_COLUMNS, unescape_formulas
from art_pipeline.evaluation.kinds import Kind, kind_of_metrics
from art_pipeline.evaluation.report.formatting import format_value
from art_pipeline.lineage.licence import CODE, is_sample, licence_of_data
from art_pipeline.lineage.markdown import code, plain, table
from art_pipeline.lineage.model_card_metrics import classes_section, limits, metrics_section
from art_pipeline.lineage.params_file import recorded_parameters
from art_pipeline.lineage.record import Record, reference_to
from art_pipeline.lineage.task import dataset_of_task, task_option
from art_pipeline.models.registry import FAMILIES, family_of
from art_pipeline.sources.columns import SEPARATOR
from art_pipeline.tasks.corrected import summarise_corrections

if TYPE_CHECKING:
    import pandas as pd

NOUN: dict[Kind, str] = {"multiclass": "class", "multilabel": "label"}
SPLITS = ("train", "validation", "test")
PACKAGES = ("numpy", "opencv-python", "scikit-learn", "tensorflow", "keras")
UNKNOWN = "packages as pinned in requirements.lock; the platform is unknown, since DVC restored the result"
SAMPLE = (
    "**The images are generated.** The sample museum of this project draws them, so that the pipeline runs without a "
    "network. The metrics say nothing about art, or about the accuracy of the method on a museum's images."
)


def card_sources(record: Record) -> list[str]:
    """Return the data sets that a card is written from: metrics, metrics per class, split table."""
    return [f"{record.result}.metrics", f"{record.result}.per_class", dataset_of_task(record, "manifest")]


def read_and_write_card(record: Record, metrics: Path, per_class: Path, manifest: Path) -> str:
    """Return a model card, written from the files of its `card_sources`; see `write_card`."""
    import pandas as pd

    values = json.loads(metrics.read_text(encoding="utf-8"))
    # The name of a class may be "None" or "1850".
    classes = unescape_formulas(
        pd.read_csv(per_class, keep_default_na=False, na_values=[""], dtype=dict.fromkeys(CLASS_COLUMNS, "str"))
    )
    return write_card(record, values, classes, pd.read_parquet(manifest))


def write_card(
    record: Record,
    metrics: Mapping[str, Any],
    per_class: "pd.DataFrame",
    manifest: "pd.DataFrame | None" = None,
) -> str:
    """Return a model card in Markdown; the same arguments give the same text.

    Args:
        record: The record of the result.
        metrics: As returned by `metrics.compute_metrics`.
        per_class: As returned by `metrics.per_class_table`.
        manifest: The split table, with columns ``label``, ``split``, ``source`` and ``licence``; without
            it, the card has no counts.
    """
    kind = kind_of_metrics(metrics)
    sections = {
        "Model": _model(record, kind),
        "Data": _data(record, manifest, kind),
        "Intended use": _use(record, kind),
        "Limits": _limits(record, metrics, per_class),
        "Metrics": metrics_section(metrics, kind),
        f"Metrics per {NOUN[kind]}": classes_section(per_class, NOUN[kind]),
        "Licence": _licence(record, manifest),
        "Verification": _verification(record),
        "Environment": _environment(record),
    }
    body = [part for title, parts in sections.items() for part in (f"## {title}", *parts)]
    return "\n\n".join([_head(record), f"# {plain(record.result)}", *body]) + "\n"


def _head(record: Record) -> str:
    """Return the metadata that model hubs read."""
    tags = ["art", "museum", "provenance", *(["generated-data"] if is_sample(record) else [])]
    return f"---\nlicense: {CODE.name.lower()}\npipeline_tag: image-classification\ntags: [{', '.join(tags)}]\n---"


def _model(record: Record, kind: Kind) -> list[str]:
    own = {key: value for key, value in recorded_parameters(record).items() if key.startswith(f"{record.result}.")}
    family = own.get(f"{record.result}.kind", record.result)
    what = family_of(family).DESCRIPTION if family in FAMILIES else plain(family)
    predicts = f"the {_label(record)} of an artwork" + (", any number of labels," if kind == "multilabel" else "")
    first = f"{code(record.result)} predicts {predicts} from one image. It is {what}."
    rows = [(code(key), code(json.dumps(value, ensure_ascii=False))) for key, value in sorted(own.items())]
    return [first, "Its parameters:", table(("parameter", "value"), rows)] if rows else [first]


def _data(record: Record, manifest: "pd.DataFrame | None", kind: Kind) -> list[str]:
    images = record.artifacts.get("images")
    count = f" {format_value(images.files)} images are usable." if images else ""
    parts = [f"The records and images are from {code(record.museum)}.{count}"]
    if is_sample(record):
        parts.append(SAMPLE)
    if manifest is not None:
        each = _labels(manifest) if kind == "multilabel" else manifest
        classes = f"{format_value(each['label'].nunique())} {'labels' if kind == 'multilabel' else 'classes'}"
        size = f"The data set has {format_value(len(manifest))} objects of {classes}."
        corrected = f" {_corrections(record, manifest)}" if "corrected_by" in manifest else ""
        parts += [f"{size} {_near_duplicates(record)}{corrected}".rstrip(), _splits(manifest, each, NOUN[kind])]
    return parts


def _near_duplicates(record: Record) -> str:
    action = str(task_option(record, "near_duplicates.action"))
    return {
        "drop": "Near-duplicate images were removed.",
        "group": "Near-duplicate images are in the same split.",
        "keep": "Near-duplicate images were kept, each group in one split.",
    }.get(action, "")


def _corrections(record: Record, manifest: "pd.DataFrame") -> str:
    labels = task_option(record, "test_labels") or "recorded"
    return summarise_corrections(manifest, labels == "corrected")


def _labels(manifest: "pd.DataFrame") -> "pd.DataFrame":
    """Return one row per image and label."""
    each = manifest.assign(label=manifest["label"].str.split(SEPARATOR)).explode("label")
    return each[each["label"] != ""]


def _splits(manifest: "pd.DataFrame", each: "pd.DataFrame", noun: str) -> str:
    rows = [
        [plain(label), *(format_value(int((group["split"] == split).sum())) for split in SPLITS)]
        for label, group in each.groupby("label", sort=True)
    ]
    totals = [format_value(int((manifest["split"] == split).sum())) for split in SPLITS]
    return table((noun, *SPLITS), [*rows, ["all images" if noun == "label" else "all", *totals]])


def _use(record: Record, kind: Kind) -> list[str]:
    only = "For trying the code only. Trained on a museum's images, the model would have this use:"
    suggests = (
        f"{_label(record)} where a record lacks them"
        if kind == "multilabel"
        else (f"a {_label(record)} where a record has none")
    )
    return [
        *([only] if is_sample(record) else []),
        f"To help cataloguers: it suggests {suggests}, and finds records to review. A person decides.",
        "Not for authentication, valuation or attribution.",
    ]


def _limits(record: Record, metrics: Mapping[str, Any], per_class: "pd.DataFrame") -> list[str]:
    reasons = [
        f"It was evaluated on {format_value(metrics['n'])} works from the same source as the training images.",
        *limits(metrics, per_class),
        f"{_predicted(record, metrics)} one museum's classification. Other museums may classify otherwise.",
        "Not measured: other photographs of the works, and differences between places, periods or makers.",
    ]
    return ["\n".join(f"- {reason}" for reason in reasons)]


def _licence(record: Record, manifest: "pd.DataFrame | None") -> list[str]:
    data = licence_of_data(record)
    parts = [f"Code, model and metrics: {CODE.name}.", f"Records and images: {data.name}. {data.description}"]
    if manifest is None:
        return parts
    counts = manifest.groupby(["source", "licence"]).size().reset_index(name="images")
    rows = [
        (plain(source), plain(licence) or "unknown", format_value(images))
        for source, licence, images in counts.itertuples(index=False, name=None)
    ]
    return [
        *parts,
        table(("source", "licence", "images"), rows),
        "`manifest.parquet` has the licence and the URL of every image; `credits.csv` its artist too.",
    ]


def _verification(record: Record) -> list[str]:
    return [
        "The record of lineage has the digest of everything that this result was computed from. This command checks "
        "all of it, in the project's folder with the code at the commit below:",
        f"```bash\nkedro lineage verify {reference_to(record)}\n```",
    ]


def _environment(record: Record) -> list[str]:
    source, here = record.source, record.environment
    versions = ", ".join(f"{name} {here.packages[name]}" for name in PACKAGES if name in here.packages)
    overrides = [
        f"not from params.yaml: {code(f'{key}={json.dumps(record.overrides[key])}')}" for key in record.overrides
    ]
    platform = [
        f"Python {here.python} on {here.platform}",
        f"{format_value(len(here.packages))} packages{f', including {versions}' if versions else ''}",
    ]
    lines = [
        f"commit: {code(source.commit) if source.commit else 'none'}",
        *([f"uncommitted changes: {code(source.changes)}"] if source.changes else []),
        *([UNKNOWN] if record.rebuilt else platform),
        *sorted(overrides),
    ]
    return ["\n".join(f"- {line}" for line in lines)]


def _predicted(record: Record, metrics: Mapping[str, Any]) -> str:
    several = kind_of_metrics(metrics) == "multilabel"
    return f"The labels ({_label(record)}) are" if several else f"The {_label(record)} is"


def _label(record: Record) -> str:
    """Return what the classes are: the name of the label column, as Markdown."""
    return plain(task_option(record, "label") or "label").replace("\\_", " ")
