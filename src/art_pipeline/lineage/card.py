"""A model card, written from a result's record and its figures.

Its sections are those of Mitchell et al., "Model Cards for Model Reporting" (2019), in the shape in which
model hubs show them. It says nothing that the record and the figures do not: what was not measured is
told as not measured.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from art_pipeline.common.options import flatten
from art_pipeline.common.spreadsheet import CLASS_COLUMNS, unescape_formulas
from art_pipeline.evaluation.report.formatting import UNDEFINED
from art_pipeline.evaluation.report.formatting import format_value as shown
from art_pipeline.lineage.licence import CODE, is_sample, licence_of_data
from art_pipeline.lineage.record import Record
from art_pipeline.models.registry import FAMILIES, family_of

if TYPE_CHECKING:
    import pandas as pd

# Name in metrics.json -> what a reader calls it.
FIGURES = {
    "accuracy": "accuracy",
    "top_5_accuracy": "true class among the five most probable",
    "precision_macro": "precision, mean over classes",
    "recall_macro": "recall, mean over classes",
    "f1_macro": "F1, mean over classes",
    "roc_auc_ovr": "area under the ROC curve, one class against the rest",
    "log_loss": "log loss",
    "expected_calibration_error": "expected calibration error",
}
PER_CLASS = ("class", "support", "predicted", "precision", "recall", "f1", "roc_auc", "most_confused_with")
SPLITS = ("train", "validation", "test")
PACKAGES = ("numpy", "opencv-python", "scikit-learn", "tensorflow", "keras")
HALF = 0.5
UNKNOWN = "packages as pinned in requirements.lock; the machine is not known, since DVC brought the result"
SAMPLE = (
    "**The images are generated.** They were drawn by the code's own sample museum, so that everything can be "
    "tried without a network. No figure on this page says anything about art, or about how well the method does "
    "on a museum's images."
)


def card_sources(record: Record) -> list[str]:
    """The data sets that a card is written from: metrics, figures of each class, split table."""
    return [f"{record.result}.metrics", f"{record.result}.per_class", "manifest"]


def read_and_write_card(record: Record, metrics: Path, per_class: Path, manifest: Path) -> str:
    """Write a model's card from the files of its `card_sources`; see `write_card`."""
    import pandas as pd

    said = json.loads(metrics.read_text(encoding="utf-8"))
    # A class may be called None, or 1850.
    classes = unescape_formulas(pd.read_csv(per_class, keep_default_na=False, na_values=[""], dtype=CLASS_COLUMNS))
    return write_card(record, said, classes, pd.read_parquet(manifest))


def write_card(
    record: Record,
    metrics: Mapping[str, Any],
    per_class: "pd.DataFrame",
    manifest: "pd.DataFrame | None" = None,
) -> str:
    """Write a model's card.

    Args:
        record: Of the result.
        metrics: What `metrics.compute_metrics` returned.
        per_class: What `metrics.per_class_table` returned.
        manifest: The split table, with columns ``label``, ``split``, ``source`` and ``licence``; without
            it, no counts are told.

    Returns:
        Markdown. The same input gives the same text.
    """
    sections = {
        "What it is": _model(record),
        "Data": _data(record, manifest),
        "Intended use": _use(record),
        "Limits": _limits(record, metrics, per_class),
        "Figures": _figures(metrics),
        "Figures of each class": _classes(per_class),
        "Licence": _licence(record, manifest),
        "How to check it": _check(record),
        "What calculated": _environment(record),
    }
    body = [part for title, parts in sections.items() for part in (f"## {title}", *parts)]
    return "\n\n".join([_head(record), f"# {_plain(record.result)}", *body]) + "\n"


def _head(record: Record) -> str:
    """What a model hub reads."""
    tags = ["art", "museum", "provenance", *(["generated-data"] if is_sample(record) else [])]
    return f"---\nlicense: {CODE.name.lower()}\npipeline_tag: image-classification\ntags: [{', '.join(tags)}]\n---"


def _model(record: Record) -> list[str]:
    own = {key: value for key, value in _settings(record).items() if key.startswith(f"{record.result}.")}
    kind = own.get(f"{record.result}.kind", record.result)
    what = family_of(kind).DESCRIPTION if kind in FAMILIES else _plain(kind)
    first = f"{_code(record.result)} names the {_label(record)} of a work from one image of it. It is {what}."
    rows = [(_code(key), _code(json.dumps(value, ensure_ascii=False))) for key, value in sorted(own.items())]
    return [first, "Its parameters, as they ran:", _table(("parameter", "value"), rows)] if rows else [first]


def _data(record: Record, manifest: "pd.DataFrame | None") -> list[str]:
    images = record.artifacts.get("images")
    count = f" {shown(images.files)} images were usable." if images else ""
    told = [f"Records and images are of the museum at {_code(record.museum)}.{count}"]
    if is_sample(record):
        told.append(SAMPLE)
    if manifest is not None:
        taken = f"{shown(len(manifest))} objects of {shown(manifest['label'].nunique())} classes were taken."
        told += [f"{taken} {_near_duplicates(record)}".rstrip(), _splits(manifest)]
    return told


def _near_duplicates(record: Record) -> str:
    action = _settings(record).get("subset.near_duplicates.action")
    return {
        "drop": "Of images that are nearly the same, one was kept.",
        "group": "Images that are nearly the same stand on one side of the split.",
        "keep": "Images that are nearly the same were kept; none of them stand on two sides of the split.",
    }.get(action, "")


def _splits(manifest: "pd.DataFrame") -> str:
    rows = [
        [_plain(label), *(shown(int((group["split"] == split).sum())) for split in SPLITS)]
        for label, group in manifest.groupby("label", sort=True)
    ]
    totals = [shown(int((manifest["split"] == split).sum())) for split in SPLITS]
    return _table(("class", *SPLITS), [*rows, ["all", *totals]])


def _use(record: Record) -> list[str]:
    only = "For trying the code, and for nothing else. Learnt from a museum's images, it would have this use:"
    return [
        *([only] if is_sample(record) else []),
        f"To help a cataloguer sort works: it proposes a {_label(record)} where there is none yet, and points at "
        "entries that should be looked at again. A person decides.",
        "Not for authentication, valuation or attribution: it has learnt nothing about whether a work is genuine, "
        "what it is worth, or who made it.",
    ]


def _limits(record: Record, metrics: Mapping[str, Any], per_class: "pd.DataFrame") -> list[str]:
    reasons = [
        f"It was measured on {shown(metrics['n'])} works, of the same museum and the same run as those it learnt from.",
        *_scale(per_class),
        *_weak(per_class),
        "Any image is given to one of the classes that it knows, an image of something else too.",
        f"A {_label(record)} is how one museum orders its works. Another museum may order them otherwise.",
        "How it does on other photographs of the works, and whether it errs more on works of some places, times or "
        "makers, has not been measured.",
    ]
    return ["\n".join(f"- {reason}" for reason in reasons)]


def _scale(per_class: "pd.DataFrame") -> list[str]:
    """How far one gets without looking."""
    support = per_class["support"]
    if not support.sum():
        return []
    share = support.max() / support.sum()
    return [f"To name the largest class every time would reach an accuracy of {shown(float(share))}."]


def _weak(per_class: "pd.DataFrame") -> list[str]:
    names = per_class.loc[per_class["recall"] < HALF, "class"]
    return [f"More than half of the works of {_plain(name)} are given to other classes." for name in names]


def _figures(metrics: Mapping[str, Any]) -> list[str]:
    intervals = metrics.get("interval_95", {})
    rows = [(told, shown(metrics.get(name)), _ends(intervals.get(name))) for name, told in FIGURES.items()]
    return [
        f"On the {shown(metrics['n'])} works of the test split.",
        _table(("figure", "value", "95 % interval"), rows),
        "The intervals are percentiles of a bootstrap over these works. They speak for the draw of the works, and not "
        "for training again with another seed.",
    ]


def _ends(interval: Mapping[str, float | None] | None) -> str:
    return f"{shown(interval['low'])} to {shown(interval['high'])}" if interval else UNDEFINED


def _classes(per_class: "pd.DataFrame") -> list[str]:
    columns = [name for name in PER_CLASS if name in per_class]
    rows = [[_plain(shown(value)) for value in row] for row in per_class[columns].itertuples(index=False, name=None)]
    return [_table([name.replace("_", " ") for name in columns], rows)]


def _licence(record: Record, manifest: "pd.DataFrame | None") -> list[str]:
    data = licence_of_data(record)
    told = [f"Code, model and figures: {CODE.name}.", f"Records and images: {data.name}. {data.told}"]
    if manifest is None:
        return told
    counts = manifest.groupby(["source", "licence"]).size()
    rows = [(_plain(source), _plain(licence) or "not told", shown(n)) for (source, licence), n in counts.items()]
    table = _table(("source", "licence", "images"), rows)
    return [*told, table, "`manifest.parquet` has licence and address of every image; `credits.csv`, its maker too."]


def _check(record: Record) -> list[str]:
    name = record.result
    return [
        "The record of lineage names by digest all that this result was made from. In the project's folder, with the "
        "code at the commit below, this checks every link of it again, from the figures down to the museum:",
        f"```bash\nkedro lineage verify {name}\n```",
    ]


def _environment(record: Record) -> list[str]:
    source, here = record.source, record.environment
    versions = ", ".join(f"{name} {here.packages[name]}" for name in PACKAGES if name in here.packages)
    past = [f"set past params.yaml: {_code(f'{key}={json.dumps(record.overrides[key])}')}" for key in record.overrides]
    ran_on = [
        f"Python {here.python} on {here.platform}",
        f"{shown(len(here.packages))} packages{f', among them {versions}' if versions else ''}",
    ]
    lines = [
        f"commit: {_code(source.commit) if source.commit else 'none'}",
        *([f"changes that were not committed: {_code(source.changes)}"] if source.changes else []),
        *([UNKNOWN] if record.rebuilt else ran_on),
        *sorted(past),
    ]
    return ["\n".join(f"- {line}" for line in lines)]


def _settings(record: Record) -> dict[str, Any]:
    return {key: value for step in record.steps.values() for key, value in flatten(step.parameters)}


def _label(record: Record) -> str:
    """What the classes are: the column of the museum's records that was to be told."""
    return _plain(_settings(record).get("subset.label", "label")).replace("\\_", " ")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _code(text: str) -> str:
    """Letter by letter; a mark that would end it, or a cell of a table, is left out."""
    return f"`{re.sub('[`|]', '', text)}`"


def _plain(text: object) -> str:
    """A name that came from elsewhere, as words and never as Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", " ".join(str(text).split()))
