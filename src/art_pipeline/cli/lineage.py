"""``kedro lineage``: where a number comes from, and whether it is still what it was."""

import sys
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from art_pipeline.cli.common import project_here, with_clear_errors
from art_pipeline.cli.results import Result, find_result, stored_of
from art_pipeline.common.files import write_atomically
from art_pipeline.errors import LineageError

if TYPE_CHECKING:
    from art_pipeline.lineage.case import Link
    from art_pipeline.lineage.record import Record
    from art_pipeline.lineage.store import Store

STATUS_COLOURS = {"proven": "green", "missing": "yellow", "broken": "red", "skipped": None}
LIKENESS_COLOURS = {"identical": "green", "equal within tolerance": "yellow", "different": "red"}
FORMATS = ("tree", "html", "json", "mermaid")
EXIT_BROKEN, EXIT_MISSING = 1, 3


@click.group()
def lineage() -> None:
    """Prove where a result comes from.

    RESULT is a model's name (of an environment with data of its own, ENVIRONMENT/NAME), an MLflow
    run's id, a registered model's alias (NAME@ALIAS), or a file or folder under data/.
    """


@lineage.command()
@click.argument("result")
@click.option("--object", type=int, metavar="ID", help="Only the way of one object, to its prediction.")
@click.option("--format", "form", type=click.Choice(FORMATS), default=FORMATS[0], show_default=True)
@with_clear_errors
def show(result: str, image: int | None, form: str) -> None:
    """Show the chain, from the number down to the museum."""
    from art_pipeline.lineage.show import as_html, as_json, as_mermaid, as_tree

    project = project_here()
    found = find_result(result, project)
    record = found.record
    _warn(found)
    if image is not None:
        _show_image(image, record, project)
    elif form in {"tree", "html"}:
        click.echo({"tree": as_tree, "html": as_html}[form](record, _headline(record, project)))
    else:
        click.echo({"json": as_json, "mermaid": as_mermaid}[form](record))


@lineage.command()
@click.argument("result")
@click.option("--remote/--no-remote", default=True, help="Ask DVC's remote for what is nowhere here.")
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Public key of who must have signed the record; of several, any one.",
)
@with_clear_errors
def verify(result: str, remote: bool, keys: tuple[Path, ...]) -> None:
    """Check every link again, and report the broken ones first.

    Exits with 0 where all is proven, with 1 where a link is broken, with 3 where something is missing.
    """
    from art_pipeline.lineage.case import Status
    from art_pipeline.lineage.record import SIGNATURE
    from art_pipeline.lineage.signature import check_signature

    project = project_here()
    found = find_result(result, project)
    links = [check_signature(found.beside(SIGNATURE), found.text, keys)] if keys else []
    links += _links(found, project, remote)[0]
    for status in (Status.BROKEN, Status.MISSING, Status.SKIPPED, Status.PROVEN):
        _report(link for link in links if link.status is status)
    counts = {status: sum(link.status is status for link in links) for status in Status}
    shown = {status: count for status, count in counts.items() if count or status is not Status.SKIPPED}
    click.echo(", ".join(f"{count} {status}" for status, count in shown.items()))
    _warn(found)
    if not keys and found.beside(SIGNATURE):
        click.echo("The record is signed: --key, with the public key of who is to have made it, checks by whom.")
    sys.exit(EXIT_BROKEN if counts[Status.BROKEN] else EXIT_MISSING if counts[Status.MISSING] else 0)


def _links(found: Result, project: Path, remote: bool) -> tuple[list["Link"], str | None]:
    """Every link, checked, and the MLflow run that has the record."""
    from art_pipeline.lineage.case import Case, Link, Status
    from art_pipeline.lineage.store import Store
    from art_pipeline.lineage.verify import verify as verify_links

    try:
        record = found.record
    except LineageError as error:
        link = Link("record", Status.BROKEN, str(error), "kedro run writes it again.")
        return [*found.links, link], None
    stored, unasked = stored_of(project, found.run, found.text)
    case = Case(record, project, Store(project, remote), stored, found.current, unasked)
    return [*found.links, *verify_links(case)], stored.run if stored else None


def _report(links: Iterable["Link"]) -> None:
    for link in links:
        click.secho(f"{link.status:8}", fg=STATUS_COLOURS[link.status], nl=False)
        click.echo(f"{link.name}: {link.told}" + (f"\n        {link.remedy}" if link.remedy else ""))


def _warn(found: Result) -> None:
    """Say that a result of the workspace is of another source than the one that is set now."""
    from art_pipeline.lineage.stale import museum_in, stale_reason

    if found.current:
        data = found.folder.parents[1]
        reason = stale_reason(data, found.folder.name, museum_in(data)) if museum_in(data) else None
        if reason:
            click.secho(f"Stale: {reason}", fg="yellow", err=True)


@lineage.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@with_clear_errors
def key(file: Path) -> None:
    """Make a key to sign with: FILE, to be kept secret, and FILE.pub, to be given to reviewers."""
    from art_pipeline.lineage.signature import make_key

    click.echo(f"{make_key(file)} is for reviewers. {file} is a secret: whoever has it signs as you. Do not commit it.")


@lineage.command()
@click.argument("result")
@click.option(
    "--key",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your private key: kedro lineage key makes one.",
)
@with_clear_errors
def sign(result: str, key: Path) -> None:
    """Sign a result's record, if no link of it is broken, and keep the signature beside it and in MLflow."""
    from art_pipeline.lineage.case import Status
    from art_pipeline.lineage.record import SIGNATURE
    from art_pipeline.lineage.signature import is_encrypted, sign_record
    from art_pipeline.tracking.results import add_to_lineage

    project = project_here()
    found = find_result(result, project)
    passphrase = None
    if is_encrypted(key):
        passphrase = click.prompt("Passphrase of the key", hide_input=True).encode()
    envelope = sign_record(found.text, key, passphrase)
    links, run = _links(found, project, remote=True)
    broken = [link for link in links if link.status is Status.BROKEN]
    if broken:
        _report(broken)
        raise LineageError(f"{len(broken)} links are broken: nothing was signed.")
    if found.current:
        write_atomically(found.folder / SIGNATURE, envelope.encode())
    if run:
        add_to_lineage(project, run, SIGNATURE, envelope)
    click.echo(f"Signed: {found.record.result}" + (f", run {run}." if run else "."))


@lineage.command()
@click.argument("one")
@click.argument("other")
@with_clear_errors
def diff(one: str, other: str) -> None:
    """Show why two results differ: parameters, data, code, environment."""
    from art_pipeline.lineage.differences import differences
    from art_pipeline.lineage.store import Store

    project = project_here()
    records = [find_result(name, project).record for name in (one, other)]
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
    """Run a result again, at its commit and from the recorded images, and compare every artifact.

    Exits with 0 where all are identical or equal within the tolerance, with 1 where one is different.
    """
    from art_pipeline.lineage.reproduce import Likeness
    from art_pipeline.lineage.reproduce import reproduce as run_again

    project = project_here()
    record = find_result(result, project).record
    outcomes = list(run_again(record, project, tolerance))
    for outcome in outcomes:
        click.secho(f"{outcome.likeness:22}  ", fg=LIKENESS_COLOURS[outcome.likeness], nl=False)
        click.echo(f"{outcome.name}")
    others = [outcome for outcome in outcomes if outcome.likeness is not Likeness.IDENTICAL]
    if others:
        click.echo(f"First difference: {others[0].name}, which {others[0].node} wrote.")
    else:
        brought = len(record.artifacts) - len(outcomes)
        click.echo(f"All {len(outcomes)} artifacts that were made again are identical; {brought} were brought.")
    sys.exit(EXIT_BROKEN if any(one.likeness is Likeness.DIFFERENT for one in others) else 0)


@lineage.command()
@click.argument("result")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--date", type=click.DateTime(["%Y-%m-%d"]), help="Of the crate; the commit's where it is not given.")
@with_clear_errors
def export(result: str, folder: Path, date: datetime | None) -> None:
    """Write a result as a Provenance Run Crate into FOLDER, with its model card as README.md."""
    from art_pipeline.lineage.crate import write_crate
    from art_pipeline.lineage.crate_words import Told
    from art_pipeline.lineage.store import Store

    project = project_here()
    found = find_result(result, project)
    record = found.record
    store = Store(project)
    card, metrics = _card(record, store)
    write_crate(record, Told(card, metrics, date.date().isoformat() if date else None), store.opened, project, folder)
    click.echo(f"{folder}: a Provenance Run Crate of {record.result}")


@lineage.command()
def schema() -> None:
    """Print the JSON Schema of a record."""
    from art_pipeline.lineage.record import as_json_schema

    click.echo(as_json_schema(), nl=False)


def _card(record: "Record", store: "Store") -> tuple[str, dict[str, Any]]:
    """The card, and the metrics in it."""
    from art_pipeline.lineage.card import card_sources, read_and_write_card
    from art_pipeline.lineage.reading import read_json
    from art_pipeline.lineage.record import require_whole

    require_whole(record)
    lacking = [name for name in card_sources(record) if name not in record.artifacts]
    if lacking:
        raise LineageError(f"The record of lineage names no {lacking[0]}, from which the model card is written.")
    with ExitStack() as opened:
        files = [opened.enter_context(store.opened(record.artifacts[name])) for name in card_sources(record)]
        try:
            return read_and_write_card(record, *files), read_json(files[0])
        except (ValueError, KeyError, TypeError, AttributeError) as error:  # bytes as recorded, of a crafted record
            raise LineageError(f"No model card can be written from this result: {error}") from error


def _headline(record: "Record", project: Path) -> str:
    from art_pipeline.lineage.reading import read_json

    metrics = record.artifacts.get(f"{record.result}.metrics")
    try:
        said = read_json(project / metrics.path)
        return _figures(said)
    except (AttributeError, KeyError, TypeError, ValueError, LineageError):
        return ""


def _figures(said: dict[str, Any]) -> str:
    return f"accuracy {said['accuracy']:.4f}, macro F1 {said['f1_macro']:.4f}, on {said['n']} objects"


def _show_image(object_id: int, record: "Record", project: Path) -> None:
    from art_pipeline.lineage.object_history import way_of
    from art_pipeline.lineage.store import Store

    for what, rows in way_of(object_id, record, Store(project)):
        click.secho(what, bold=True, nl=False)
        click.echo(":" if rows else ": none")
        for row in rows:
            click.echo("  " + ", ".join(f"{name} {value}" for name, value in row.items()))
