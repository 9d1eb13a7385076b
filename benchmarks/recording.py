"""A recorded museum, served by the benchmarks themselves: ``replay.py`` in the recording's folder."""

import importlib.util
import threading
from pathlib import Path
from types import ModuleType

API = "/public/collection/v1"


def load(folder: Path) -> ModuleType:
    """The recording's ``replay.py``, as a module."""
    spec = importlib.util.spec_from_file_location("replay", folder / "replay.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def serve(replay: ModuleType, museum: object) -> str:
    """Serve a museum on a free port of this machine until the process ends.

    Returns:
        The server's address, without the API's path.
    """
    replay.Handler.museum = museum
    server = replay.Server(("127.0.0.1", 0), replay.Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"
