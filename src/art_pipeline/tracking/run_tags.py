"""Tags of a run that describe its origin: command, session, commit and process."""

import hashlib
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

import psutil

from art_pipeline.lineage.git import describe_source

SESSION_TAG = "session"
PROCESS_TAG = "art_pipeline.process"
EXPERIMENT_TAG = "dvc.experiment"
COMMAND_WORDS = 2  # of a session's name, such as "kedro run"


def origin_tags(project: Path) -> dict[str, str]:
    """Return the tags that describe the origin of a run.

    All runs of one ``kedro run`` have the same ``session``, which is the start time of the command in UTC and the
    command; so have all runs of one ``dvc repro``, which starts a ``kedro run`` for each stage.
    """
    command = command_line(sys.argv)
    return {
        SESSION_TAG: _session(),
        "kedro.command": command,
        "mlflow.source.name": command,
        PROCESS_TAG: this_process(),
        **git_tags(project),
        **({EXPERIMENT_TAG: os.environ["DVC_EXP_NAME"]} if os.environ.get("DVC_EXP_NAME") else {}),
    }


def command_line(arguments: list[str]) -> str:
    """Return the command as the user typed it, without the path of the program.

    >>> command_line(["/usr/bin/kedro", "run", "--env", "test"])
    'kedro run --env test'
    """
    program = Path(arguments[0]).stem
    return " ".join(["kedro", *arguments[1:]]) if program.endswith(("kedro", "__main__")) else program


def git_tags(project: Path) -> dict[str, str]:
    """Return the commit, and whether there were uncommitted changes; empty where there is no commit."""
    source = describe_source(project)
    if source.commit is None:
        return {}
    return {"mlflow.source.git.commit": source.commit, "git.dirty": str(source.changes is not None).lower()}


def this_process() -> str:
    """Return an identifier of this process, unique on this machine."""
    return f"{this_machine()}:{os.getpid()}:{psutil.Process().create_time():.2f}"


def is_alive(process: str) -> bool:
    """Return whether a process of this machine still runs; another one may have its number by now."""
    _, pid, created = process.split(":")
    try:
        return f"{psutil.Process(int(pid)).create_time():.2f}" == created
    except psutil.NoSuchProcess:
        return False


def this_machine() -> str:
    """Return an anonymous identifier of this machine or container."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:12]


def _session() -> str:
    process = (_parent_dvc() if "DVC_STAGE" in os.environ else None) or psutil.Process()
    command = " ".join(command_line(sys.argv).split()[:COMMAND_WORDS]) if process.pid == os.getpid() else _dvc_command()
    return f"{datetime.fromtimestamp(process.create_time(), UTC):%Y-%m-%d %H:%M:%S} {command}"


def _dvc_command() -> str:
    name = os.environ.get("DVC_EXP_NAME")
    return f"dvc exp run {name}" if name else "dvc repro"


def _parent_dvc() -> psutil.Process | None:
    """Return the DVC process that started this one, directly or through a shell."""
    for process in psutil.Process().parents():
        try:
            words = [Path(word).name for word in process.cmdline()[:3]]
        except psutil.Error:
            continue
        if "dvc" in words:
            return process
    return None
