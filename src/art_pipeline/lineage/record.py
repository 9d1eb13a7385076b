"""The record of a result: all that it was made from, by digest.

While a pipeline runs, each of its nodes leaves a `Step` in the ledger of its stage: what it read,
ran and wrote. Those are the same whenever the same work is done, and DVC keeps them with the data.
A result's record is the steps that lead to it, with the commit and the environment around them.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from art_pipeline.errors import LineageError
from art_pipeline.options import Options
from art_pipeline.storage import write_atomically

VERSION = 1
LEDGERS = Path("08_reporting", "lineage")  # under the data
RECORD, ASKED, MODEL_CARD, SIGNATURE = "lineage.json", "asked.json", "model_card.md", "signature.json"


class Artifact(Options):
    """A file or folder of data.

    Attributes:
        path: Relative to the project.
        digest: As DVC has it: MD5 of a file, or of a folder's listing with ``.dir``.
        size: Bytes.
        files: How many.
    """

    path: str
    digest: str
    size: int
    files: int


class Step(Options):
    """A node, as it ran.

    Attributes:
        stage: The pipeline that it belongs to.
        function: Full name.
        code: Files that the function is in and imports from this project, relative to it, and the
            digest of each.
        parameters: Those that it read, by their keys in params.yaml; ``""`` for the whole.
        reads: Data sets, by name; null for what another node of its stage passed on in memory.
        writes: Likewise.
    """

    stage: str
    function: str
    code: dict[str, str]
    parameters: dict[str, Any]
    reads: dict[str, Artifact | None]
    writes: dict[str, Artifact | None]


class Source(Options):
    """What the code was.

    Attributes:
        commit: Of git; null where there is none.
        changes: Digest of what was not committed, ``dvc.lock`` aside; null where there was nothing.
    """

    commit: str | None
    changes: str | None


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
    """

    version: int
    result: str
    museum: str
    source: Source
    environment: Environment
    overrides: dict[str, Any]
    steps: dict[str, Step]

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
        try:
            text = file.read_text(encoding="utf-8")
        except OSError as error:
            raise LineageError(f"There is no record of lineage at {file.name}. Run the model: kedro run.") from error
        return cls.parse(text)

    @classmethod
    def parse(cls, text: str) -> "Record":
        """Read its text.

        Raises:
            LineageError: It is no record, or one of another version.
        """
        try:
            content = json.loads(text)
            if content.get("version") != VERSION:
                raise LineageError(f"The record is of version {content.get('version')}, not {VERSION}. Run again.")
            return cls.model_validate(content)
        except (ValueError, AttributeError, ValidationError) as error:
            raise LineageError(f"The record of lineage cannot be read: {error}") from error


def as_json_schema() -> str:
    """The JSON Schema (draft 2020-12) of a record, as JSON."""
    return json.dumps(Record.model_json_schema(), indent=1) + "\n"


class Ledger:
    """The steps of a stage, in a file.

    Args:
        file: Where they are kept; read if it is there.
    """

    def __init__(self, file: Path):
        self._file = file
        self.steps: dict[str, Step] = {}
        if file.exists():
            try:
                content = json.loads(file.read_text(encoding="utf-8"))
                self.steps = {name: Step.model_validate(step) for name, step in content.items()}
            except (ValueError, AttributeError, ValidationError):
                self.steps = {}  # of another version: its nodes are no longer known to have run

    def add(self, name: str, step: Step, known: Iterable[str]) -> None:
        """Put a node's step in place of an earlier one, and forget nodes that are no longer in the stage."""
        kept = {**self.steps, name: step}
        self.steps = {one: kept[one] for one in sorted(known) if one in kept}
        content = {one: step.model_dump(mode="json") for one, step in self.steps.items()}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._file, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())


def ledger_file(data: Path, stage: str) -> Path:
    """Where the steps of a stage are, given the folder of data."""
    return data / LEDGERS / f"{stage}.json"


def record_file(data: Path, model: str) -> Path:
    """Where a model's record is, given the folder of data."""
    return data / "08_reporting" / model / RECORD


def read_steps(data: Path) -> dict[str, Step]:
    """Every step of every stage, by the nodes' names."""
    return {name: step for file in sorted((data / LEDGERS).glob("*.json")) for name, step in Ledger(file).steps.items()}


def steps_behind(steps: Mapping[str, Step], last: Iterable[str]) -> dict[str, Step]:
    """Those of these nodes, and of all that wrote what they read, however far; museum first.

    Raises:
        LineageError: Nobody is known to have written something that was read.
    """
    writers = {name: node for node, step in steps.items() for name in step.writes}
    ordered: dict[str, Step] = {}

    def visit(node: str) -> None:
        if node in ordered:
            return
        for name in sorted(steps[node].reads):
            if name not in writers:
                raise LineageError(
                    f"It is not known what wrote {name}, which {node} read. Run the stages before it too: kedro run."
                )
            if writers[name] != node:
                visit(writers[name])
        ordered[node] = steps[node]

    for node in sorted(last):
        visit(node)
    return ordered
