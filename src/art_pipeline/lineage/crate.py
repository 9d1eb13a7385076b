"""A result to take elsewhere: a Provenance Run Crate, which any reader of RO-Crates understands.

It holds what is small: figures and tables, the code that ran, its parameters and pinned packages, the
record and a model card. What is large is told by its path, size and digest. The same result gives the
same bytes.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath

from art_pipeline.common.files import replace_folder
from art_pipeline.errors import LineageError
from art_pipeline.lineage.crate_plan import plan
from art_pipeline.lineage.crate_run import run
from art_pipeline.lineage.crate_words import CARD, CONTEXT, WORKFLOW, Crate, Told
from art_pipeline.lineage.digest import FOLDER, digest_bytes
from art_pipeline.lineage.environment import LOCK, date_of, files_at
from art_pipeline.lineage.record import RECORD, Artifact, Record, require_whole
from art_pipeline.lineage.verify_origin import expected_parameters, other_parameters

METADATA = "ro-crate-metadata.json"
LARGEST = 1_000_000  # bytes of a file that goes in
PARAMETERS, LICENCE = "params.yaml", "LICENSE"

Opener = Callable[[Artifact], AbstractContextManager[Path]]


def write_crate(record: Record, told: Told, bytes_of: Opener, project: Path, folder: Path) -> None:
    """Write a result as a crate.

    Args:
        record: Of the result.
        told: What is said of it beside the record.
        bytes_of: Gives a place where an artifact's bytes are, such as `Store.opened`.
        project: Where code and parameters are looked for as they ran: in git, then in the workspace.
        folder: Where the crate is written to; not there yet, or empty.

    Raises:
        LineageError: The folder holds something, or what must go in is not as it was recorded.
        StorageError: The disk is full.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LineageError(f"{folder} is not empty. Name a folder that is not there yet.")
    require_whole(record)
    files = {**_sources(record, project), **_data(record, bytes_of), **_words(record, told)}
    crate = Crate(record, told, files, _date(record, told, project))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with replace_folder(folder) as place:
        for path, held in {**files, METADATA: _describe(crate)}.items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_bytes(held)


def _describe(crate: Crate) -> bytes:
    """The metadata file, its entities in the order of their ids."""
    entities = sorted([*plan(crate), *run(crate)], key=lambda one: one["@id"])
    content = {"@context": CONTEXT, "@graph": entities}
    return (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def _words(record: Record, told: Told) -> dict[str, bytes]:
    return {RECORD: record.text.encode(), CARD: told.card.encode()}


def _data(record: Record, bytes_of: Opener) -> dict[str, bytes]:
    """Artifacts that are one small file each, with their bytes."""
    small = [one for one in record.artifacts.values() if not one.digest.endswith(FOLDER) and one.size <= LARGEST]
    return {_within(artifact.path): _bytes_as_recorded(artifact, bytes_of) for artifact in small}


def _within(path: str) -> str:
    """A path of a record, which may come from anywhere and must not lead anywhere."""
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise LineageError(f"The record names {path}, which is outside of the project.")
    return path


def _bytes_as_recorded(artifact: Artifact, bytes_of: Opener) -> bytes:
    with bytes_of(artifact) as file:
        content = file.read_bytes()
    if digest_bytes(content) != artifact.digest:
        raise LineageError(
            f"{artifact.path} is not what the record says: {digest_bytes(content)} in place of {artifact.digest}. "
            "kedro lineage verify tells what else is not."
        )
    return content


def _sources(record: Record, project: Path) -> dict[str, bytes]:
    """Code, parameters and pinned packages as they ran, where they can still be found."""
    digests = {path: md5 for step in record.steps.values() for path, md5 in step.code.items()}
    digests |= {LOCK: record.environment.lock} if record.environment.lock else {}
    found: dict[str, bytes] = {}
    for path, content in _candidates({*digests, PARAMETERS, WORKFLOW, LICENCE}, record, project):
        if path not in found and _is_as_it_ran(path, content, digests, record):
            found[path] = content
    if WORKFLOW not in found:
        commit = record.source.commit
        raise LineageError(f"{WORKFLOW} is neither here nor in git at commit {commit}. git fetch may bring it.")
    return found


def _candidates(paths: Iterable[str], record: Record, project: Path) -> Iterator[tuple[str, bytes]]:
    """Files as they were committed, and then as they are here."""
    names = sorted(map(_within, paths))
    if record.source.commit:
        yield from (files_at(project, record.source.commit, names) or {}).items()
    for name in names:
        if (project / name).is_file():
            yield name, (project / name).read_bytes()


def _is_as_it_ran(path: str, content: bytes, digests: dict[str, str], record: Record) -> bool:
    """By its digest, or for the parameters by their values; what the record does not tell of may be anything."""
    if path == PARAMETERS:
        return _has_values(content, record)
    return path not in digests or digest_bytes(content) == digests[path]


def _has_values(text: bytes, record: Record) -> bool:
    """Whether these are the parameters that were read, but for those that were set past them."""
    return not other_parameters(expected_parameters(record), text)


def _date(record: Record, told: Told, project: Path) -> str:
    """The commit's, or one that is given. Never that of today."""
    date = told.date or (date_of(project, record.source.commit) if record.source.commit else None)
    if not date:
        raise LineageError(
            "The result has no date, which a crate must have: its commit is not here. git fetch may bring it; or give "
            "one, as --date 2026-03-04."
        )
    return date
