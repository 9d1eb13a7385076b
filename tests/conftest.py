"""Settings of all tests: how many examples Hypothesis tries, and which files start first."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from art_pipeline.common.keras_runtime import ComputeOptions, environment_of

# For tests that do not set a number themselves. HYPOTHESIS_PROFILE=thorough before a release.
settings.register_profile("default", max_examples=30)
settings.register_profile("thorough", max_examples=300, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# TensorFlow reads them once, whichever test imports it first: the same training gives the same bytes in any order.
SWITCHES = environment_of(ComputeOptions())
os.environ.update({name: SWITCHES[name] for name in ("TF_DETERMINISTIC_OPS", "ONEDNN_MAX_CPU_ISA")})

# With several workers, long files start first, each with another of the shared projects.
LONGEST = ("e2e/test_networks", "e2e/test_lineage_comes_back", "e2e/test_run", "e2e/", "models/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        return next((number for number, part in enumerate(LONGEST) if part in item.nodeid), len(LONGEST))

    items.sort(key=rank)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    os.environ.pop("MLFLOW_TRACKING_URI", None)  # which MLflow sets, and which names the store of another test


@pytest.fixture
def save_svm(tmp_path_factory):
    """A function that saves a bag-of-words SVM, trained on random words, into a folder; and returns it."""
    import numpy as np

    from art_pipeline.features.sift import SiftOptions
    from art_pipeline.features.update import update_store
    from art_pipeline.models.features import StoredExtractors
    from art_pipeline.models.svm.bow_svm import BowSvm, BowSvmOptions, VisualWords, train_bow_svm

    def save(folder: Path, labels: list[str], kind: str = "multiclass") -> BowSvm:
        store, rng = tmp_path_factory.mktemp("sift"), np.random.default_rng(0)
        update_store(store, {}, SiftOptions().create())
        vocabulary = rng.integers(0, 256, (4, 128)).astype(np.float32)
        words = VisualWords(StoredExtractors({"sift": store}), vocabulary)
        options = BowSvmOptions(task="department", features=["sift"], svm={"folds": 2})
        counts = rng.integers(0, 20, (len(labels), 4)).astype(np.float32)
        folder.mkdir(parents=True, exist_ok=True)
        model = train_bow_svm(counts, labels, options, words, 64, kind)
        model.save(folder)
        return model

    return save
