"""Settings of all tests: how many examples Hypothesis tries, and which files start first."""

import fcntl
import gc
import math
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from art_pipeline.common import progress
from art_pipeline.common.keras_runtime import ComputeOptions, environment_of

# For tests that do not set a number themselves. The examples are the same in every run: what fails, a change made
# fail. HYPOTHESIS_PROFILE=thorough, before a release, draws new ones. No test fails because the computer is slow.
SLOW = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("default", max_examples=30, derandomize=True, **SLOW)
settings.register_profile("thorough", max_examples=300, **SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# TensorFlow reads them once, whichever test imports it first: the same training gives the same bytes in any order.
SWITCHES = environment_of(ComputeOptions())
os.environ.update({name: SWITCHES[name] for name in ("TF_DETERMINISTIC_OPS", "ONEDNN_MAX_CPU_ISA")})

# Started in the background of a shell, this process and those that it starts would ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Whether a step is long enough for a line of progress depends on the computer: in tests none is.
progress.MIN_SECONDS_FOR_A_LINE = progress.SECONDS_BETWEEN_LINES = math.inf

SERVER = Path(__file__).with_name("commands") / "server.py"

# With several workers, long files start first, each with another of the shared projects.
LONGEST = ("web/test_services", "e2e/test_networks", "e2e/test_lineage.py", "e2e/test_run", "e2e/", "models/")


def pytest_configure() -> None:
    gc.disable()  # until all tests are collected: nothing of them is garbage


def pytest_collection_finish() -> None:
    gc.freeze()  # nor later
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        return next((number for number, part in enumerate(LONGEST) if part in item.nodeid), len(LONGEST))

    items.sort(key=rank)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    os.environ.pop("MLFLOW_TRACKING_URI", None)  # which MLflow sets, and which names the store of another test


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Callable[[str, Callable[[Path], object]], Path]:
    """Return a function that makes a folder's content once, in the first worker that needs it."""
    everywhere = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent

    def once(name: str, make: Callable[[Path], object]) -> Path:
        folder, made = everywhere / f"once-{name}", everywhere / f"once-{name}.made"
        with (everywhere / f"once-{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of one that failed
                folder.mkdir()
                make(folder)
                made.touch()
        return folder

    return once


@pytest.fixture(scope="session")
def commands(once: Callable, worker_id: str) -> Path:
    """A folder of commands that are forks of a process that has imported their packages; see `commands/server.py`.

    The process serves all workers. Its environment is without the variables of this one.
    """

    def start(folder: Path) -> None:
        owner = os.getpid() if worker_id == "master" else os.getppid()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        subprocess.run([sys.executable, str(SERVER), str(folder), str(owner)], env=environment, check=True)

    return once("commands", start)


@pytest.fixture(scope="session")
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
