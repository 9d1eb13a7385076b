import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from art_pipeline.common import keras_runtime as compute
from art_pipeline.common.keras_runtime import ENVIRONMENT, ComputeOptions, check_backend, prepare_keras
from art_pipeline.errors import ParameterError

SOURCES = Path(compute.__file__).parent
SWITCHES = (
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_DETERMINISTIC_OPS",
    "ONEDNN_MAX_CPU_ISA",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "OMP_NUM_THREADS",
)
OPTIONS = st.builds(
    ComputeOptions,
    threads=st.none() | st.integers(1, 64),
    deterministic=st.booleans(),
    onednn=st.booleans(),
    cache_megabytes=st.integers(0, 9999),
)
LIGHT = """
import importlib, json, pkgutil, sys
import art_pipeline
from art_pipeline.models import registry
names = ("batches", "checkpoint", "loop", "losses", "optimizers", "step_log")
training = {f"art_pipeline.models.training.{name}" for name in names}
generators = ("networks.build", "networks.fastgan", "networks.layers", "networks.plain")
steps = ("augmentation", "gradients", "loop", "step")
training |= {f"art_pipeline.generate.{name}" for name in (*generators, *(f"training.{step}" for step in steps))}
skipped = {"art_pipeline.__main__", *training}
web = importlib.import_module("art_pipeline.web")
web.__path__ = []  # Django wants its settings first; tests/web has a test of its own
names = [one.name for one in pkgutil.walk_packages(art_pipeline.__path__, "art_pipeline.")]
for name in sorted(set(names) - skipped):
    importlib.import_module(name)
for kind in registry.FAMILIES:
    registry.family_of(kind).model_construct()
print(json.dumps({"seen": names, "heavy": sorted({"keras", "tensorflow", "torch", "jax"} & set(sys.modules))}))
"""
PREPARED = """
import json, os, sys
from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
prepare_keras(ComputeOptions(threads=3, onednn=False))
print("prepared", file=sys.stderr, flush=True)
import keras, numpy as np
from art_pipeline.models.networks.alexnet import AlexNetOptions
from art_pipeline.models.networks.network import build
base, head = build(AlexNetOptions(task="department", image_size=67, units=2), 2)
print(json.dumps({
    "switches": {name: os.environ.get(name) for name in json.loads(sys.argv[1])},
    "backend": keras.backend.backend(),
    "image_data_format": keras.config.image_data_format(),
    "floatx": keras.config.floatx(),
    "epsilon": keras.config.epsilon(),
    "policy": keras.config.dtype_policy().name,
    "first_kernel": list(base.weights[0].shape),
    "dtypes": sorted({str(weight.dtype) for weight in base.weights + head.weights}),
}))
"""


def run(code, *arguments, **environment):
    """What a process of its own prints last, as JSON, and all that it says on its standard error."""
    outside = {name: value for name, value in os.environ.items() if name not in {*SWITCHES, ENVIRONMENT}}
    command = [sys.executable, "-c", code, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, env=outside | environment, check=False)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1]), ended.stderr


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A process in which Keras was prepared, against what a user's file and environment say."""
    home = tmp_path_factory.mktemp("keras")
    settings = {"floatx": "float16", "image_data_format": "channels_first", "backend": "jax", "epsilon": 0.01}
    (home / "keras.json").write_text(json.dumps(settings))
    outside = {"KERAS_HOME": str(home), "TF_NUM_INTRAOP_THREADS": "1", "TF_ENABLE_ONEDNN_OPTS": "1"}
    return run(PREPARED, json.dumps(SWITCHES), **outside)


@pytest.fixture
def fresh(monkeypatch):
    """As if Keras had not been asked for in this process."""
    monkeypatch.setattr(compute, "_prepared", [])
    monkeypatch.delenv(ENVIRONMENT, raising=False)


@pytest.fixture
def at_work(monkeypatch):
    """As if Keras were at work with the defaults."""
    monkeypatch.setattr(compute, "_prepared", [ComputeOptions()])


@given(OPTIONS)
def test_each_switch_is_set_by_the_option_that_it_belongs_to(options):
    switches = compute.environment_of(options)
    threads = None if options.threads is None else str(options.threads)
    assert switches["TF_ENABLE_ONEDNN_OPTS"] == ("1" if options.onednn else "0")
    assert switches["TF_DETERMINISTIC_OPS"] == ("1" if options.deterministic else "0")
    assert switches.get("ONEDNN_MAX_CPU_ISA") == ("AVX2" if options.deterministic else None)
    assert switches.get("TF_NUM_INTRAOP_THREADS") == switches.get("OMP_NUM_THREADS") == threads
    assert set(switches) <= {*SWITCHES, "KERAS_BACKEND"}
    assert switches["KERAS_BACKEND"] == options.backend


@given(OPTIONS)
def test_a_second_preparation_passes_only_with_the_same_options_but_for_memory(options):
    changed = {name for name, value in options if value != getattr(ComputeOptions(), name)} - {"cache_megabytes"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compute, "_prepared", [ComputeOptions()])
        before = dict(os.environ)
        if changed:
            with pytest.raises(ParameterError, match=rf"^compute\.({'|'.join(changed)}) is .* Start a new process\.$"):
                prepare_keras(options)
        else:
            prepare_keras(options)
        assert dict(os.environ) == before
        assert compute._prepared == [ComputeOptions()]


def test_the_switches_are_in_the_environment_whatever_was_there(prepared):
    assert prepared[0]["switches"] == {
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "TF_DETERMINISTIC_OPS": "1",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "TF_NUM_INTRAOP_THREADS": "3",
        "TF_NUM_INTEROP_THREADS": "1",
        "OMP_NUM_THREADS": "3",
    }


def test_a_file_of_settings_in_the_home_changes_nothing(prepared):
    found = prepared[0]
    assert (found["backend"], found["image_data_format"]) == ("tensorflow", "channels_last")
    assert (found["floatx"], found["policy"], found["dtypes"]) == ("float32", "float32", ["float32"])
    assert found["first_kernel"] == [11, 11, 3, 96]


def test_a_file_of_settings_in_the_home_changes_no_loss(prepared):
    assert prepared[0]["epsilon"] == 1e-7  # what probabilities are kept from 0 by, in the loss


def test_keras_is_prepared_without_a_word(prepared):
    assert prepared[1].startswith("prepared\n")


def test_nothing_but_training_imports_a_backend():
    found, _ = run(LIGHT)
    assert {"art_pipeline.cli", "art_pipeline.models.networks.steps", "art_pipeline.hooks.parameters"} <= set(
        found["seen"]
    )
    assert found["heavy"] == []


@pytest.mark.usefixtures("fresh")
def test_a_backend_that_the_environment_contradicts_is_refused(monkeypatch):
    monkeypatch.setenv(ENVIRONMENT, "jax")
    told = r"^KERAS_BACKEND is 'jax', but compute\.backend is 'tensorflow'\. Unset KERAS_BACKEND, or"
    with pytest.raises(ParameterError, match=told):
        prepare_keras(ComputeOptions())
    assert os.environ[ENVIRONMENT] == "jax"
    with pytest.raises(ParameterError, match=told):
        check_backend(ComputeOptions())


@pytest.mark.usefixtures("fresh")
def test_a_backend_that_the_environment_names_too_passes(monkeypatch):
    monkeypatch.setenv(ENVIRONMENT, "tensorflow")
    check_backend(ComputeOptions())


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("backend", ["tensorflow", "torch", "jax"])
def test_a_backend_that_is_not_installed_is_named_with_how_to_get_it(backend, monkeypatch):
    asked = []
    monkeypatch.setattr(importlib.util, "find_spec", asked.append)
    with pytest.raises(ParameterError, match=rf"is '{backend}', which is not installed\. .* install {backend}\.$"):
        prepare_keras(ComputeOptions(backend=backend))
    assert asked == [backend]
    assert ENVIRONMENT not in os.environ


@pytest.mark.usefixtures("at_work")
def test_another_backend_than_the_one_at_work_is_refused():
    told = r"^compute\.backend is 'torch', but Keras already runs in this process with 'tensorflow'\. Start a new"
    with pytest.raises(ParameterError, match=told):
        prepare_keras(ComputeOptions(backend="torch"))


@pytest.mark.usefixtures("fresh")
def test_keras_that_somebody_else_imported_on_another_backend_is_told(monkeypatch):
    class Keras:
        class backend:  # noqa: N801 - as Keras calls it
            backend = staticmethod(lambda: "numpy")

    monkeypatch.setitem(sys.modules, "keras", Keras)
    with pytest.raises(ParameterError, match="Keras already uses the backend 'numpy' in this process"):
        prepare_keras(ComputeOptions())
    assert compute._prepared == []


def test_what_a_library_writes_beside_python_is_kept_back_and_then_no_longer(capfd):
    with compute._silence():
        os.write(2, b"hidden")
    os.write(2, b"seen")
    with pytest.raises(ImportError, match="raised"), compute._silence():
        raise ImportError("raised")
    os.write(2, b" again")
    assert capfd.readouterr().err == "seen again"


@pytest.mark.parametrize("options", [{"backend": "theano"}, {"threads": 0}, {"cache_megabytes": -1}, {"thread": 1}])
def test_options_are_closed_and_in_range(options):
    with pytest.raises(ValidationError, match=next(iter(options))):
        ComputeOptions(**options)
