"""``kedro lineage``: show, verify, sign, compare, reproduce and export the provenance of a result."""

import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from art_pipeline.cli.common import project_here, with_clear_errors
from art_pipeline.cli.results import Result, find_result
from art_pipeline.common.files import write_atomically
from art_pipeline.errors import LineageError
from art_pipeline.lineage.checks import Check, Status
from art_pipeline.lineage.digest import digest_bytes

if TYPE_CHECKING:
    from art_pipeline.lineage.record import Record
    from art_pipeline.lineage.verify_mlflow import MlflowRun

COLOURS = {Status.PROVEN: "green", Status.MISSING: "yellow", Status.BROKEN: "red"}
FORMATS = ("tree", "html", "json", "mermaid")
EXIT_BROKEN, EXIT_MISSING = 1, 3


@click.group()
def lineage() -> None:
    """Show and check what a result was computed from.

    RESULT is the name of a model (ENVIRONMENT/NAME where the environment has its own data), the id of an
    MLflow run, an alias of a registered model (NAME@ALIAS), or a file or folder under data/.
    """


@lineage.command()
@click.argument("result")
@click.option("--object", "object_id", type=int, metavar="ID", help="Show only the history of one object.")
@click.option("--format", "form", type=click.Choice(FORMATS), default=FORMATS[0], show_default=True)
@with_clear_errors
def show(result: str, object_id: int | None, form: str) -> None:
    """Show the provenance of a result, from the metrics back to the source."""
    from art_pipeline.lineage import show as formats

    project = project_here()
    found = find_result(result, project)
    record = found.record
    _warn_if_stale(found)
    if object_id is not None:
        _show_object(object_id, record, project)
    elif form in {"tree", "html"}:
        write = formats.as_tree if form == "tree" else formats.as_html
        click.echo(write(record, _headline(record, project)))
    else:
        click.echo(formats.as_json(record) if form == "json" else formats.as_mermaid(record))


@lineage.command()
@click.argument("result")
@click.option("--remote/--no-remote", default=True, help="Fetch from DVC's remote what is not found here.")
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Public key; the record must have a signature by one of the given keys.",
)
@with_clear_errors
def verify(result: str, remote: bool, keys: tuple[Path, ...]) -> None:
    """Check a result against its record, and report what is broken first.

    Exits with 0 where everything is proven, 1 where something is broken, 3 where something is missing.
    """
    from art_pipeline.lineage.record import SIGNATURE
    from art_pipeline.lineage.signature import check_signature

    project = project_here()
    found = find_result(result, project)
    checks = [check_signature(found.beside(SIGNATURE), found.text, keys)] if keys else []
    with _search_run(found, project) as run:
        checks += _verify(found, project, remote, run)
    for status in (Status.BROKEN, Status.MISSING, Status.SKIPPED, Status.PROVEN):
        _report(check for check in checks if check.status is status)
    counts = {status: sum(check.status is status for check in checks) for status in Status}
    shown = {status: count for status, count in counts.items() if count or status is not Status.SKIPPED}
    click.echo(", ".join(f"{count} {status}" for status, count in shown.items()))
    _warn_if_stale(found)
    if not keys and found.beside(SIGNATURE):
        click.echo("The record is signed. To check the signature, add --key with the public key of its author.")
    sys.exit(EXIT_BROKEN if counts[Status.BROKEN] else EXIT_MISSING if counts[Status.MISSING] else 0)


@contextmanager
def _search_run(found: Result, project: Path) -> "Iterator[Future[MlflowRun | None]]":
    """Search the MLflow run of a result in a thread, since importing MLflow takes seconds."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(_find_run, found, project)


def _find_run(found: Result, project: Path) -> "MlflowRun | None":
    """Find the MLflow run of a result; one of the workspace may never have had one."""
    from art_pipeline.tracking.lookup import find_run

    with suppress(LineageError):  # of a damaged record, which verify reports
        if found.current and (found.record.rebuilt or found.record.tracked is False):
            return None
    return find_run(project, found.run, digest_bytes(found.text.encode()))


def _verify(found: Result, project: Path, remote: bool, run: "Future[MlflowRun | None]") -> list[Check]:
    from art_pipeline.lineage.artifact_store import ArtifactStore
    from art_pipeline.lineage.references import CommitReference, WorkspaceReference
    from art_pipeline.lineage.verify import verify as check_all

    try:
        record = found.record
    except LineageError as error:
        return [*found.links, Check("record", Status.BROKEN, str(error), "kedro run writes a new one.")]
    reference = WorkspaceReference if found.current else CommitReference
    return [*found.links, *check_all(reference(record, project, ArtifactStore(project, remote)), run)]


def _report(checks: Iterable[Check]) -> None:
    for check in checks:
        click.secho(f"{check.status:8}", fg=COLOURS.get(check.status), nl=False)
        click.echo(f"{check.name}: {check.message}" + (f"\n        {check.remedy}" if check.remedy else ""))


def _warn_if_stale(found: Result) -> None:
    """Warn where a result of the workspace was trained on another source than that of the current data."""
    from art_pipeline.lineage.model_source import source_of_data, stale_reason

    data = found.folder.parents[1]
    if found.current and (source := source_of_data(data)) and (reason := stale_reason(data, found.folder.name, source)):
        click.secho(f"Stale: {reason}", fg="yellow", err=True)


@lineage.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@with_clear_errors
def key(file: Path) -> None:
    """Create a key pair: FILE is the private key, FILE.pub the public key."""
    from art_pipeline.lineage.signature import make_key

    public = make_key(file)
    click.echo(
        f"{public} is the public key, for reviewers. {file} is the private key: keep it secret, do not commit it."
    )


@lineage.command()
@click.argument("result")
@click.option(
    "--key",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your private key; kedro lineage key creates one.",
)
@with_clear_errors
def sign(result: str, key: Path) -> None:
    """Sign the record of a result, unless a check is broken; the signature goes beside the record and to MLflow."""
    from art_pipeline.lineage.record import SIGNATURE
    from art_pipeline.lineage.signature import is_encrypted, sign_record
    from art_pipeline.tracking.lookup import log_beside_record

    project = project_here()
    found = find_result(result, project)
    passphrase = None
    if is_encrypted(key):
        passphrase = click.prompt("Passphrase of the key", hide_input=True).encode()
    envelope = sign_record(found.text, key, passphrase)
    with _search_run(found, project) as search:
        broken = [one for one in _verify(found, project, True, search) if one.status is Status.BROKEN]
    if broken:
        _report(broken)
        raise LineageError(f"{len(broken)} checks are broken: nothing was signed.")
    if found.current:
        write_atomically(found.folder / SIGNATURE, envelope.encode())
    run = None if search.exception() else search.result()
    if run:
        log_beside_record(project, run.run_id, SIGNATURE, envelope)
    click.echo(f"Signed: {found.record.result}" + (f", run {run.run_id}." if run else "."))


@lineage.command()
@click.argument("one")
@click.argument("other")
@with_clear_errors
def diff(one: str, other: str) -> None:
    """Show why two results differ: parameters, data, code, environment."""
    from art_pipeline.lineage.artifact_store import ArtifactStore
    from art_pipeline.lineage.diff import compare_records

    project = project_here()
    before, after = (find_result(name, project).record for name in (one, other))
    for topic, lines in compare_records(before, after, ArtifactStore(project)):
        click.secho(topic, bold=True, nl=False)
        click.echo(":" if lines else ": the same")
        for line in lines:
            click.echo(f"  {line}")


@lineage.command()
@click.argument("result")
@click.option("--tolerance", default=1e-6, show_default=True, help="Largest difference of equal numbers.")
@with_clear_errors
def reproduce(result: str, tolerance: float) -> None:
    """Compute a result again at its commit, from the recorded images, and compare every artifact.

    Exits with 0 where all are identical or equal within the tolerance, 1 where one is different.
    """
    from art_pipeline.lineage.reproduce import Match, summarize
    from art_pipeline.lineage.reproduce import reproduce as run_again

    project = project_here()
    record = find_result(result, project).record
    artifacts = list(run_again(record, project, tolerance))
    colours = {Match.IDENTICAL: "green", Match.EQUAL: "yellow", Match.DIFFERENT: "red"}
    for one in artifacts:
        click.secho(f"{one.match:22}  ", fg=colours[one.match], nl=False)
        click.echo(one.name)
    click.echo(summarize(artifacts, len(record.artifacts)))
    sys.exit(EXIT_BROKEN if any(one.match is Match.DIFFERENT for one in artifacts) else 0)


@lineage.command()
@click.argument("result")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--date", type=click.DateTime(["%Y-%m-%d"]), help="Publication date; by default that of the commit.")
@with_clear_errors
def export(result: str, folder: Path, date: datetime | None) -> None:
    """Write a result as a Provenance Run Crate to FOLDER, with its model card as README.md."""
    from art_pipeline.lineage.artifact_store import ArtifactStore
    from art_pipeline.lineage.ro_crate import Description, write_crate

    project = project_here()
    record = find_result(result, project).record
    store = ArtifactStore(project)
    description = Description.of(record, store.open, date.date().isoformat() if date else None)
    write_crate(record, description, store.open, project, folder)
    click.echo(f"{folder}: a Provenance Run Crate of {record.result}")


@lineage.command()
def schema() -> None:
    """Print the JSON Schema of a record."""
    from art_pipeline.lineage.record import as_json_schema

    click.echo(as_json_schema(), nl=False)


def _headline(record: "Record", project: Path) -> str:
    from art_pipeline.evaluation.kinds import main_metrics
    from art_pipeline.lineage.untrusted import read_json

    metrics = record.artifacts.get(f"{record.result}.metrics")
    try:
        values = read_json(project / metrics.path) if metrics else {}
        main = main_metrics(values)
        first, second = (f"{name} {values[key]:.4f}" for key, name in (main[:2], main[2:]))
        return f"{first}, {second}, on {values['n']} objects"
    except (AttributeError, KeyError, TypeError, ValueError, LineageError):
        return ""


def _show_object(object_id: int, record: "Record", project: Path) -> None:
    from art_pipeline.lineage.artifact_store import ArtifactStore
    from art_pipeline.lineage.object_history import object_history

    for title, rows in object_history(object_id, record, ArtifactStore(project)):
        click.secho(title, bold=True, nl=False)
        click.echo(":" if rows else ": none")
        for row in rows:
            click.echo("  " + ", ".join(f"{name} {value}" for name, value in row.items()))
