"""Set-up of Keras: backend, threads and kernels, on which the last digits of a network's weights depend.

Keras reads its backend, and TensorFlow its threads and kernels, when they are first imported. Call `prepare_keras`
before any other import of Keras; a process keeps one set-up.
"""

import importlib.util
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import Field

from art_pipeline.common.options import Options
from art_pipeline.errors import ParameterError

# Kernels of every x86-64 processor of the last decade, so that newer processors compute the same bytes.
COMMON_KERNELS = "AVX2"
ENVIRONMENT = "KERAS_BACKEND"
FLOAT32 = "float32"

log = logging.getLogger(__name__)

_prepared: list["ComputeOptions"] = []


class ComputeOptions(Options):
    """``compute:`` — set-up of Keras. The last digits of weights depend on all but ``cache_megabytes``.

    Attributes:
        backend: Keras backend; ``torch`` and ``jax`` are not installed with the project.
        threads: Threads within an operation (TensorFlow and PyTorch on a CPU); null for one per
            core, which makes the bytes depend on the machine.
        deterministic: Whether to use deterministic operations (TensorFlow) and, on CPUs, no oneDNN kernels newer
            than AVX2.
        precision: ``float32``; or ``mixed_float16``, in which networks are trained on a GPU about twice as fast, with
            weights in float32 (Micikevicius et al. 2018). Without a GPU, and in prediction and frozen networks, it is
            float32.
        onednn: Whether TensorFlow uses its oneDNN kernels, which are about twice as fast.
        cache_megabytes: Size of the cache of decoded images between epochs. Images beyond it are decoded
            in each epoch, ahead of the network.
    """

    backend: Literal["tensorflow", "torch", "jax"] = "tensorflow"
    threads: int | None = Field(default=4, ge=1)
    deterministic: bool = True
    precision: Literal["float32", "mixed_float16"] = "float32"
    onednn: bool = True
    cache_megabytes: int = Field(default=2048, ge=0)


def prepare_keras(options: ComputeOptions) -> None:
    """Import Keras with these options, for the whole process.

    Pipelines and commands call it before each network. The library does not, so that a server that loads a model
    keeps its own set-up.

    Raises:
        ParameterError: The backend is not installed, ``KERAS_BACKEND`` names another one, or
            Keras was imported in this process with other options.
    """
    if _prepared:
        _require_same(_prepared[0], options)
        _forget_networks()
        return
    check_backend(options)
    _require_backend(options)
    imported = "keras" in sys.modules
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.update(environment_of(options))
    with _silence():
        import keras

        keras.ops.zeros(())  # the first use of a device logs too
    if imported:
        _set_up_late(options)
    keras.config.set_image_data_format("channels_last")  # in place of ~/.keras/keras.json
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of every additional network in a process
    _prepared.append(options)
    if options.precision != FLOAT32 and not has_gpu():
        log.warning("compute.precision is %s, which needs a GPU. There is none: float32 is used.", options.precision)


def has_gpu() -> bool:
    """Return whether the backend of Keras, which is prepared, has a GPU."""
    import keras

    return bool(keras.distribution.list_devices("gpu"))


@contextmanager
def training_precision() -> Iterator[None]:
    """Let layers that are built meanwhile compute in ``compute.precision``, where there is a GPU."""
    import keras

    precision = _prepared[0].precision if _prepared else FLOAT32
    former = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision if precision != FLOAT32 and has_gpu() else FLOAT32)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(former)


def _forget_networks() -> None:
    """Free the global state of earlier networks."""
    import keras

    keras.utils.clear_session()


def check_backend(options: ComputeOptions) -> None:
    """Check that the backend is installed and agrees with ``KERAS_BACKEND``.

    Raises:
        ParameterError: It is not installed, or ``KERAS_BACKEND`` names another one.
    """
    asked = os.environ.get(ENVIRONMENT, options.backend)
    if asked != options.backend:
        raise ParameterError(
            f"{ENVIRONMENT} is {asked!r}, but compute.backend is {options.backend!r}. Unset {ENVIRONMENT}, or change "
            "compute.backend."
        )
    if importlib.util.find_spec(options.backend) is None:
        raise ParameterError(
            f"compute.backend is {options.backend!r}, which is not installed. "
            f"Install it: .venv/bin/pip install {options.backend}."
        )


def _set_up_late(options: ComputeOptions) -> None:
    """Set what can be set after Keras was imported, and warn of the rest."""
    if options.deterministic and options.backend == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    log.warning(
        "Keras was imported before the pipeline set it up. Threads and kernels may be others than those of compute, so "
        "that trained weights may differ in their last digits. Start a new process for the same bytes."
    )


def _require_backend(options: ComputeOptions) -> None:
    """Check that Keras has not been imported with another backend."""
    if "keras" in sys.modules and sys.modules["keras"].backend.backend() != options.backend:
        raise ParameterError(
            f"Keras already uses the backend {sys.modules['keras'].backend.backend()!r} in this process, but "
            f"compute.backend is {options.backend!r}. Start a new process."
        )


def _require_same(prepared: ComputeOptions, options: ComputeOptions) -> None:
    changed = [name for name, value in options if name != "cache_megabytes" and value != getattr(prepared, name)]
    if changed:
        raise ParameterError(
            f"compute.{changed[0]} is {getattr(options, changed[0])!r}, but Keras already runs in this process with "
            f"{getattr(prepared, changed[0])!r}. Start a new process."
        )


@contextmanager
def _silence() -> Iterator[None]:
    """Discard what TensorFlow's C++ code writes to stderr on import; errors are raised all the same."""
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def environment_of(options: ComputeOptions) -> dict[str, str]:
    """Return the environment variables that Keras, TensorFlow, oneDNN and PyTorch read on import."""
    switches = {
        ENVIRONMENT: options.backend,
        "TF_ENABLE_ONEDNN_OPTS": str(int(options.onednn)),
        "TF_DETERMINISTIC_OPS": str(int(options.deterministic)),
    }
    if options.deterministic:
        switches["ONEDNN_MAX_CPU_ISA"] = COMMON_KERNELS
    if options.threads is not None:
        threads = str(options.threads)
        switches |= {"TF_NUM_INTRAOP_THREADS": threads, "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": threads}
    return switches
