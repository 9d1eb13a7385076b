"""The record of a result: everything that it was computed from, by digest.

While a pipeline runs, each node adds a `Step` to the ledger of its stage: what it read, ran and wrote.
The same work gives the same step. DVC keeps the ledgers with the data. The record of a result holds the
steps that lead to it, the commit and the environment.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError

from art_pipeline.common.files import write_atomically
from art_pipeline.common.options import Options
from art_pipeline.errors import LineageError
from art_pipeline.lineage.untrusted import parse_json, read_regular

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
ANALYSIS = "analysis"  # data set of an analysis
MAX_SHOWN = 300  # characters of an error that quotes a file


def _require_inside(path: str) -> str:
    if not path or "\0" in path or PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise ValueError(f"{path!r} is outside of the project")
    return path


Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{32}(\.dir)?$")]
InProject = Annotated[str, AfterValidator(_require_inside)]


class Artifact(Options):
    """A file or folder of data.

    Attributes:
        path: Relative to the project.
        digest: As in DVC: the MD5 of a file, or the MD5 of a folder's listing with ``.dir``.
        size: Bytes.
        files: Number of files.
        sources: In a folder that several sources share, the source directories that the artifact covers;
            empty for the whole folder.
    """

    path: InProject
    digest: Digest
    size: int
    files: int
    sources: tuple[str, ...] = ()


class Step(Options):
    """One execution of a node.

    Attributes:
        stage: The pipeline of the node.
        function: Full name.
        code: Digest of each file by its path relative to the project: the function's module, what it imports
            from this project, and the catalog files that configure how its outputs are written.
        parameters: The parameters that it read, by their keys in params.yaml; ``""`` for all.
        reads: Data sets by name; null for one that another node of the stage passed in memory.
        writes: Data sets by name, likewise.
    """

    stage: str
    function: str
    code: dict[InProject, Digest]
    parameters: dict[str, Any]
    reads: dict[str, Artifact | None]
    writes: dict[str, Artifact | None]


class Source(Options):
    """The version of the code.

    Attributes:
        commit: The git commit; null where there is none.
        changes: Digest of the uncommitted changes of files that the run depended on; null where there
            were none.
        files: The files with such changes.
    """

    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40,64}$")] | None
    changes: Digest | None
    files: tuple[str, ...] = ()


class Environment(Options):
    """The Python environment of the run.

    Attributes:
        lock: Digest of requirements.lock.
        python: Version.
        platform: Operating system and processor family.
        cpu: Processor features that NumPy detects.
        packages: Version of each installed package that requirements.lock pins.
    """

    lock: str | None
    python: str
    platform: str
    cpu: tuple[str, ...]
    packages: dict[str, str]


class Record(Options):
    """The record of one model's result.

    Attributes:
        version: Version of this format.
        result: Name of the model.
        museum: Address of the source of the images.
        source: The version of the code.
        environment: The Python environment of the run.
        overrides: Parameters that did not come from params.yaml, so that DVC does not see them.
        steps: By node name, from the source to the result.
        tracked: Whether MLflow tracked the run; null where it is not known.
        rebuilt: Whether the record was rebuilt from the ledgers that DVC keeps. Then the environment of the
            run is unknown, except for the pinned packages.
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
        """Every stored data set that a step wrote, by name, from the source to the result."""
        written = (item for step in self.steps.values() for item in step.writes.items())
        return {name: artifact for name, artifact in written if artifact}

    @property
    def is_analysis(self) -> bool:
        """Whether the result is that of an analysis, not of a model."""
        names = {f"{self.result}.{name}" for name in (ANALYSIS, "metrics", "predictions")}
        return names & set(self.artifacts) == {f"{self.result}.{ANALYSIS}"}

    @property
    def text(self) -> str:
        """The record as JSON, as it is stored; MLflow finds its run by the digest of this text."""
        return self.model_dump_json(indent=1) + "\n"

    def write(self, file: Path) -> None:
        """Write the record, and create its folder."""
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, self.text.encode())

    @classmethod
    def read(cls, file: Path) -> "Record":
        """Read a record from a file.

        Raises:
            LineageError: The file is missing, or is not a record.
        """
        if not file.exists():
            raise LineageError(f"There is no record of lineage at {file.name}. Run the model: kedro run.")
        return cls.parse(read_regular(file))

    @classmethod
    def parse(cls, text: str | bytes) -> "Record":
        """Parse the text of a record.

        Raises:
            LineageError: It is not a record, or has another version.
        """
        content = parse_json(text, "The record of lineage")
        version = content.get("version") if isinstance(content, dict) else None
        if version != VERSION:
            message = (
                f"The record of lineage has version {str(version)[:MAX_SHOWN]}, not {VERSION}. Run the model again."
            )
            raise LineageError(message)
        try:
            return cls.model_validate(content)
        except (ValidationError, RecursionError) as error:
            raise LineageError(f"The record of lineage cannot be read: {str(error)[:MAX_SHOWN]}") from error


def inconsistent_reads(steps: Mapping[str, Step]) -> list[str]:
    """Return a phrase for each data set that a step read with another digest than it was written with."""
    written = {name: artifact for step in steps.values() for name, artifact in step.writes.items()}
    return [
        f"{name} was read by {node} with another digest than it was written with"
        for node, step in steps.items()
        for name, read in step.reads.items()
        if name in written and read != written[name]
    ]


def find_gaps(record: Record) -> Iterator[str]:
    """Yield a phrase for each reason why the steps of a record are not a complete chain to its result."""
    written: dict[str, Artifact | None] = {}
    for node, step in record.steps.items():
        for name, read in step.reads.items():
            if name not in written:
                yield f"{name}, which {node} read, was written by no earlier step"
            elif (read is None) != (written[name] is None):
                yield f"{name} was stored for only one of {node} and the step that wrote it"
        yield from (f"{name} was written by more than one step" for name in written.keys() & step.writes.keys())
        written |= step.writes
    needed = () if record.is_analysis else (f"{record.result}.metrics", f"{record.result}.predictions")
    yield from (f"no step wrote {name}" for name in needed if name not in record.artifacts)
    if not record.is_analysis and not any("evaluate" in step.parameters for step in record.steps.values()):
        yield "no step has the parameters of evaluate"


def require_complete(record: Record) -> None:
    """Check that the steps of a record are a complete chain to its result.

    Raises:
        LineageError: They are not.
    """
    if gaps := sorted(find_gaps(record)):
        raise LineageError(f"The record of lineage is damaged: {gaps[0]}. kedro lineage verify lists every problem.")


def data_folder(record: Record) -> Path:
    """Return the data folder of a result, relative to the project: the part of its paths before the layer.

    Raises:
        LineageError: No artifact is in a layer.
    """
    for artifact in record.artifacts.values():
        parts = PurePosixPath(artifact.path).parts
        for position, part in enumerate(parts):
            if part in LAYERS:
                return Path(*parts[:position])
    raise LineageError("The record of lineage is damaged: none of its data is in a layer of the data folder.")


def environment_of(record: Record) -> str | None:
    """Return the Kedro environment whose data folder holds a result; None for ``data``, which DVC keeps."""
    try:
        return "/".join(data_folder(record).parts[1:]) or None
    except LineageError:
        return None


def reference_to(record: Record) -> str:
    """Return the name by which ``kedro lineage`` finds a result of this project: ``met/alexnet``, or ``alexnet``."""
    return "/".join(filter(None, [environment_of(record), record.result]))


def record_file(data: Path, model: str) -> Path:
    """Return the path of a model's record in a data folder."""
    return data / "08_reporting" / model / RECORD


def as_json_schema() -> str:
    """Return the JSON Schema (draft 2020-12) of a record, as JSON."""
    return json.dumps(Record.model_json_schema(), indent=1) + "\n"
