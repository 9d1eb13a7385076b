"""What the nodes of support vector machines share."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from art_pipeline.models.svm.options import LinearSvmOptions
from art_pipeline.models.svm.search import subsample


def drawn_to_learn_from(manifest: pd.DataFrame, splits: Sequence[str], svm: LinearSvmOptions) -> pd.DataFrame:
    """The rows of these splits that a machine learns from, before any feature is read; see `subsample`."""
    rows = manifest[manifest["split"].isin(splits)]
    targets = np.unique(rows["label"].to_numpy(str), return_inverse=True)[1]
    return rows.iloc[subsample(targets, svm)]
