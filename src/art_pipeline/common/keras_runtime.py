"""How networks are computed: Keras' backend, and what its bytes depend on.

Keras chooses its backend, and TensorFlow its threads and kernels, when they are first
imported. So `prepare_keras` comes before any other import of Keras, and a process keeps to one choice.
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

# Kernels that every x86-64 processor of the last decade has, so that newer ones calculate the same.
COMMON_KERNELS = "AVX2"
ENVIRONMENT = "KERAS_BACKEND"

_prepared: list["ComputeOptions"] = []


class ComputeOptions(Options):
    """``compute:`` — how networks are computed. Weights depend on all of it, in their last digits.

    Attributes:
        backend: Keras' backend; ``torch`` and ``jax`` are not installed with the project.
        threads: Threads inside an operation (TensorFlow and PyTorch on a CPU); null for one a
            core, and then the bytes depend on the machine.
        deterministic: Same kernels in the same order: no operation that sums in an order of its own, of which
            TensorFlow alone is told; and on CPUs no oneDNN kernel that only the newest processors have.
        onednn: TensorFlow's oneDNN kernels, about twice as fast as those without.
        cache_megabytes: Megabytes of decoded images that are kept between epochs. What does not fit is
            decoded again, ahead of the network.
    """

    backend: Literal["tensorflow", "torch", "jax"] = "tensorflow"
    threads: int | None = Field(default=4, ge=1)
    deterministic: bool = True
    onednn: bool = True
    cache_megabytes: int = Field(default=2048, ge=0)


def prepare_keras(options: ComputeOptions) -> None:
    """Import Keras with this backend, these threads and kernels, for the whole of this process.

    Runs and commands do so before each network; the library does not, so that a server which loads a model
    keeps Keras as it has it.

    Raises:
        ParameterError: The backend is not installed, ``KERAS_BACKEND`` names another one, or
            Keras is at work in this process with other options.
    """
    if _prepared:
        _require_same(_prepared[0], options)
        _forget_networks()
        return
    check_backend(options)
    _require_fresh(options)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.update({ENVIRONMENT: options.backend, **_switches(options)})
    with _silence():
        import keras

        keras.ops.zeros(())  # the first use of a device has something to say too
    keras.config.set_image_data_format("channels_last")  # whatever a file of settings in the user's home says
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of every further network in a process
    _prepared.append(options)


def _forget_networks() -> None:
    """Free what earlier networks of a run left in Keras."""
    import keras

    keras.utils.clear_session()


def check_backend(options: ComputeOptions) -> None:
    """Let a backend pass if it is installed, and is the one that the environment asks for.

    Raises:
        ParameterError: It is not.
    """
    asked = os.environ.get(ENVIRONMENT, options.backend)
    if asked != options.backend:
        raise ParameterError(
            f"{ENVIRONMENT} is {asked!r} and compute.backend {options.backend!r}. Unset the one, or change the other."
        )
    if importlib.util.find_spec(options.backend) is None:
        raise ParameterError(
            f"compute.backend is {options.backend!r}, which is not installed. "
            f"Install it: .venv/bin/pip install {options.backend}."
        )


def _require_fresh(options: ComputeOptions) -> None:
    """Keras that somebody imported before us has chosen already."""
    if "keras" in sys.modules and sys.modules["keras"].backend.backend() != options.backend:
        raise ParameterError(
            f"Keras runs on {sys.modules['keras'].backend.backend()!r} in this process already, and compute.backend is "
            f"{options.backend!r}. Start a new process."
        )


def _require_same(prepared: ComputeOptions, options: ComputeOptions) -> None:
    changed = [name for name, value in options if name != "cache_megabytes" and value != getattr(prepared, name)]
    if changed:
        raise ParameterError(
            f"compute.{changed[0]} is {getattr(options, changed[0])!r}, and Keras is at work in this process with "
            f"{getattr(prepared, changed[0])!r}. Start a new process."
        )


@contextmanager
def _silence() -> Iterator[None]:
    """Keep to ourselves what TensorFlow's C++ part writes at every import; errors are raised anyway."""
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _switches(options: ComputeOptions) -> dict[str, str]:
    """What TensorFlow, oneDNN and PyTorch read from the environment when they are imported."""
    switches = {
        "TF_ENABLE_ONEDNN_OPTS": str(int(options.onednn)),
        "TF_DETERMINISTIC_OPS": str(int(options.deterministic)),
    }
    if options.deterministic:
        switches["ONEDNN_MAX_CPU_ISA"] = COMMON_KERNELS
    if options.threads is not None:
        threads = str(options.threads)
        switches |= {"TF_NUM_INTRAOP_THREADS": threads, "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": threads}
    return switches
