"""Reproducibility of clones: equal bytes, stages that run again after a change, and the cost of DVC and Kedro.

    python benchmarks/reproduce.py [--images FOLDER] [--aws PROGRAM] [--folder FOLDER]

In fresh clones of this project's last commit: ``dvc repro``, ``kedro run``, ``dvc status``; changes
of a parameter of the SVM, of AlexNet, of the subset, and of a line of the SIFT module, each with
the stages that ran, and reverted; ``dvc push`` to a local S3 server, ``dvc pull`` in
another clone. Also the same nodes in one plain script and, with ``--images``, a folder
of images pushed and pulled by DVC and by ``aws s3 sync``. Half an hour on two cores.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from art_pipeline.dvc.s3_server import BUCKET, Identity, free_ports, serving, set_remote

HERE = Path(__file__).parent
PROJECT = HERE.parent
TOOLS = {
    **os.environ,
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "DVC_NO_ANALYTICS": "1",
    "DO_NOT_TRACK": "true",
}
WRITER = Identity("writer", "WRITER", "writers-secret")
CHANGES = {
    "the SVM (bow_svm.svm.folds: 5 to 4)": ("params.yaml", "    folds: 5\n", "    folds: 4\n"),
    "AlexNet (alexnet.dropout: 0.5 to 0.4)": ("params.yaml", "  dropout: 0.5\n", "  dropout: 0.4\n"),
    "the subset (subset.split.test: 0.2 to 0.25)": ("params.yaml", "    test: 0.2\n", "    test: 0.25\n"),
    "a line of features/sift.py": ("src/art_pipeline/features/sift.py", "\nimport cv2\n", "\nimport cv2  # OpenCV\n"),
}


def main() -> None:
    """Do all of it, and print what came."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, help="a folder of images to push and pull")
    parser.add_argument("--aws", default="aws", help="the AWS command line, which is not one of the project's packages")
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder unless given")
    options = parser.parse_args()
    with ExitStack() as opened:
        folder = options.folder or Path(opened.enter_context(tempfile.TemporaryDirectory()))
        first = clone(PROJECT, folder / "first")
        reproduce(first)
        change(first)
        address = f"http://127.0.0.1:{(port := free_ports(1)[0])}"
        opened.enter_context(serving(folder / "s3", port, [WRITER]))
        carry(first, folder / "second", address)
        compare_with_plain(folder / "third")
        if options.images:
            compare_with_sync(options.images, options.aws, folder, address)


def reproduce(project: Path) -> None:
    """DVC and Kedro in turn."""
    show("dvc repro, in a fresh clone", timed(project, "dvc", "repro"))
    print(f"  dvc.lock is {'the committed one' if is_clean(project) else 'another than the committed one'}")
    show("kedro run, after it", timed(project, "kedro", "run"))
    print(f"  dvc status: {status(project)}")
    show(
        "dvc repro with nothing to do, median of 5", statistics.median(timed(project, "dvc", "repro") for _ in range(5))
    )


def change(project: Path) -> None:
    """Change one thing, run what depends on it, and take the change back."""
    for what, (name, old, new) in CHANGES.items():
        file = project / name
        text = file.read_text(encoding="utf-8")
        if old not in text:
            raise SystemExit(f"{name} no longer has {old!r}.")
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        seconds, said = measured(project, "dvc", "repro")
        show(f"after a change of {what}", seconds)
        print(f"  ran: {', '.join(re.findall(r'Running stage .([^:]+).:', said))}")
        file.write_text(text, encoding="utf-8")
        seconds, said = measured(project, "dvc", "repro")
        ran = re.findall(r"Running stage .([^:]+).:", said)
        show("  taken back", seconds)
        print(f"  ran: {', '.join(ran) or 'nothing'}; dvc status: {status(project)}")


def carry(project: Path, other: Path, address: str) -> None:
    """Push, and pull in another clone."""
    set_remote(project, "store", address, WRITER)
    show("dvc push", timed(project, "dvc", "push"))
    clone(project, other)
    set_remote(other, "store", address, WRITER)
    show("dvc pull, in another clone", timed(other, "dvc", "pull"))
    print(f"  dvc status: {status(other)}")


def compare_with_plain(project: Path) -> None:
    """``kedro run`` against a script that calls the same nodes, each from an empty folder of data."""
    clone(PROJECT, project)
    sides = {"the same nodes in a plain script": [sys.executable, str(HERE / "peers" / "nodes.py")]}
    sides["kedro run, from an empty folder"] = ["kedro", "run"]
    times = {}
    for side, command in sides.items():
        shutil.rmtree(project / "data")
        times[side] = timed(project, *command)
        show(side, times[side])
    plain, ours = times.values()
    print(f"  ratio: {ours / plain:.2f}")


def compare_with_sync(images: Path, aws: str, folder: Path, address: str) -> None:
    """Push and pull a folder by DVC and by ``aws s3 sync``, alternating."""
    keys = {"AWS_ACCESS_KEY_ID": WRITER.key, "AWS_SECRET_ACCESS_KEY": WRITER.secret, "AWS_DEFAULT_REGION": "us-east-1"}
    project = folder / "images"
    project.mkdir()
    shutil.copytree(images, project / "data")
    files = [file for file in (project / "data").rglob("*") if file.is_file()]
    print(f"{len(files)} images, {sum(file.stat().st_size for file in files) / 1e6:.0f} MB")
    for command in (("git", "init", "--quiet"), ("dvc", "init", "--quiet"), ("dvc", "add", "--quiet", "data")):
        timed(project, *command)
    set_remote(project, "store", address, WRITER)
    timed(project, "dvc", "remote", "modify", "--local", "store", "url", f"s3://{BUCKET}/images")
    sync = [aws, "--endpoint-url", address, "s3", "sync", "--quiet"]
    there = f"s3://{BUCKET}/sync"

    def forget() -> None:
        shutil.rmtree(project / ".dvc" / "cache")
        shutil.rmtree(project / "data")

    turns: list[tuple[str, Callable[[], object] | None, list[str]]] = [
        ("dvc push", None, ["dvc", "push"]),
        ("aws s3 sync, up", None, [*sync, "data", there]),
        ("dvc push, nothing new", None, ["dvc", "push"]),
        ("aws s3 sync, nothing new", None, [*sync, "data", there]),
        ("dvc pull", forget, ["dvc", "pull"]),
        ("aws s3 sync, down", lambda: shutil.rmtree(project / "data"), [*sync, there, "data"]),
    ]
    for what, before, command in turns:
        if before:
            before()
        show(what, timed(project, *command, **keys))


def clone(project: Path, path: Path) -> Path:
    """A fresh clone of the last commit."""
    timed(project, "git", "clone", "--quiet", str(project), str(path))
    return path


def is_clean(project: Path) -> bool:
    """Whether ``dvc.lock`` is the committed one."""
    return not measured(project, "git", "status", "--porcelain", "dvc.lock")[1]


def status(project: Path) -> str:
    """What ``dvc status`` says, in one line."""
    return " ".join(measured(project, "dvc", "status")[1].split())[:300]


def timed(project: Path, *command: str, **environment: str) -> float:
    """Seconds that a command takes."""
    return measured(project, *command, **environment)[0]


def measured(project: Path, *command: str, **environment: str) -> tuple[float, str]:
    """Seconds that a command takes, and what it says; with the clone's own code."""
    start = time.perf_counter()
    answer = subprocess.run(command, cwd=project, env=TOOLS | environment, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise SystemExit(f"{' '.join(command)}: {answer.stdout[-2000:]}{answer.stderr[-2000:]}")
    return time.perf_counter() - start, answer.stdout


def show(what: str, seconds: float) -> None:
    """Print a line at once: the whole takes long."""
    print(f"{what}: {seconds:.1f} s", flush=True)


if __name__ == "__main__":
    main()
