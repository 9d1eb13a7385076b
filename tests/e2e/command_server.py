"""Runs the commands kedro and dvc, each in a process of its own that has their packages imported already.

The imports take longer than most commands. This process makes them once, and each command is a fork of it.
``art_pipeline`` is not among them: a command imports that of the project it runs in.

It reads one JSON object a line: ``command`` is the program and its arguments, ``cwd`` and ``env`` are the folder and
the environment, ``stdout`` and ``stderr`` are the files to write. It answers each with a line: the exit status.
"""

import atexit
import gc
import importlib
import json
import os
import sys
import threading
import traceback

PROGRAMS = {"kedro": "kedro.framework.cli", "dvc": "dvc.cli"}
# TensorFlow is not here: unlike NumPy and Arrow, it is not made to be forked.
PACKAGES = """
cv2 dvc.repo dvc.stage dvc.output dvc_data.index grimp imagehash jinja2 kedro.framework.cli.project
kedro.framework.session kedro.runner kedro_datasets.json kedro_datasets.pandas matplotlib.backends.backend_agg
matplotlib.pyplot mlflow mlflow.pyfunc mlflow.store.tracking.sqlalchemy_store omegaconf pandas PIL.Image pyarrow.parquet
pydantic requests scipy.sparse scipy.stats sklearn.cluster sklearn.metrics sklearn.model_selection sklearn.svm tenacity
"""


def serve() -> None:
    mains = {program: importlib.import_module(module).main for program, module in PROGRAMS.items()}
    for package in PACKAGES.split():
        importlib.import_module(package)
    assert "art_pipeline" not in sys.modules
    sys.path[0] = ""  # as after python -m
    gc.freeze()
    with os.fdopen(os.dup(0)) as requests, os.fdopen(os.dup(1), "w") as answers:
        for line in requests:
            child = os.fork()
            if not child:
                requests.close()
                answers.close()
                run(json.loads(line), mains)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=answers, flush=True)


def run(request, mains):
    """Become the command; does not return."""
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    for number, path in enumerate((os.devnull, request["stdout"], request["stderr"])):
        file = os.open(path, os.O_RDWR)
        os.dup2(file, number)
        os.close(file)
    sys.argv = request["command"]
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
    serve()
