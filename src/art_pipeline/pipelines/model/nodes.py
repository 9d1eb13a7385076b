"""Nodes of a model that are the same for every family."""

import logging

import numpy as np
import pandas as pd

from art_pipeline.errors import LeakError
from art_pipeline.tasks.leaks import find_leaks
from art_pipeline.tasks.options import TaskOptions

log = logging.getLogger(__name__)


def exclude_leaks(
    image_hashes: pd.DataFrame, task: TaskOptions, manifest: pd.DataFrame, *others: pd.DataFrame
) -> pd.DataFrame:
    """Remove the images that another task's model was trained on from validation and test; see `find_leaks`.

    Args:
        image_hashes: ``object_id`` and ``hash`` (uint64) of every usable image.
        task: Options of the model's own task.
        manifest: Manifest of the model's own task.
        others: Manifests of the tasks whose models this one starts from.

    Returns:
        The manifest of the model.

    Raises:
        LeakError: There are such images, and the task's ``leaks`` is ``refuse``; or none is left of a split.
    """
    hashes = image_hashes.set_index("object_id")["hash"]
    leaks = np.unique(np.concatenate([find_leaks(manifest, other, hashes, task) for other in others]))
    left: pd.DataFrame = manifest[~manifest["object_id"].isin(leaks)].reset_index(drop=True)
    if emptied := sorted(set(manifest["split"]) - set(left["split"])):
        raise LeakError(
            f"Every {' and every '.join(emptied)} image is a training image of the tasks whose models this one starts "
            "from, or a near-duplicate of one. Set split.same_as to such a task."
        )
    if len(leaks):
        counts = manifest.loc[manifest["object_id"].isin(leaks), "split"].value_counts()
        log.info(
            "Dropped %s: the model that this one starts from was trained on them, or on near-duplicates.",
            " and ".join(f"{number} {split} images" for split, number in counts.items()),
        )
    return left
