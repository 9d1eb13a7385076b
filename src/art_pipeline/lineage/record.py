"""The record of a result: all that it was made from, by digest.

While a pipeline runs, each of its nodes leaves a `Step` in the ledger of its stage: what it read,
ran and wrote. Those are the same whenever the same work is done, and DVC keeps them with the data.
A result's record is the steps that lead to it, with the commit and the environment around them.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError

from art_pipeline.common.files import write_atomically
from art_pipeline.common.options import Options
from art_pipeline.errors import LineageError
from art_pipeline.lineage.reading import parse_json, read_regular

VERSION = 1
RECORD, MODEL_CARD, SIGNATURE = "lineage.json", "model_card.md", "signature.json"
LAYERS = (
    "01_raw",
    "02_intermediate",
    "03_primary",
    "04_feature",
    "05_model_input",
    "06_models",
    "07_model_output",
    "08_reporting",
)
SHOWN = 300  # characters of an error that names what it found


def _inside(path: str) -> str:
    if not path or "\0" in path or PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise ValueError(f"{path!r} is outside of the project")
    return path


Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{32}(\.dir)?$")]
InProject = Annotated[str, AfterValidator(_inside)]


class Artifact(Options):
    """A file or folder of data.

    Attributes:
        path: Relative to the project.
        digest: As DVC has it: MD5 of a file, or of a folder's listing with ``.dir``.
        size: Bytes.
        files: How many.
        sources: Of a folder that museums share, the source directories whose files are meant; empty
            for the whole folder.
    """

    path: InProject
    digest: Digest
    size: int
    files: int
    sources: tuple[str, ...] = ()


class Step(Options):
    """A node, as it ran.

    Attributes:
        stage: The pipeline that it belongs to.
        function: Full name.
        code: Files that the function is in and imports from this project, and those of the catalog
            that say how it writes, relative to the project, and the digest of each.
        parameters: Those that it read, by their keys in params.yaml; ``""`` for the whole.
        reads: Data sets, by name; null for what another node of its stage passed on in memory.
        writes: Likewise.
    """

    stage: str
    function: str
    code: dict[InProject, Digest]
    parameters: dict[str, Any]
    reads: dict[str, Artifact | None]
    writes: dict[str, Artifact | None]


class Source(Options):
    """What the code was.

    Attributes:
        commit: Of git; null where there is none.
        changes: Digest of what was not committed of the files that the run depended on; null where
            there was nothing.
        files: Those files.
    """

    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40,64}$")] | None
    changes: Digest | None
    files: tuple[str, ...] = ()


class Environment(Options):
    """What calculated.

    Attributes:
        lock: Digest of requirements.lock.
        python: Version.
        platform: System and processor's family.
        cpu: Features of the processor that NumPy finds.
        packages: Version of each installed package that requirements.lock names.
    """

    lock: str | None
    python: str
    platform: str
    cpu: tuple[str, ...]
    packages: dict[str, str]


class Record(Options):
    """Of one model's result.

    Attributes:
        version: Of this format.
        result: The model's name.
        museum: Its address.
        source: The code.
        environment: What calculated.
        overrides: Parameters that did not come from params.yaml, and so past DVC.
        steps: By the nodes' names, from the museum to the result.
        tracked: Whether MLflow was to keep the run; null where it is not known.
        rebuilt: Whether it was put together from the ledgers that DVC keeps, and not by the run. What
            calculated is then not known, but for the pinned packages.
    """

    version: int
    result: str
    museum: str
    source: Source
    environment: Environment
    overrides: dict[str, Any]
    steps: dict[str, Step]
    tracked: bool | None = None
    rebuilt: bool = False

    @property
    def artifacts(self) -> dict[str, Artifact]:
        """Every data set that a step wrote, by name, from the museum to the result."""
        written = (item for step in self.steps.values() for item in step.writes.items())
        return {name: artifact for name, artifact in written if artifact}

    @property
    def text(self) -> str:
        """As it is stored, and as MLflow knows it by its digest."""
        return self.model_dump_json(indent=1) + "\n"

    def write(self, file: Path) -> None:
        """Store it."""
        file.parent.mkdir(parents=True, exist_ok=True)  # its folder's other files may not be wanted
        write_atomically(file, self.text.encode())

    @classmethod
    def read(cls, file: Path) -> "Record":
        """Read what `write` wrote.

        Raises:
            LineageError: There is none, or it is no record.
        """
        if not file.exists():
            raise LineageError(f"There is no record of lineage at {file.name}. Run the model: kedro run.")
        return cls.parse(read_regular(file))

    @classmethod
    def parse(cls, text: str | bytes) -> "Record":
        """Read its text.

        Raises:
            LineageError: It is no record, or one of another version.
        """
        content = parse_json(text, "The record of lineage")
        version = content.get("version") if isinstance(content, dict) else None
        if version != VERSION:
            raise LineageError(f"The record of lineage is of version {str(version)[:SHOWN]}, not {VERSION}. Run again.")
        try:
            return cls.model_validate(content)
        except (ValidationError, RecursionError) as error:
            raise LineageError(f"The record of lineage cannot be read: {str(error)[:SHOWN]}") from error


def misread(steps: Mapping[str, Step]) -> list[str]:
    """What a step read otherwise than the step that made it wrote it, each as a phrase."""
    written = {name: artifact for step in steps.values() for name, artifact in step.writes.items()}
    return [
        f"{name} was read by {node} otherwise than it was written"
        for node, step in steps.items()
        for name, read in step.reads.items()
        if name in written and read != written[name]
    ]


def faults_of(record: Record) -> Iterator[str]:
    """What keeps the steps of a record from being the whole way to its result, each as a phrase."""
    written: dict[str, Artifact | None] = {}
    for node, step in record.steps.items():
        for name, read in step.reads.items():
            if name not in written:
                yield f"{name}, which {node} read, was written by no step before it"
            elif (read is None) != (written[name] is None):
                yield f"{name} was stored for only one of {node} and the step that wrote it"
        yield from (f"{name} was written by more than one step" for name in written.keys() & step.writes.keys())
        written |= step.writes
    needed = (f"{record.result}.metrics", f"{record.result}.predictions")
    yield from (f"no step wrote {name}" for name in needed if name not in record.artifacts)
    if not any("evaluate" in step.parameters for step in record.steps.values()):
        yield "no step has the parameters of evaluate"


def require_whole(record: Record) -> None:
    """Check that a record's steps are the whole way to its result.

    Raises:
        LineageError: They are not.
    """
    if faults := sorted(faults_of(record)):
        raise LineageError(f"The record of lineage is damaged: {faults[0]}. kedro lineage verify names what else is.")


def data_of(record: Record) -> Path:
    """The data folder that a result lies in, relative to the project: what stands before its layers.

    Raises:
        LineageError: No artifact lies in a layer.
    """
    for artifact in record.artifacts.values():
        parts = PurePosixPath(artifact.path).parts
        for position, part in enumerate(parts):
            if part in LAYERS:
                return Path(*parts[:position])
    raise LineageError("The record of lineage is damaged: none of its data lies in a layer of data.")


def record_file(data: Path, model: str) -> Path:
    """Where a model's record is, given the folder of data."""
    return data / "08_reporting" / model / RECORD


def as_json_schema() -> str:
    """The JSON Schema (draft 2020-12) of a record, as JSON."""
    return json.dumps(Record.model_json_schema(), indent=1) + "\n"
