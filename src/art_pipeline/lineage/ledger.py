"""The ledgers: one file for each stage with the steps of its nodes, which DVC keeps with the data of the stage."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from art_pipeline.common.files import write_atomically
from art_pipeline.errors import LineageError
from art_pipeline.lineage.record import Step
from art_pipeline.lineage.untrusted import parse_json, read_regular

LEDGERS = Path("08_reporting", "lineage")  # in the data folder


def ledger_file(data: Path, stage: str) -> Path:
    """Return the path of a stage's ledger in a data folder."""
    return data / LEDGERS / f"{stage}.json"


def parse_ledger(text: bytes, name: str) -> dict[str, Step]:
    """Return the steps of a ledger, by node name.

    Raises:
        LineageError: It is damaged, or another version of this project wrote it.
    """
    content = parse_json(text, f"The ledger {name}")
    try:
        return {node: Step.model_validate(step) for node, step in content.items()}
    except (AttributeError, ValidationError, RecursionError) as error:
        raise LineageError(
            f"The ledger {name} cannot be read: it is damaged, or another version of this project wrote it. Run its "
            "stage again, or dvc checkout --force."
        ) from error


def add_step(data: Path, node: str, step: Step, nodes: Iterable[str]) -> None:
    """Add a node's step to the ledger of its stage.

    Args:
        data: The data folder.
        node: Name of the node; its former step is replaced.
        step: Its step.
        nodes: Every node of the stage; steps of other nodes are dropped.
    """
    file = ledger_file(data, step.stage)
    former: dict[str, Step] = {}
    with suppress(LineageError):  # no ledger yet, or one of another version
        former = parse_ledger(read_regular(file), file.name)
    steps = {**former, node: step}
    content = {one: steps[one].model_dump(mode="json") for one in sorted(nodes) if one in steps}
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())


def read_ledgers(data: Path) -> tuple[dict[str, Step], list[str]]:
    """Return the steps of every stage, by node name, and a message for each ledger that cannot be read."""
    steps: dict[str, Step] = {}
    errors = []
    for file in sorted((data / LEDGERS).glob("*.json")):
        try:
            steps |= parse_ledger(read_regular(file), file.name)
        except LineageError as error:
            errors.append(str(error))
    return steps, errors


def upstream_steps(steps: Mapping[str, Step], stage: str) -> dict[str, Step]:
    """Return the steps of a stage and of everything upstream of it, in topological order.

    Raises:
        LineageError: The stage has no steps, or no step wrote something that was read.
    """
    writers = {name: node for node, step in steps.items() for name in step.writes}
    ordered: dict[str, Step] = {}
    visiting: set[str] = set()

    def visit(node: str) -> None:
        if node in ordered:
            return
        if node in visiting:
            raise LineageError(f"The ledgers are damaged: {node} depends on its own output.")
        visiting.add(node)
        for name in sorted(steps[node].reads):
            if name not in writers:
                raise LineageError(
                    f"It is unknown what wrote {name}, which {node} read. Run the earlier stages too: kedro run."
                )
            if writers[name] != node:
                visit(writers[name])
        ordered[node] = steps[node]

    for node in sorted(name for name, step in steps.items() if step.stage == stage):
        visit(node)
    if not ordered:
        raise LineageError(f"No ledger has steps of {stage}. Run it: kedro run --pipelines {stage}.")
    return ordered
