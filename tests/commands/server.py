"""Runs the commands kedro and dvc, each in a process of its own that has their packages imported already.

The imports take longer than most commands. This process makes them once, and each command is a fork of it; one server
serves all workers. ``art_pipeline`` is not among them: a command imports that of the project it runs in.

``server.py FOLDER OWNER`` writes the commands ``kedro``, ``dvc`` and ``python`` into a folder, which comes first on the
``PATH``: a test starts them as it would start the real ones, and so do the commands themselves, such as ``dvc repro``.
``python`` is that of this environment, but for ``python -m kedro`` and ``python -m dvc``.
"""

import atexit
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

PROGRAMS = {"kedro": "kedro.framework.cli", "dvc": "dvc.cli"}
# TensorFlow is not here: unlike NumPy and Arrow, it is not made to be forked.
PACKAGES = """
cv2 dvc.repo dvc.stage dvc.output dvc_data.index grimp imagehash jinja2 kedro.framework.cli.project
kedro.framework.session kedro.runner kedro_datasets.json kedro_datasets.pandas matplotlib.backends.backend_agg
matplotlib.pyplot mlflow mlflow.pyfunc mlflow.store.tracking.sqlalchemy_store omegaconf pandas PIL.Image pyarrow.parquet
pydantic requests scipy.sparse scipy.stats sklearn.cluster sklearn.metrics sklearn.model_selection sklearn.svm tenacity
"""
SCRIPT = '#!/bin/sh\nexec "{python}" -IS "{client}" "{address}" "{folder}/python" {name} "$@"\n'
PYTHON = """#!/bin/sh
case "$1 $2" in
  "-m kedro" | "-m dvc") name="$2"; shift 2; exec "{folder}/$name" "$@" ;;
  */dvc/__main__.py*) shift; exec "{folder}/dvc" "$@" ;;
esac
exec "{python}" "$@"
"""


def serve(folder, owner):
    """Write the commands, and serve them in the background until the process ``owner`` has ended."""
    mains = {program: importlib.import_module(module).main for program, module in PROGRAMS.items()}
    for package in PACKAGES.split():
        importlib.import_module(package)
    assert "art_pipeline" not in sys.modules
    sys.path[0] = ""  # as after python -m
    gc.freeze()
    address = str(Path(mkdtemp(prefix="art-commands-")) / "socket")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        server.settimeout(0.5)
        install(folder, address)
        if os.fork():
            return
        while is_alive(owner):
            with suppress(ChildProcessError):
                os.waitpid(-1, os.WNOHANG)
            with suppress(TimeoutError):
                connection, _ = server.accept()
                with connection:
                    if not os.fork():
                        server.close()
                        answer(connection, mains)
                        os._exit(0)
    shutil.rmtree(Path(address).parent)


def install(folder, address):
    client = Path(__file__).with_name("client.py")
    texts = {"python": PYTHON} | dict.fromkeys(PROGRAMS, SCRIPT)
    for name, text in texts.items():
        file = folder / name
        file.write_text(text.format(python=sys.executable, client=client, address=address, folder=folder, name=name))
        file.chmod(0o755)


def is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def answer(connection, mains):
    """Run the command of a request; pass signals on, and kill it if the client is killed."""
    length, files, *_ = socket.recv_fds(connection, 4, 3)
    request = json.loads(connection.recv(int.from_bytes(length), socket.MSG_WAITALL))
    ended, wakeup = socket.socketpair()
    wakeup.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakeup.fileno())
    child = os.fork()
    if not child:
        signal.set_wakeup_fd(-1)
        for one in (connection, ended, wakeup):
            one.close()
        run(request, files, mains)
    for file in files:
        os.close(file)
    while ended not in select.select([ended, connection], [], [])[0]:
        pass_on(connection.recv(1), child)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with suppress(BrokenPipeError):
        connection.sendall(status.to_bytes(2, signed=True))


def pass_on(received, child):
    """Send the signal of a client to its command, or the end of one that was killed to the command's group."""
    if received:
        os.kill(child, received[0])
        return
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.kill(child, signal.SIGKILL)
    os._exit(0)


def run(request, files, mains):
    """Become the command; does not return."""
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setpgid(0, 0)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.argv = request["command"]
    sys.executable = request["python"]
    sys.dont_write_bytecode = False
    os._exit(finish(mains[sys.argv[0]]))


def finish(main):
    """Call a program's main function, and end as the interpreter does; return the exit status."""
    try:
        status = main()
    except SystemExit as end:
        status = end.code
    except BaseException:
        status = traceback.format_exc()
    if isinstance(status, str):
        sys.stderr.write(f"{status}\n")
        status = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return status or 0


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
