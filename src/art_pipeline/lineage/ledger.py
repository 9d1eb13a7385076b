"""The ledgers: for each stage a file with the steps of its nodes, which DVC keeps with the stage's data."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from art_pipeline.common.files import write_atomically
from art_pipeline.errors import LineageError
from art_pipeline.lineage.reading import parse_json, read_regular
from art_pipeline.lineage.record import Step

LEDGERS = Path("08_reporting", "lineage")  # under the data


def ledger_file(data: Path, stage: str) -> Path:
    """Where the steps of a stage are, given the folder of data."""
    return data / LEDGERS / f"{stage}.json"


def parse_ledger(text: bytes, name: str) -> dict[str, Step]:
    """Read the steps of a ledger, by the nodes' names.

    Raises:
        LineageError: It is damaged, or of another version of this project.
    """
    content = parse_json(text, f"The ledger {name}")
    try:
        return {node: Step.model_validate(step) for node, step in content.items()}
    except (AttributeError, ValidationError, RecursionError) as error:
        raise LineageError(
            f"The ledger {name} cannot be read: it is damaged, or another version of this project wrote it. Run its "
            "stage again, or dvc checkout --force."
        ) from error


def add_step(data: Path, node: str, step: Step, known: Iterable[str]) -> None:
    """Put a node's step in place of an earlier one, and drop nodes that are no longer in the stage."""
    file = ledger_file(data, step.stage)
    kept: dict[str, Step] = {}
    with suppress(LineageError):  # none yet, or of another version: its nodes are no longer known to have run
        kept = parse_ledger(read_regular(file), file.name)
    steps = {**kept, node: step}
    content = {one: steps[one].model_dump(mode="json") for one in sorted(known) if one in steps}
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())


def read_ledgers(data: Path) -> tuple[dict[str, Step], list[str]]:
    """Every step of every stage, by the nodes' names, and a sentence on each ledger that cannot be read."""
    steps: dict[str, Step] = {}
    damaged = []
    for file in sorted((data / LEDGERS).glob("*.json")):
        try:
            steps |= parse_ledger(read_regular(file), file.name)
        except LineageError as error:
            damaged.append(str(error))
    return steps, damaged


def steps_behind(steps: Mapping[str, Step], stage: str) -> dict[str, Step]:
    """The steps of a stage, and of all that wrote what they read, however far; museum first.

    Raises:
        LineageError: The stage has none, or it is not known what wrote something that was read.
    """
    writers = {name: node for node, step in steps.items() for name in step.writes}
    ordered: dict[str, Step] = {}
    open_nodes: set[str] = set()

    def visit(node: str) -> None:
        if node in ordered:
            return
        if node in open_nodes:
            raise LineageError(f"The ledgers are damaged: {node} read what was made from what it wrote.")
        open_nodes.add(node)
        for name in sorted(steps[node].reads):
            if name not in writers:
                raise LineageError(
                    f"It is not known what wrote {name}, which {node} read. Run the stages before it too: kedro run."
                )
            if writers[name] != node:
                visit(writers[name])
        ordered[node] = steps[node]

    for node in sorted(name for name, step in steps.items() if step.stage == stage):
        visit(node)
    if not ordered:
        raise LineageError(f"No ledger has steps of {stage}. Run it: kedro run --pipelines {stage}.")
    return ordered
