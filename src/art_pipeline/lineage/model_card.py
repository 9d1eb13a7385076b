"""Write a model card from the record and the metrics of a result.

The sections are those of Mitchell et al., "Model Cards for Model Reporting" (2019), in the format of model
hubs. The card states what was not measured.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from art_pipeline.common.spreadsheet import CLASS_COLUMNS, unescape_formulas
from art_pipeline.evaluation.report.formatting import UNDEFINED, format_value
from art_pipeline.lineage.licence import CODE, is_sample, licence_of_data
from art_pipeline.lineage.params_file import recorded_parameters
from art_pipeline.lineage.record import Record
from art_pipeline.models.registry import FAMILIES, family_of

if TYPE_CHECKING:
    import pandas as pd

# Name in metrics.json -> label in the table.
METRICS = {
    "accuracy": "accuracy",
    "top_5_accuracy": "top-5 accuracy",
    "precision_macro": "precision (macro average)",
    "recall_macro": "recall (macro average)",
    "f1_macro": "F1 (macro average)",
    "roc_auc_ovr": "ROC AUC (one-vs-rest)",
    "log_loss": "log loss",
    "expected_calibration_error": "expected calibration error",
}
PER_CLASS = ("class", "support", "predicted", "precision", "recall", "f1", "roc_auc", "most_confused_with")
SPLITS = ("train", "validation", "test")
PACKAGES = ("numpy", "opencv-python", "scikit-learn", "tensorflow", "keras")
HALF = 0.5
UNKNOWN = "packages as pinned in requirements.lock; the platform is unknown, since DVC restored the result"
SAMPLE = (
    "**The images are generated.** The sample museum of this project draws them, so that the pipeline runs without a "
    "network. The metrics say nothing about art, or about the accuracy of the method on a museum's images."
)


def card_sources(record: Record) -> list[str]:
    """Return the data sets that a card is written from: metrics, metrics per class, split table."""
    return [f"{record.result}.metrics", f"{record.result}.per_class", "manifest"]


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
    sections = {
        "Model": _model(record),
        "Data": _data(record, manifest),
        "Intended use": _use(record),
        "Limits": _limits(record, metrics, per_class),
        "Metrics": _metrics(metrics),
        "Metrics per class": _classes(per_class),
        "Licence": _licence(record, manifest),
        "Verification": _verification(record),
        "Environment": _environment(record),
    }
    body = [part for title, parts in sections.items() for part in (f"## {title}", *parts)]
    return "\n\n".join([_head(record), f"# {_plain(record.result)}", *body]) + "\n"


def _head(record: Record) -> str:
    """Return the metadata that model hubs read."""
    tags = ["art", "museum", "provenance", *(["generated-data"] if is_sample(record) else [])]
    return f"---\nlicense: {CODE.name.lower()}\npipeline_tag: image-classification\ntags: [{', '.join(tags)}]\n---"


def _model(record: Record) -> list[str]:
    own = {key: value for key, value in recorded_parameters(record).items() if key.startswith(f"{record.result}.")}
    kind = own.get(f"{record.result}.kind", record.result)
    what = family_of(kind).DESCRIPTION if kind in FAMILIES else _plain(kind)
    first = f"{_code(record.result)} predicts the {_label(record)} of an artwork from one image. It is {what}."
    rows = [(_code(key), _code(json.dumps(value, ensure_ascii=False))) for key, value in sorted(own.items())]
    return [first, "Its parameters:", _table(("parameter", "value"), rows)] if rows else [first]


def _data(record: Record, manifest: "pd.DataFrame | None") -> list[str]:
    images = record.artifacts.get("images")
    count = f" {format_value(images.files)} images are usable." if images else ""
    parts = [f"The records and images are from {_code(record.museum)}.{count}"]
    if is_sample(record):
        parts.append(SAMPLE)
    if manifest is not None:
        classes = manifest["label"].nunique()
        size = f"The data set has {format_value(len(manifest))} objects of {format_value(classes)} classes."
        parts += [f"{size} {_near_duplicates(record)}".rstrip(), _splits(manifest)]
    return parts


def _near_duplicates(record: Record) -> str:
    action = str(recorded_parameters(record).get("subset.near_duplicates.action"))
    return {
        "drop": "Near-duplicate images were removed.",
        "group": "Near-duplicate images are in the same split.",
        "keep": "Near-duplicate images were kept, each group in one split.",
    }.get(action, "")


def _splits(manifest: "pd.DataFrame") -> str:
    rows = [
        [_plain(label), *(format_value(int((group["split"] == split).sum())) for split in SPLITS)]
        for label, group in manifest.groupby("label", sort=True)
    ]
    totals = [format_value(int((manifest["split"] == split).sum())) for split in SPLITS]
    return _table(("class", *SPLITS), [*rows, ["all", *totals]])


def _use(record: Record) -> list[str]:
    only = "For trying the code only. Trained on a museum's images, the model would have this use:"
    return [
        *([only] if is_sample(record) else []),
        f"To help cataloguers: it suggests a {_label(record)} where a record has none, and finds records to review. A "
        "person decides.",
        "Not for authentication, valuation or attribution.",
    ]


def _limits(record: Record, metrics: Mapping[str, Any], per_class: "pd.DataFrame") -> list[str]:
    reasons = [
        f"It was evaluated on {format_value(metrics['n'])} works from the same source as the training images.",
        *_scale(per_class),
        *_weak(per_class),
        "It assigns every image to one of its classes, including images of other things.",
        f"The {_label(record)} is one museum's classification. Other museums may classify otherwise.",
        "Not measured: other photographs of the works, and differences between places, periods or makers.",
    ]
    return ["\n".join(f"- {reason}" for reason in reasons)]


def _scale(per_class: "pd.DataFrame") -> list[str]:
    """Return the accuracy of the majority-class baseline."""
    support = per_class["support"]
    if not support.sum():
        return []
    share = support.max() / support.sum()
    return [f"The majority-class baseline has an accuracy of {format_value(float(share))}."]


def _weak(per_class: "pd.DataFrame") -> list[str]:
    names = per_class.loc[per_class["recall"] < HALF, "class"]
    return [f"It assigns more than half of the works of {_plain(name)} to other classes." for name in names]


def _metrics(metrics: Mapping[str, Any]) -> list[str]:
    intervals = metrics.get("interval_95", {})
    rows = [(label, format_value(metrics.get(name)), _bounds(intervals.get(name))) for name, label in METRICS.items()]
    return [
        f"On the {format_value(metrics['n'])} works of the test split.",
        _table(("metric", "value", "95 % interval"), rows),
        "The intervals are percentiles of a bootstrap over these works. They cover the sampling of the works, not the "
        "seed of the training.",
    ]


def _bounds(interval: Mapping[str, float | None] | None) -> str:
    return f"{format_value(interval['low'])} to {format_value(interval['high'])}" if interval else UNDEFINED


def _classes(per_class: "pd.DataFrame") -> list[str]:
    columns = [name for name in PER_CLASS if name in per_class]
    rows = [
        [_plain(format_value(value)) for value in row] for row in per_class[columns].itertuples(index=False, name=None)
    ]
    return [_table([name.replace("_", " ") for name in columns], rows)]


def _licence(record: Record, manifest: "pd.DataFrame | None") -> list[str]:
    data = licence_of_data(record)
    parts = [f"Code, model and metrics: {CODE.name}.", f"Records and images: {data.name}. {data.description}"]
    if manifest is None:
        return parts
    counts = manifest.groupby(["source", "licence"]).size().reset_index(name="images")
    rows = [
        (_plain(source), _plain(licence) or "unknown", format_value(images))
        for source, licence, images in counts.itertuples(index=False, name=None)
    ]
    table = _table(("source", "licence", "images"), rows)
    return [
        *parts,
        table,
        "`manifest.parquet` has the licence and the URL of every image; `credits.csv` its artist too.",
    ]


def _verification(record: Record) -> list[str]:
    name = record.result
    return [
        "The record of lineage has the digest of everything that this result was computed from. This command checks "
        "all of it, in the project's folder with the code at the commit below:",
        f"```bash\nkedro lineage verify {name}\n```",
    ]


def _environment(record: Record) -> list[str]:
    source, here = record.source, record.environment
    versions = ", ".join(f"{name} {here.packages[name]}" for name in PACKAGES if name in here.packages)
    overrides = [
        f"not from params.yaml: {_code(f'{key}={json.dumps(record.overrides[key])}')}" for key in record.overrides
    ]
    platform = [
        f"Python {here.python} on {here.platform}",
        f"{format_value(len(here.packages))} packages{f', including {versions}' if versions else ''}",
    ]
    lines = [
        f"commit: {_code(source.commit) if source.commit else 'none'}",
        *([f"uncommitted changes: {_code(source.changes)}"] if source.changes else []),
        *([UNKNOWN] if record.rebuilt else platform),
        *sorted(overrides),
    ]
    return ["\n".join(f"- {line}" for line in lines)]


def _label(record: Record) -> str:
    """Return what the classes are: the name of the label column, as Markdown."""
    return _plain(recorded_parameters(record).get("subset.label", "label")).replace("\\_", " ")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _code(text: str) -> str:
    """Return inline code, without characters that would end it or a table cell."""
    return f"`{re.sub('[`|]', '', text)}`"


def _plain(text: object) -> str:
    """Return a name with its Markdown characters escaped."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", " ".join(str(text).split()))
