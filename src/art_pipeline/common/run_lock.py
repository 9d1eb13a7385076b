"""Lock: one run at a time per data folder."""

import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from art_pipeline.common.files import explain_write_errors
from art_pipeline.errors import RunningError

LOCK = ".running"


@contextmanager
def only_run(data: Path) -> Iterator[None]:
    """Lock a data folder, so that no other run writes to it.

    The operating system releases the lock when the process ends, even if it is killed. File systems without locks are
    not protected.

    Args:
        data: The folder; created if it is missing.

    Raises:
        RunningError: Another run holds the lock; the message names it.
        StorageError: The folder cannot be written.
    """
    file = data / LOCK
    with explain_write_errors(file):
        data.mkdir(parents=True, exist_ok=True)
        descriptor = _take(file)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(_this_run()).encode(), 0)
        yield
    finally:
        file.unlink(missing_ok=True)
        os.close(descriptor)


def _take(file: Path) -> int:
    """Open and lock a file; retry if its previous holder deleted it meanwhile."""
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = _read(descriptor)
            os.close(descriptor)
            raise RunningError(
                f"Another run is using {file.parent}{other}. Wait until it ends, or stop it, and run again."
            ) from None
        except OSError:
            return descriptor
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), file.stat()):
                return descriptor
        os.close(descriptor)


def _this_run() -> dict[str, object]:
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    return {"process": os.getpid(), "command": command, "since": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"}


def _read(descriptor: int) -> str:
    try:
        run = json.loads(os.pread(descriptor, 1 << 16, 0))
        return f": process {run['process']}, {run['command']}, since {run['since']}"
    except (ValueError, KeyError, TypeError):
        return ""  # the other run has not written its details yet
