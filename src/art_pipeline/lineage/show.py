"""A record as a person reads it: from the number down to the museum."""

import json
from collections.abc import Iterator

from art_pipeline.lineage.record import Artifact, Record, Step

MARK = 10  # characters of a digest that are shown


def as_tree(record: Record, headline: str = "") -> str:
    """The chain behind the metrics as an indented tree, and what else the model brought.

    What was told once is not told again.

    Args:
        record: Of the result.
        headline: What it came to, such as its accuracy.
    """
    metrics = f"{record.result}.metrics"
    shown: set[str] = set()
    chain = list(_branch(metrics, record, shown, 1)) if metrics in record.artifacts else []
    others = [name for name in record.artifacts if name.startswith(f"{record.result}.") and name not in shown]
    return "\n".join(
        [
            f"{record.result}{': ' if headline else ''}{headline}",
            *_around(record),
            *chain,
            f"  museum  {record.museum}",
            *(f"  {name}  {_measures(record.artifacts[name])}" for name in sorted(others)),
        ]
    )


def as_mermaid(record: Record) -> str:
    """The graph in Mermaid's language: nodes as boxes, data as rounded ones."""
    lines = ["graph TD"]
    for name, artifact in record.artifacts.items():
        lines.append(f'    {_id(name)}(["{name}<br/>{artifact.digest[:MARK]}"])')
    for node, step in record.steps.items():
        lines.append(f'    {_id(node)}["{node}"]')
        lines += [f"    {_id(name)} --> {_id(node)}" for name, read in step.reads.items() if read]
        lines += [f"    {_id(node)} --> {_id(name)}" for name, written in step.writes.items() if written]
    return "\n".join(lines)


def as_json(record: Record) -> str:
    """The record as it is stored."""
    return json.dumps(record.model_dump(mode="json"), indent=2)


def _around(record: Record) -> list[str]:
    source, environment = record.source, record.environment
    changes = f", with changes that were not committed ({source.changes[:MARK]})" if source.changes else ""
    overrides = ", ".join(f"{key}={value}" for key, value in record.overrides.items())
    return [
        f"  code: commit {source.commit[:MARK]}{changes}" if source.commit else "  code: in no git repository",
        f"  environment: Python {environment.python}, {environment.platform}, {len(environment.packages)} packages",
        *([f"  set past params.yaml: {overrides}"] if overrides else []),
    ]


def _branch(name: str, record: Record, shown: set[str], depth: int) -> Iterator[str]:
    artifact, (node, step) = record.artifacts[name], _writer(name, record)
    known = name in shown
    shown.add(name)
    yield f"{'  ' * depth}{name}  {_measures(artifact)}{' (above)' if known else ''}"
    if known:
        return
    parameters = f"  {', '.join(step.parameters)}" if step.parameters else ""
    yield f"{'  ' * depth}└ {node}: {step.function}{parameters}"
    for read in _data_behind(node, record):
        yield from _branch(read, record, shown, depth + 1)


def _data_behind(node: str, record: Record) -> list[str]:
    """What a node read that is stored; of what it was passed in memory, what that was made from."""
    found: dict[str, None] = {}
    for name, read in record.steps[node].reads.items():
        behind = [name] if read else _data_behind(_writer(name, record)[0], record)
        found.update(dict.fromkeys(one for one in behind if _writer(one, record)[0] != node))
    return list(found)


def _writer(name: str, record: Record) -> tuple[str, Step]:
    return next((node, step) for node, step in record.steps.items() if name in step.writes)


def _measures(artifact: Artifact) -> str:
    files = f"{artifact.files} files, " if artifact.files > 1 else ""
    return f"{artifact.digest[:MARK]}  {files}{artifact.size:,} bytes  {artifact.path}"


def _id(name: str) -> str:
    return name.replace(".", "__")
