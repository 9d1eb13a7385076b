"""What corrections changed in manifests."""

from collections.abc import Iterator

import pandas as pd

from art_pipeline.tasks.label_sets import explode_values


def summarise_corrections(manifest: pd.DataFrame, test_too: bool = False) -> str:
    """Return how many labels of a manifest are corrected, by how many reviewers, and what holds for test labels.

    Args:
        manifest: With ``recorded_label`` and ``corrected_by``.
        test_too: Whether test labels are corrected.

    >>> row = {"label": ["Vase"], "recorded_label": ["Print"], "corrected_by": ["r-1"], "split": ["train"]}
    >>> summarise_corrections(pd.DataFrame(row))
    '1 label corrected by 1 reviewer (1 train). Test labels are as recorded: 0 corrections are not used.'
    """
    given, differs = manifest["corrected_by"] != "", manifest["label"] != manifest["recorded_label"]
    corrected = manifest[given & differs]
    reviewers = explode_values(corrected["corrected_by"]).nunique()
    by_split = corrected["split"].value_counts()
    counts = ", ".join(f"{by_split[name]} {name}" for name in ("train", "validation", "test") if name in by_split)
    text = f"{number_of('label', len(corrected))} corrected by {number_of('reviewer', reviewers)}"
    text += f" ({counts})." if counts else "."
    if test_too:
        return f"{text} Test labels are corrected too."
    frozen = int((given & ~differs & (manifest["split"] == "test")).sum())
    return f"{text} Test labels are as recorded: {number_of('correction', frozen)} are not used."


def corrected_rows(before: pd.DataFrame, after: pd.DataFrame) -> Iterator[str]:
    """Yield a line for each object whose label differs between two manifests by a correction.

    Args:
        before: A manifest, with ``object_id`` as index.
        after: Another one.
    """
    both = before.index.intersection(after.index)
    by = pd.DataFrame({"before": _by(before, both), "after": _by(after, both)})
    labels = pd.DataFrame({"before": before.loc[both, "label"], "after": after.loc[both, "label"]})
    changed = labels["before"].ne(labels["after"]) & (by != "").any(axis=1)
    for object_id in both[changed].sort_values():
        who = by.loc[object_id, "after"] or f"no longer by {by.loc[object_id, 'before']}"
        yield f"object {object_id}: {labels.loc[object_id, 'before']} → {labels.loc[object_id, 'after']} ({who})"


def _by(manifest: pd.DataFrame, ids: "pd.Index[int]") -> "pd.Series[str]":
    return manifest.loc[ids, "corrected_by"] if "corrected_by" in manifest else pd.Series("", index=ids)


def number_of(what: str, count: int) -> str:
    """Return a number with its noun.

    >>> number_of("label", 1), number_of("label", 1200)
    ('1 label', '1,200 labels')
    """
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
