"""A record as a person reads it: from the number down to the museum."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from art_pipeline.lineage.record import Artifact, Record, Step, require_whole

MARK = 10  # characters of a digest that are shown


@dataclass(frozen=True)
class Branch:
    """A data set of the chain, and what is behind it.

    Attributes:
        name: Of the data set.
        artifact: What it is.
        node: The node that wrote it.
        step: What that did.
        told: Whether it stands further up too, with what is behind it; here it has nothing behind it.
        behind: What the node read.
    """

    name: str
    artifact: Artifact
    node: str
    step: Step
    told: bool
    behind: tuple["Branch", ...]


def as_tree(record: Record, headline: str = "") -> str:
    """The chain behind the metrics as an indented tree, and what else the model brought.

    What was told once is not told again.

    Args:
        record: Of the result.
        headline: What it came to, such as its accuracy.
    """
    require_whole(record)
    trunk, others = grow(record)
    return "\n".join(
        [
            f"{record.result}{': ' if headline else ''}{headline}",
            *(f"  {name}: {value}" for name, value in _around(record).items()),
            *(line for branch in trunk for line in _lines(branch, 1)),
            f"  museum  {record.museum}",
            *(f"  {name}  {_measures(artifact)}" for name, artifact in others.items()),
        ]
    )


def as_html(record: Record, headline: str = "") -> str:
    """The same as a page that needs nothing else, with the parameters and the code of each node to unfold."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    require_whole(record)
    pages = Environment(loader=PackageLoader(__package__, ""), autoescape=True, undefined=StrictUndefined)
    trunk, others = grow(record)
    return pages.get_template("show.html.j2").render(
        record=record, headline=headline, around=_around(record), trunk=trunk, others=others, as_yaml=_as_yaml
    )


def grow(record: Record) -> tuple[list[Branch], dict[str, Artifact]]:
    """What is behind the metrics, and what else the model brought."""
    metrics = f"{record.result}.metrics"
    told: set[str] = set()
    trunk = [_branch(metrics, record, told)] if metrics in record.artifacts else []
    own = {name: one for name, one in record.artifacts.items() if name.startswith(f"{record.result}.")}
    return trunk, {name: own[name] for name in sorted(own) if name not in told}


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


def _around(record: Record) -> dict[str, str]:
    source, environment = record.source, record.environment
    named = f": {', '.join(source.files)}" if source.files else ""
    changes = f", with changes that were not committed ({source.changes[:MARK]}{named})" if source.changes else ""
    overrides = ", ".join(f"{key}={value}" for key, value in record.overrides.items())
    calculated = f"Python {environment.python}, {environment.platform}, {len(environment.packages)} packages"
    return {
        "code": f"commit {source.commit[:MARK]}{changes}" if source.commit else "of no commit",
        "environment": "as pinned; what calculated is not known, since DVC brought the result"
        if record.rebuilt
        else calculated,
        **({"set past params.yaml": overrides} if overrides else {}),
    }


def _branch(name: str, record: Record, told: set[str]) -> Branch:
    node, step = _writer(name, record)
    known = name in told
    told.add(name)
    behind = [] if known else _data_behind(node, record)
    return Branch(name, record.artifacts[name], node, step, known, tuple(_branch(one, record, told) for one in behind))


def _lines(branch: Branch, depth: int) -> Iterator[str]:
    indent = "  " * depth
    yield f"{indent}{branch.name}  {_measures(branch.artifact)}{' (above)' if branch.told else ''}"
    if not branch.told:
        parameters = f"  {', '.join(branch.step.parameters)}" if branch.step.parameters else ""
        yield f"{indent}└ {branch.node}: {branch.step.function}{parameters}"
    for one in branch.behind:
        yield from _lines(one, depth + 1)


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


def _as_yaml(values: Mapping[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True).rstrip()
