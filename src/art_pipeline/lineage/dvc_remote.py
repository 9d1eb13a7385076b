"""Fetch from and push to DVC's remote, with DVC's own reasons where that fails."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from art_pipeline.errors import DvcError

LOGGERS = ("dvc", "dvc_data", "dvc_objects", "dvc_s3")
MAX_SHOWN = 300  # characters of a reason


class Pushed(NamedTuple):
    """The outcome of a push.

    Attributes:
        sent: Number of objects that the remote lacked.
        total: Number of objects that belong to the data of the workspace.
    """

    sent: int
    total: int


def fetch(project: Path, digests: Iterable[str]) -> str | None:
    """Fetch objects from the default remote into the cache; objects that the remote lacks are skipped.

    Args:
        project: The project's folder.
        digests: Digests of files, or of folder listings, which are fetched without the files.

    Returns:
        Why the remote cannot be used, in DVC's words; None where it can, or where there is none.
    """
    from dvc.config import NoRemoteError
    from dvc.exceptions import NotDvcRepoError
    from dvc.repo import Repo
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_data.hashfile.transfer import transfer

    with _capture_errors() as errors:
        try:
            with Repo(str(project)) as repo:
                remote = repo.cloud.get_remote_odb(None, "pull")
                wanted = [HashInfo("md5", value) for value in digests]
                # Without DVC's index of the remote, which assumes that a folder's files exist where its listing does.
                transfer(remote, repo.cache.local, wanted, verify=True)
        except (NoRemoteError, NotDvcRepoError):
            return None
        except Exception as error:  # of any library that the kind of remote needs
            return _reason(project, error)
    failures = [error for error in errors if not isinstance(error, FileNotFoundError)]
    return _reason(project, failures[0]) if failures else None


def push(project: Path, remote: str | None = None) -> Pushed:
    """Send what a remote lacks of the data that ``dvc.lock`` lists, after asking the remote for every object.

    ``dvc push`` assumes that the files of a folder exist where the folder's listing does. A failed push may
    have sent a listing without a file that two folders share; this function sends that file.

    Args:
        project: The project's folder.
        remote: Name of the remote; None for the default one.

    Raises:
        DvcError: The remote cannot be used, or an object cannot be sent; with DVC's reason.
    """
    from dvc.repo import Repo
    from dvc_data.hashfile.db import get_index
    from dvc_data.hashfile.transfer import transfer

    with _capture_errors() as errors:
        try:
            with Repo(str(project)) as repo:
                target, cache = repo.cloud.get_remote_odb(remote, "push"), repo.cache.local
                used = {one for objects in repo.used_objs().values() for one in objects}
                wanted = _with_files(used, cache)
                done = transfer(cache, target, wanted, shallow=False, cache_odb=cache)
                index = get_index(target)
                index.clear()  # an earlier push may have written wrong entries
                index.close()
        except Exception as error:  # of any library that the kind of remote needs
            raise DvcError(_reason(project, error)) from error
    if done.failed:
        reason = f" {_reason(project, errors[0])}" if errors else ""
        raise DvcError(f"{len(done.failed)} of {len(wanted)} objects were not sent. Run the command again.{reason}")
    return Pushed(len(done.transferred), len(wanted))


def _with_files(used: Iterable[Any], cache: Any) -> set[Any]:
    """Return objects, and the files of those that are folder listings.

    Raises:
        DvcError: One is not in the cache.
    """
    from dvc_data.hashfile.tree import Tree

    wanted = set(used)
    for one in used:
        if one.isdir:
            wanted |= {entry for _, _, entry in Tree.load(cache, one)}
    missing = sorted(one.value for one in wanted if not cache.exists(one.value))
    if missing:
        raise DvcError(f"{len(missing)} objects that dvc.lock lists are not in DVC's cache. Run dvc repro or dvc pull.")
    return wanted


def _reason(project: Path, error: BaseException) -> str:
    """Return the innermost message of an error, without the paths of this machine."""
    while error.__cause__ is not None:
        error = error.__cause__
    words = " ".join(str(error).split()).replace(str(project), ".")[:MAX_SHOWN] or type(error).__name__
    return f"DVC's remote cannot be used: {words}"


class _Collector(logging.Handler):
    """Collects the exceptions of log records."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1]:
            self.errors.append(record.exc_info[1])


@contextmanager
def _capture_errors() -> Iterator[list[BaseException]]:
    """Collect the exceptions that DVC logs, and keep its log lines off the screen."""
    collector = _Collector()
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(logger, logger.propagate, logger.handlers[:]) for logger in loggers]
    for logger in loggers:
        logger.propagate, logger.handlers = False, [collector]
    try:
        yield collector.errors
    finally:
        for logger, propagate, handlers in before:
            logger.propagate, logger.handlers = propagate, handlers
