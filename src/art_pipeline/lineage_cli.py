"""``kedro lineage``: where a number comes from, and whether it is still what it was."""

import json
import re
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from art_pipeline.commands import project_here, with_clear_errors
from art_pipeline.errors import LineageError, did_you_mean
from art_pipeline.lineage.record import ASKED, Record

if TYPE_CHECKING:
    from art_pipeline.lineage.store import Store

STATUS_COLOURS = {"proven": "green", "missing": "yellow", "broken": "red"}
LIKENESS_COLOURS = {"identical": "green", "equal within tolerance": "yellow", "different": "red"}
FORMATS = ("tree", "html", "json", "mermaid")
EXIT_BROKEN, EXIT_MISSING = 1, 3


@click.group()
def lineage() -> None:
    """Prove where a result comes from.

    RESULT is a model's name, an MLflow run's id, a registered model's alias (NAME@ALIAS), or a file
    or folder under data/.
    """


@dataclass(frozen=True)
class Result:
    """What a command was asked for.

    Attributes:
        text: The record's.
        run: The MLflow run that it came from; None for a result of the workspace.
    """

    text: str
    run: str | None

    @property
    def current(self) -> bool:
        """Whether it is the workspace's."""
        return self.run is None


@lineage.command()
@click.argument("result")
@click.option("--picture", type=int, metavar="ID", help="Only the way of one object, to its prediction.")
@click.option(
    "--format", "form", type=click.Choice(["tree", "html", "json", "mermaid"]), default="tree", show_default=True
)
@with_clear_errors
def show(result: str, picture: int | None, form: str) -> None:
    """Show the chain, from the number down to the museum."""
    from art_pipeline.lineage.show import as_html, as_json, as_mermaid, as_tree

    project = project_here()
    record = Record.parse(find(result, project).text)
    if picture is not None:
        _show_picture(picture, record, project)
    elif form in {"tree", "html"}:
        click.echo({"tree": as_tree, "html": as_html}[form](record, _headline(record, project)))
    else:
        click.echo({"json": as_json, "mermaid": as_mermaid}[form](record))


@lineage.command()
@click.argument("result")
@click.option("--remote/--no-remote", default=True, help="Ask DVC's remote for what is nowhere here.")
@with_clear_errors
def verify(result: str, remote: bool) -> None:
    """Check every link again, and tell the broken ones first.

    Exits with 0 where all is proven, with 1 where a link is broken, with 3 where something is missing.
    """
    from art_pipeline.lineage.digest import digest_bytes
    from art_pipeline.lineage.store import Store
    from art_pipeline.lineage.verify import Case, Status
    from art_pipeline.lineage.verify import verify as verify_links
    from art_pipeline.tracking import stored_result

    project = project_here()
    found = find(result, project)
    stored = stored_result(project, found.run, digest_bytes(found.text.encode()))
    case = Case(Record.parse(found.text), project, Store(project, remote), stored, found.current)
    links = list(verify_links(case))
    for status in (Status.BROKEN, Status.MISSING, Status.PROVEN):
        for link in (one for one in links if one.status is status):
            click.secho(f"{status:8}", fg=STATUS_COLOURS[status], nl=False)
            click.echo(f"{link.name}: {link.told}" + (f"\n        {link.remedy}" if link.remedy else ""))
    counts = {status: sum(link.status is status for link in links) for status in Status}
    click.echo(", ".join(f"{count} {status}" for status, count in counts.items()))
    sys.exit(EXIT_BROKEN if counts[Status.BROKEN] else EXIT_MISSING if counts[Status.MISSING] else 0)


@lineage.command()
@click.argument("one")
@click.argument("other")
@with_clear_errors
def diff(one: str, other: str) -> None:
    """Tell why two results differ: parameters, data, code, environment."""
    from art_pipeline.lineage.differences import differences
    from art_pipeline.lineage.store import Store

    project = project_here()
    records = [Record.parse(find(name, project).text) for name in (one, other)]
    for topic, lines in differences(*records, Store(project)):
        click.secho(topic, bold=True, nl=False)
        click.echo(":" if lines else ": the same")
        for line in lines:
            click.echo(f"  {line}")


@lineage.command()
@click.argument("result")
@click.option("--tolerance", default=1e-6, show_default=True, help="Difference at which numbers are called equal.")
@with_clear_errors
def reproduce(result: str, tolerance: float) -> None:
    """Run a result again, at its commit and from the recorded pictures, and compare every artifact.

    Exits with 0 where all are identical or equal within the tolerance, with 1 where one is different.
    """
    from art_pipeline.lineage.reproduce import Likeness
    from art_pipeline.lineage.reproduce import reproduce as run_again

    project = project_here()
    record = Record.parse(find(result, project).text)
    outcomes = list(run_again(record, project, tolerance))
    for outcome in outcomes:
        click.secho(f"{outcome.likeness:22}  ", fg=LIKENESS_COLOURS[outcome.likeness], nl=False)
        click.echo(f"{outcome.name}")
    others = [outcome for outcome in outcomes if outcome.likeness is not Likeness.IDENTICAL]
    if others:
        click.echo(f"They part at {others[0].name}, which {others[0].node} wrote.")
    else:
        brought = len(record.artifacts) - len(outcomes)
        click.echo(f"All {len(outcomes)} artifacts that were made again are identical; {brought} were brought.")
    sys.exit(EXIT_BROKEN if any(one.likeness is Likeness.DIFFERENT for one in others) else 0)


@lineage.command()
@click.argument("result")
@click.argument("folder", type=click.Path(path_type=Path))
@with_clear_errors
def export(result: str, folder: Path) -> None:
    """Write a result as a Provenance Run Crate into FOLDER, with its model card as README.md."""
    from art_pipeline.lineage.crate import write_crate
    from art_pipeline.lineage.crate_words import Told
    from art_pipeline.lineage.store import Store

    project = project_here()
    found = find(result, project)
    record = Record.parse(found.text)
    store = Store(project)
    card, metrics = _card(record, store)
    write_crate(record, Told(card, _asked(record, project), metrics), store.opened, project, folder)
    click.echo(f"{folder}: a Provenance Run Crate of {record.result}")


def _card(record: Record, store: "Store") -> tuple[str, dict[str, Any]]:
    """The card, and the metrics that it tells."""
    from art_pipeline.lineage.card import card_sources, read_and_write_card

    with ExitStack() as opened:
        files = [opened.enter_context(store.opened(record.artifacts[name])) for name in card_sources(record)]
        return read_and_write_card(record, *files), json.loads(files[0].read_text(encoding="utf-8"))


def _asked(record: Record, project: Path) -> dict[str, Any]:
    """When the museum was asked, where that is still beside the result."""
    metrics = project / record.artifacts[f"{record.result}.metrics"].path
    try:
        return json.loads(metrics.with_name(ASKED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def find(result: str, project: Path) -> Result:
    """The record of what a user calls a result.

    Raises:
        LineageError: It is none, or has no record.
    """
    records = {file.parent.name: file for file in sorted(project.glob("data/08_reporting/*/lineage.json"))}
    if result in records:
        return Result(records[result].read_text(encoding="utf-8"), None)
    if "@" in result or re.fullmatch(r"[0-9a-f]{32}", result):
        from art_pipeline.tracking import record_of_run

        return Result(*record_of_run(project, result))
    place = Path(result).absolute()
    if place.exists() and place.is_relative_to(project):
        return Result(_record_with(place.relative_to(project), records), None)
    raise LineageError(
        f"There is no result {result!r}.{did_you_mean(result, records)} There are {', '.join(records) or 'none yet'}; "
        "ids of MLflow's runs; NAME@ALIAS of registered models; and files under data."
    )


def _record_with(path: Path, records: dict[str, Path]) -> str:
    """The text of a record that this file is part of; of the model in whose folder it is, if that is one."""
    own = sorted(records, key=lambda model: (model not in path.parts, model))
    for model in own:
        text = records[model].read_text(encoding="utf-8")
        named = {
            written["path"]
            for step in json.loads(text)["steps"].values()
            for written in step["writes"].values()
            if written
        }
        if any(path.as_posix() == one or path.as_posix().startswith(f"{one}/") for one in named):
            return text
    raise LineageError(f"No record tells of {path}. Results are {', '.join(records) or 'none yet'}.")


def _headline(record: Record, project: Path) -> str:
    metrics = record.artifacts.get(f"{record.result}.metrics")
    try:
        said = json.loads((project / metrics.path).read_text(encoding="utf-8"))
    except (AttributeError, OSError, ValueError):
        return ""
    return f"accuracy {said['accuracy']:.4f}, macro F1 {said['f1_macro']:.4f}, on {said['n']} objects"


def _show_picture(object_id: int, record: Record, project: Path) -> None:
    from art_pipeline.lineage.picture import way_of
    from art_pipeline.lineage.store import Store

    for what, rows in way_of(object_id, record, Store(project)):
        click.secho(what, bold=True, nl=False)
        click.echo(":" if rows else ": none")
        for row in rows:
            click.echo("  " + ", ".join(f"{name} {value}" for name, value in row.items()))
