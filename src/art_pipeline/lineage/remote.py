"""DVC's remote, with DVC's own reasons where it cannot be used."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from art_pipeline.errors import DvcError

LOGGERS = ("dvc", "dvc_data", "dvc_objects", "dvc_s3")
SHOWN = 300  # characters of a reason


class Pushed(NamedTuple):
    """What a push came to.

    Attributes:
        sent: Objects that the remote lacked.
        kept: All objects that belong to the data here.
    """

    sent: int
    kept: int


def fetch(project: Path, digests: Iterable[str]) -> str | None:
    """Bring objects from the default remote into the cache, as far as the remote has them.

    Args:
        project: The project's folder.
        digests: Of files, or of folders' listings, which come without the files.

    Returns:
        Why the remote could not be asked, in DVC's words; None where it could, or where there is none.
    """
    from dvc.config import NoRemoteError
    from dvc.exceptions import NotDvcRepoError
    from dvc.repo import Repo
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_data.hashfile.transfer import transfer

    with _quiet() as said:
        try:
            with Repo(str(project)) as repo:
                remote = repo.cloud.get_remote_odb(None, "pull")
                cache = repo.cache.local
                wanted = [HashInfo("md5", value) for value in digests]
                # Without DVC's index of the remote, which takes the files of a folder for present with its listing.
                transfer(remote, cache, wanted, verify=True)
        except (NoRemoteError, NotDvcRepoError):
            return None
        except Exception as error:  # of whatever library the remote's kind needs
            return _reason(project, error)
    failures = [error for error in said if not isinstance(error, FileNotFoundError)]
    return _reason(project, failures[0]) if failures else None


def push(project: Path, remote: str | None = None) -> Pushed:
    """Send to a remote what it lacks of the data that the workspace's ``dvc.lock`` lists, asking for every object.

    ``dvc push`` takes the files of a folder for present where the folder's listing is. A push that failed may
    have sent a listing without a file that two folders share; this completes it.

    Args:
        project: The project's folder.
        remote: Name of the remote; None for the default one.

    Raises:
        DvcError: The remote cannot be used, or an object cannot be sent; with DVC's reason.
    """
    from dvc.repo import Repo
    from dvc_data.hashfile.db import get_index
    from dvc_data.hashfile.transfer import transfer

    with _quiet() as said:
        try:
            with Repo(str(project)) as repo:
                target, cache = repo.cloud.get_remote_odb(remote, "push"), repo.cache.local
                used = {one for objects in repo.used_objs().values() for one in objects}
                kept = _with_files(used, cache)
                done = transfer(cache, target, kept, shallow=False, cache_odb=cache)
                index = get_index(target)
                index.clear()  # it may hold what an earlier push believed
                index.close()
        except Exception as error:  # of whatever library the remote's kind needs
            raise DvcError(_reason(project, error)) from error
    if done.failed:
        why = f" {_reason(project, said[0])}" if said else ""
        raise DvcError(f"{len(done.failed)} of {len(kept)} objects were not sent. Run it again.{why}")
    return Pushed(len(done.transferred), len(kept))


def _with_files(used: Iterable[Any], cache: Any) -> set[Any]:
    """Objects, and the files of those that are folders' listings.

    Raises:
        DvcError: One is not in the cache.
    """
    from dvc_data.hashfile.tree import Tree

    kept = set(used)
    for one in used:
        if one.isdir:
            kept |= {entry for _, _, entry in Tree.load(cache, one)}
    lacking = sorted(one.value for one in kept if not cache.exists(one.value))
    if lacking:
        raise DvcError(f"{len(lacking)} objects that dvc.lock lists are not in DVC's cache. Run dvc repro or dvc pull.")
    return kept


def _reason(project: Path, error: BaseException) -> str:
    """The innermost words of an error, without this machine's paths."""
    while error.__cause__ is not None:
        error = error.__cause__
    words = " ".join(str(error).split()).replace(str(project), ".")[:SHOWN] or type(error).__name__
    return f"DVC's remote cannot be used: {words}"


@contextmanager
def _quiet() -> Iterator[list[BaseException]]:
    """Keep DVC's own lines, with their tracebacks, away from the screen; the errors in them are collected."""
    collected: list[BaseException] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info and record.exc_info[1]:
                collected.append(record.exc_info[1])

    collector, before = Collector(), {}
    for name in LOGGERS:
        logger = logging.getLogger(name)
        before[logger] = (logger.propagate, logger.handlers[:])
        logger.propagate, logger.handlers = False, [collector]
    try:
        yield collected
    finally:
        for logger, (propagate, handlers) in before.items():
            logger.propagate, logger.handlers = propagate, handlers
