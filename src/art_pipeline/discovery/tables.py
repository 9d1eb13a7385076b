"""Tables of a clustering: its images, its clusters, and agreement with labels."""

import numpy as np
import pandas as pd

from art_pipeline.common.numbers import percent
from art_pipeline.discovery.clustering import Clustered
from art_pipeline.discovery.figures.sheets import Cluster
from art_pipeline.discovery.scores import Scores

MEASURES = ("images", "classes", "nmi", "nmi_chance", "ari", "purity", "purity_chance")
COMPONENTS = 3  # of a mixture, that are listed for an image
WORDS = 4  # values that are listed for a cluster
LEAST_IMAGES = 2  # of a value, to be listed
DIGITS = 6


def image_table(found: Clustered, object_ids: np.ndarray) -> pd.DataFrame:
    """Return a row per image.

    Returns:
        ``object_id``, ``cluster`` (from 1), ``distance`` to the centre, ``rank`` within the cluster (1 is nearest to
        the centre); with a map ``x`` and ``y`` in 0..1, empty for images outside its sample; of a mixture the three
        leading components, ``component_1`` … with ``share_1`` …, their responsibilities.
    """
    table = pd.DataFrame({"object_id": object_ids, "cluster": found.clusters + 1})
    table["distance"] = found.distances.round(DIGITS)
    table["rank"] = table.groupby("cluster")["distance"].rank(method="first").astype(int)
    if found.clustering.map is not None:
        places = pd.DataFrame(found.clustering.map.positions, found.clustering.map.members, ["x", "y"])
        table[["x", "y"]] = places.reindex(range(len(table)))
    if found.responsibilities is not None:
        order = np.argsort(-found.responsibilities, axis=1, kind="stable")[:, :COMPONENTS]
        shares = np.take_along_axis(found.responsibilities, order, axis=1).round(DIGITS)
        for place in range(order.shape[1]):
            table[f"component_{place + 1}"] = order[:, place] + 1
            table[f"share_{place + 1}"] = shares[:, place]
    return table


def cluster_table(images: pd.DataFrame, composition: pd.DataFrame) -> pd.DataFrame:
    """Return a row per cluster: ``cluster``, ``images``, ``share`` of all, and ``more_than_chance`` in words."""
    sizes = images["cluster"].value_counts().sort_index()
    words = {number: "; ".join(words_of(composition, number)) for number in sizes.index}
    table = {
        "cluster": sizes.index,
        "images": sizes.to_numpy(),
        "share": (sizes / len(images)).round(DIGITS).to_numpy(),
    }
    return pd.DataFrame(table).assign(more_than_chance=[words[number] for number in sizes.index])


def words_of(composition: pd.DataFrame, cluster: int) -> list[str]:
    """Return what a cluster has more of than by chance, the most significant first; of equal values of two labels, one.

    >>> columns = ["cluster", "value", "images", "share", "share_of_all", "p_value", "is_more"]
    >>> words_of(pd.DataFrame([[1, "Rococo", 9, 0.62, 0.05, 0.001, True]], columns=columns), 1)
    ['Rococo 62% (of all: 5%)']
    """
    own = composition[(composition["cluster"] == cluster) & composition["is_more"].astype(bool)]
    own = own[own["images"] >= LEAST_IMAGES].sort_values("p_value", kind="stable")
    own = own[~own["value"].str.casefold().duplicated()][:WORDS]
    return [
        f"{value} {percent(share)} (of all: {percent(whole)})"
        for value, share, whole in zip(own["value"], own["share"], own["share_of_all"], strict=True)
    ]


def shown_clusters(images: pd.DataFrame, composition: pd.DataFrame, examples: int) -> list[Cluster]:
    """Return what sheets show: of each cluster, the nearest images and half as many of the farthest others."""
    shown = []
    for number in sorted(images["cluster"].unique().tolist()):
        own = images[images["cluster"] == number]
        ids = own.sort_values("rank")["object_id"].tolist()
        rest = ids[examples:]
        share = len(ids) / len(images)
        far = rest[::-1][: examples // 2]
        shown.append(Cluster(number, len(ids), share, ids[:examples], far, words_of(composition, number)))
    return shown


def agreement_table(scores: Scores, labels: list[str]) -> pd.DataFrame:
    """Return a row per label with the measures of `art_pipeline.discovery.scores.agreement`."""
    rows = [{"label": one, **{name: scores.get(f"{name}_{one}") for name in MEASURES}} for one in labels]
    return pd.DataFrame(rows, columns=["label", *MEASURES])
