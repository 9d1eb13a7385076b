"""Starts a command as a fork of the process of `server.py`, and ends as it does."""

import json
import os
import signal
import socket
import sys
from pathlib import Path


def start(address: str, python: str, command: list[str]) -> int:
    """Return the exit status of a command, that of a signal as a negative number; ``python`` is its interpreter."""
    request = {"command": command, "cwd": str(Path.cwd()), "env": dict(os.environ), "python": python}
    text = json.dumps(request).encode()
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(address)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _: server.sendall(bytes([number])))
        socket.send_fds(server, [len(text).to_bytes(4)], [0, 1, 2])
        server.sendall(text)
        return int.from_bytes(server.recv(2), signed=True)


if __name__ == "__main__":
    status = start(*sys.argv[1:3], sys.argv[3:])
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)
