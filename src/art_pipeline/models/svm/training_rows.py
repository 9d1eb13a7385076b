"""Rows of the manifest that an SVM trains on."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from art_pipeline.models.svm.options import LinearSvmOptions
from art_pipeline.models.svm.search import subsample


def training_rows(manifest: pd.DataFrame, splits: Sequence[str], svm: LinearSvmOptions) -> pd.DataFrame:
    """Return the training rows of these splits, so that only their features are read; see `subsample`."""
    rows = manifest[manifest["split"].isin(splits)]
    targets = np.unique(rows["label"].to_numpy(str), return_inverse=True)[1]
    return rows.iloc[subsample(targets, svm)]
