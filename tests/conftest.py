"""Settings of all tests: how many examples Hypothesis tries, and which files start first."""

import os

import pytest
from hypothesis import settings

# For tests that do not set a number themselves. HYPOTHESIS_PROFILE=thorough before a release.
settings.register_profile("default", max_examples=30)
settings.register_profile("thorough", max_examples=300, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# With several workers, long files start first, each with another of the shared projects.
LONGEST = ("e2e/test_networks", "e2e/test_lineage_comes_back", "e2e/test_run", "e2e/", "models/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        return next((number for number, part in enumerate(LONGEST) if part in item.nodeid), len(LONGEST))

    items.sort(key=rank)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    os.environ.pop("MLFLOW_TRACKING_URI", None)  # which MLflow sets, and which names the store of another test
