"""Keep processes running: those that die are started again, and all end with this one."""

import ctypes
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

log = logging.getLogger(__name__)

LOOK, PAUSE, LONGEST_PAUSE = 0.1, 0.5, 30.0  # seconds
SETTLED = 30.0  # seconds after which a process counts as well
STOP_TIMEOUT = 30.0  # seconds until a process that does not stop is killed
PR_SET_PDEATHSIG = 1  # of Linux: the signal that a process gets when its parent dies


@dataclass
class Child:
    """A process that is kept running, in a process group of its own.

    Attributes:
        name: What messages call it.
        command: The command.
    """

    name: str
    command: Sequence[str]
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    ended: float | None = None
    pause: float = field(default=PAUSE)

    def start(self) -> None:
        """Start it."""
        self.started, self.ended = time.monotonic(), None
        self.process = subprocess.Popen(self.command, start_new_session=True, preexec_fn=_die_with_parent)  # noqa: PLW1509

    def look(self) -> None:
        """Start it again if it has ended; the sooner it ended, the longer the pause."""
        if self.process is None or self.process.poll() is None:
            return
        now = time.monotonic()
        if self.ended is None:
            self.ended = now
            self.pause = PAUSE if now - self.started > SETTLED else min(2 * self.pause, LONGEST_PAUSE)
        if now - self.ended > self.pause:
            log.warning("The %s ended (exit code %s), and is started again.", self.name, self.process.returncode)
            self.signal(signal.SIGKILL)  # what is left of its group
            self.start()

    def signal(self, number: int) -> None:
        """Send a signal to its process group."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)


def supervise(children: Sequence[Child], is_ready: Callable[[], bool], started: Callable[[], None]) -> None:
    """Run processes until an interrupt, and then stop them.

    Args:
        children: The processes.
        is_ready: Whether they are ready.
        started: Called once when they are.
    """
    announced = False
    try:
        for child in children:
            child.start()
        while True:
            for child in children:
                child.look()
            if not announced and is_ready():
                announced = True
                started()
            time.sleep(LOOK)
    finally:
        _stop(children)


def _stop(children: Sequence[Child]) -> None:
    end = time.monotonic() + STOP_TIMEOUT
    try:
        for child in children:
            if child.process is not None:
                child.process.terminate()
        for child in children:
            if child.process is not None:
                with suppress(subprocess.TimeoutExpired):
                    child.process.wait(max(0.0, end - time.monotonic()))
    finally:  # also after a second Ctrl-C
        for child in children:
            child.signal(signal.SIGKILL)


def _die_with_parent() -> None:
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
