"""Export a result as a Provenance Run Crate, an RO-Crate that other tools can read.

The crate contains what is small: tables, metrics, the code that ran, its parameters, the pinned packages,
the record and a model card. Large files and folders are described by path, size and digest. The same result
gives the same bytes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self

from art_pipeline.common.files import replace_folder
from art_pipeline.errors import LineageError
from art_pipeline.lineage.digest import FOLDER, digest_bytes
from art_pipeline.lineage.environment import LOCK
from art_pipeline.lineage.git import commit_date, read_files_at
from art_pipeline.lineage.model_card import card_sources, read_and_write_card
from art_pipeline.lineage.params_file import PARAMETERS, changed_parameters, expected_parameters
from art_pipeline.lineage.record import RECORD, Artifact, Record, require_complete
from art_pipeline.lineage.ro_crate_metadata import CARD, WORKFLOW, CrateBuilder
from art_pipeline.lineage.untrusted import read_json

MAX_BYTES = 1_000_000  # of a file in the crate
LICENCE = "LICENSE"

Opener = Callable[[Artifact], AbstractContextManager[Path]]


@dataclass(frozen=True)
class Description:
    """What a crate contains beside the record and the files that it names.

    Attributes:
        card: The model card, in Markdown.
        metrics: As returned by `metrics.compute_metrics`.
        date: Publication date in ISO 8601; None for the date of the commit.
    """

    card: str
    metrics: Mapping[str, Any]
    date: str | None = None

    @classmethod
    def of(cls, record: Record, open_artifact: Opener, date: str | None = None) -> Self:
        """Write the model card of a record from the artifacts that it needs, which are opened.

        Raises:
            LineageError: The record is not complete, or an artifact is missing or not what it should be.
        """
        require_complete(record)
        missing = [name for name in card_sources(record) if name not in record.artifacts]
        if missing:
            raise LineageError(f"The record of lineage lacks {missing[0]}, which the model card needs.")
        with ExitStack() as stack:
            files = [stack.enter_context(open_artifact(record.artifacts[name])) for name in card_sources(record)]
            try:
                return cls(read_and_write_card(record, *files), read_json(files[0]), date)
            except (ValueError, KeyError, TypeError, AttributeError) as error:  # a crafted record may name any file
                raise LineageError(f"The model card of this result cannot be written: {error}") from error


def write_crate(record: Record, description: Description, open_artifact: Opener, project: Path, folder: Path) -> None:
    """Write a result as a Provenance Run Crate.

    Args:
        record: The record of the result.
        description: The model card, the metrics and the date.
        open_artifact: Opens an artifact at a path, such as `ArtifactStore.open`.
        project: The project's folder; code and parameters are taken from git, or from the workspace.
        folder: The folder to write; it must be empty or not exist.

    Raises:
        LineageError: The folder is not empty, a file differs from the record, or there is no date.
        StorageError: The disk is full.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LineageError(f"{folder} is not empty. Name a folder that does not exist.")
    require_complete(record)
    files = {
        **_code(record, project),
        **_data(record, open_artifact),
        RECORD: record.text.encode(),
        CARD: description.card.encode(),
    }
    published = description.date or _commit_date(record, project)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with replace_folder(folder) as target:
        CrateBuilder(record, description.metrics, files, published).build().write(target)


def _data(record: Record, open_artifact: Opener) -> dict[str, bytes]:
    """Return the artifacts that are one small file each, by path."""
    artifacts = record.artifacts.values()
    small = [one for one in artifacts if not one.digest.endswith(FOLDER) and one.size <= MAX_BYTES]
    return {_require_inside(artifact.path): _read_recorded(artifact, open_artifact) for artifact in small}


def _require_inside(path: str) -> str:
    """Check a path of a record: a crafted record must not read files outside of the project."""
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise LineageError(f"The record names {path}, which is outside of the project.")
    return path


def _read_recorded(artifact: Artifact, open_artifact: Opener) -> bytes:
    with open_artifact(artifact) as file:
        content = file.read_bytes()
    if digest_bytes(content) != artifact.digest:
        raise LineageError(
            f"{artifact.path} differs from the record: {digest_bytes(content)} in place of {artifact.digest}. "
            "kedro lineage verify lists every difference."
        )
    return content


def _code(record: Record, project: Path) -> dict[str, bytes]:
    """Return code, parameters and pinned packages as they ran, where they can be found."""
    digests = {path: md5 for step in record.steps.values() for path, md5 in step.code.items()}
    digests |= {LOCK: record.environment.lock} if record.environment.lock else {}
    found: dict[str, bytes] = {}
    for path, content in _candidates({*digests, PARAMETERS, WORKFLOW, LICENCE}, record, project):
        if path not in found and _is_recorded(path, content, digests, record):
            found[path] = content
    if WORKFLOW not in found:
        commit = record.source.commit
        raise LineageError(f"{WORKFLOW} is neither here nor in git at commit {commit}. git fetch may bring it.")
    return found


def _candidates(paths: Iterable[str], record: Record, project: Path) -> Iterator[tuple[str, bytes]]:
    """Yield files of the commit, then those of the workspace."""
    names = sorted(map(_require_inside, paths))
    yield from (read_files_at(project, record.source.commit, names) or {}).items()
    for name in names:
        if (project / name).is_file():
            yield name, (project / name).read_bytes()


def _is_recorded(path: str, content: bytes, digests: Mapping[str, str], record: Record) -> bool:
    """Return whether a file is the recorded one: parameters by their values, code by its digest."""
    if path == PARAMETERS:
        return not changed_parameters(expected_parameters(record), content)
    return path not in digests or digest_bytes(content) == digests[path]


def _commit_date(record: Record, project: Path) -> str:
    date = commit_date(project, record.source.commit) if record.source.commit else None
    if not date:
        raise LineageError(
            "The crate needs a date, and the commit of the result is not here. git fetch may bring it; or give one, as "
            "--date 2026-03-04."
        )
    return date
