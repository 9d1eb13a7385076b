"""Show a record as a tree, a page, a Mermaid graph or JSON."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from art_pipeline.lineage.record import ANALYSIS, Artifact, Record, Step, reference_to, require_complete

SHORT = 10  # characters of a digest that are shown


@dataclass(frozen=True)
class Branch:
    """A data set in the tree, with the data sets that it was computed from.

    Attributes:
        name: Name of the data set.
        artifact: Its artifact.
        node: The node that wrote it.
        step: The step of that node.
        repeated: Whether the data set is in the tree above too, where its inputs are shown.
        inputs: The data sets that the node read.
    """

    name: str
    artifact: Artifact
    node: str
    step: Step
    repeated: bool
    inputs: tuple["Branch", ...]


def as_tree(record: Record, headline: str = "") -> str:
    """Return the provenance of the metrics as an indented tree, and the model's other outputs.

    Args:
        record: The record of the result.
        headline: A summary to show first, such as the accuracy.
    """
    require_complete(record)
    tree, others = build_tree(record)
    return "\n".join(
        [
            f"{record.result}{': ' if headline else ''}{headline}",
            *(f"  {name}: {value}" for name, value in _summary(record).items()),
            *(line for branch in tree for line in _lines(branch, 1)),
            f"  source  {record.museum}",
            *(f"  {name}  {_describe(artifact)}" for name, artifact in others.items()),
        ]
    )


def as_html(record: Record, headline: str = "") -> str:
    """Return the tree as a self-contained page, which unfolds the parameters and the code of each node."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    require_complete(record)
    pages = Environment(loader=PackageLoader(__package__, ""), autoescape=True, undefined=StrictUndefined)
    tree, others = build_tree(record)
    return pages.get_template("show.html.j2").render(
        record=record,
        reference=reference_to(record),
        headline=headline,
        summary=_summary(record),
        tree=tree,
        others=others,
        as_yaml=_as_yaml,
    )


def as_mermaid(record: Record) -> str:
    """Return the graph in Mermaid syntax: nodes as rectangles, data sets as rounded boxes."""
    lines = ["graph TD"]
    for name, artifact in record.artifacts.items():
        lines.append(f'    {_id(name)}(["{name}<br/>{artifact.digest[:SHORT]}"])')
    for node, step in record.steps.items():
        lines.append(f'    {_id(node)}["{node}"]')
        lines += [f"    {_id(name)} --> {_id(node)}" for name, read in step.reads.items() if read]
        lines += [f"    {_id(node)} --> {_id(name)}" for name, written in step.writes.items() if written]
    return "\n".join(lines)


def as_json(record: Record) -> str:
    """Return the record as JSON."""
    return json.dumps(record.model_dump(mode="json"), indent=2)


def build_tree(record: Record) -> tuple[list[Branch], dict[str, Artifact]]:
    """Return the tree of the metrics or of the analysis, and the result's outputs that are not in it."""
    root = f"{record.result}.{ANALYSIS if record.is_analysis else 'metrics'}"
    seen: set[str] = set()
    tree = [_branch(root, record, seen)] if root in record.artifacts else []
    own = {name: one for name, one in record.artifacts.items() if name.startswith(f"{record.result}.")}
    return tree, {name: own[name] for name in sorted(own) if name not in seen}


def _summary(record: Record) -> dict[str, str]:
    source, environment = record.source, record.environment
    files = f": {', '.join(source.files)}" if source.files else ""
    changes = f", with uncommitted changes ({source.changes[:SHORT]}{files})" if source.changes else ""
    overrides = ", ".join(f"{key}={value}" for key, value in record.overrides.items())
    known = f"Python {environment.python}, {environment.platform}, {len(environment.packages)} packages"
    unknown = "packages as pinned; the rest is unknown, since DVC restored the result"
    return {
        "code": f"commit {source.commit[:SHORT]}{changes}" if source.commit else "no commit",
        "environment": unknown if record.rebuilt else known,
        **({"not from params.yaml": overrides} if overrides else {}),
    }


def _branch(name: str, record: Record, seen: set[str]) -> Branch:
    node, step = _writer(name, record)
    repeated = name in seen
    seen.add(name)
    inputs = [] if repeated else _stored_inputs(node, record)
    branches = tuple(_branch(one, record, seen) for one in inputs)
    return Branch(name, record.artifacts[name], node, step, repeated, branches)


def _lines(branch: Branch, depth: int) -> Iterator[str]:
    indent = "  " * depth
    yield f"{indent}{branch.name}  {_describe(branch.artifact)}{' (above)' if branch.repeated else ''}"
    if not branch.repeated:
        parameters = f"  {', '.join(branch.step.parameters)}" if branch.step.parameters else ""
        yield f"{indent}└ {branch.node}: {branch.step.function}{parameters}"
    for one in branch.inputs:
        yield from _lines(one, depth + 1)


def _stored_inputs(node: str, record: Record) -> list[str]:
    """Return the stored data sets that a node read; for one passed in memory, those that it was computed from."""
    found: dict[str, None] = {}
    for name, read in record.steps[node].reads.items():
        inputs = [name] if read else _stored_inputs(_writer(name, record)[0], record)
        found.update(dict.fromkeys(one for one in inputs if _writer(one, record)[0] != node))
    return list(found)


def _writer(name: str, record: Record) -> tuple[str, Step]:
    return next((node, step) for node, step in record.steps.items() if name in step.writes)


def _describe(artifact: Artifact) -> str:
    files = f"{artifact.files} files, " if artifact.files > 1 else ""
    return f"{artifact.digest[:SHORT]}  {files}{artifact.size:,} bytes  {artifact.path}"


def _id(name: str) -> str:
    return name.replace(".", "__")


def _as_yaml(values: Mapping[str, Any]) -> str:
    import yaml

    return str(yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True)).rstrip()
