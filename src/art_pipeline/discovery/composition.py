"""What clusters consist of: labels that are more frequent in a cluster than in the whole collection."""

import numpy as np
import pandas as pd

SIGNIFICANT = 0.05
COLUMNS = ("label", "cluster", "value", "images", "share", "share_of_all", "ratio", "p_value", "is_more")


def compare_with_whole(clusters: np.ndarray, labels: pd.DataFrame) -> pd.DataFrame:
    """Compare the distribution of each label within a cluster with that in the whole.

    The test is the hypergeometric one (Fisher's exact test, one-sided): the chance of at least as many images of the
    value if the cluster were a random sample of the images that have the label. p-values of one label are adjusted for
    the number of its tests by Benjamini & Hochberg (1995).

    Args:
        clusters: (n,) cluster of each image.
        labels: A column per label, a row per image; ``""`` is unknown.

    Returns:
        A row per label, cluster and value that occurs in it, the most significant first within a cluster: ``label``,
        ``cluster``, ``value``, ``images``, ``share`` (of the cluster's labelled images), ``share_of_all``, ``ratio``,
        ``p_value`` (adjusted), and ``is_more``, whether it is below 0.05.
    """
    parts = [_of_label(clusters, labels[name]) for name in labels]
    parts = [one for one in parts if len(one)]
    if not parts:
        return pd.DataFrame(columns=list(COLUMNS))
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def _of_label(clusters: np.ndarray, values: pd.Series) -> pd.DataFrame:
    from scipy.stats import false_discovery_control, hypergeom

    table = pd.DataFrame({"label": values.name, "cluster": clusters, "value": values.to_numpy()})
    table = table[table["value"] != ""]
    if table.empty:
        return table
    counts = table.value_counts(["label", "cluster", "value"], sort=False).rename("images").reset_index()
    in_cluster = counts["cluster"].map(table["cluster"].value_counts())
    of_value = counts["value"].map(table["value"].value_counts())
    counts["share"] = (counts["images"] / in_cluster).round(6)
    counts["share_of_all"] = (of_value / len(table)).round(6)
    counts["ratio"] = (counts["images"] * len(table) / in_cluster / of_value).round(6)
    p_values = hypergeom.sf(counts["images"] - 1, len(table), of_value, in_cluster)
    counts["p_value"] = [float(f"{one:.6g}") for one in false_discovery_control(p_values)]
    counts["is_more"] = counts["p_value"] < SIGNIFICANT
    return counts.sort_values(["cluster", "p_value", "value"], kind="stable", ignore_index=True)
