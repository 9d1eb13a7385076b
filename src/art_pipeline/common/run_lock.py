"""One run at a time in a folder of data."""

import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from art_pipeline.errors import RunningError

LOCK = ".running"


@contextmanager
def only_run(data: Path) -> Iterator[None]:
    """Hold a folder of data, so that no other run writes to it.

    The system lets go of it when the process ends, however it ends: what a killed run leaves is no lock.
    Where a file system knows no locks, runs are not kept apart.

    Args:
        data: The folder; made where it is missing.

    Raises:
        RunningError: Another run holds it; says which.
    """
    data.mkdir(parents=True, exist_ok=True)
    file = data / LOCK
    descriptor = _take(file)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(_this_run()).encode(), 0)
        yield
    finally:
        file.unlink(missing_ok=True)
        os.close(descriptor)


def _take(file: Path) -> int:
    """Open and lock a file, as long as it is the one of that name: its former holder removes it."""
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = _read(descriptor)
            os.close(descriptor)
            raise RunningError(
                f"Another run is at work in {file.parent}{other}. Wait for its end, or stop it, and run again."
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
        return ""  # it has begun this moment
