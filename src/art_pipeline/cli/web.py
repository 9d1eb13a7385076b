"""``kedro web``: the web page."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from art_pipeline.cli.common import PORT, fail, project_here, settings_of, with_clear_errors
from art_pipeline.common.files import write_atomically
from art_pipeline.errors import WebError

if TYPE_CHECKING:
    from art_pipeline.web.catalogue.run_folder import RunFolder

env_option = click.option("--env", default="local", show_default=True, help="Environment whose run is imported.")


@click.group()
def web() -> None:
    """Explore the artworks, see predictions, and review them on a web page."""


@web.command(name="import")
@click.argument("models", nargs=-1)
@env_option
@with_clear_errors
def import_(models: tuple[str, ...], env: str) -> None:
    """Import the latest finished run. A second import of it changes nothing; uploads and decisions are kept.

    With MODELS, addresses of MLflow such as models:/NAME@champion, import these models in place of the run.
    """
    project = prepare_page()
    if models:
        _import_models(project, models)
    else:
        _import(project, env)


@web.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=PORT, help="Port.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(min=1), help="Processes of the server.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(min=0), help="Processes for background jobs.")
@env_option
@with_clear_errors
def start(host: str, port: int, workers: int, jobs: int, env: str) -> None:
    """Import the latest finished run, and start the server and the worker for background jobs, until Ctrl-C.

    Where there is no finished run here, what was imported before is shown.
    """
    project = prepare_page()
    from art_pipeline.web.accounts.create import create_first_account
    from art_pipeline.web.catalogue.models import ImportedRun
    from art_pipeline.web.command import check_port, collect_static, serve

    check_port(host, port)
    try:
        _import(project, env)
    except WebError as error:
        if ImportedRun.latest() is None:
            raise
        click.secho(f"{error} The former import is shown.", fg="yellow", err=True)
    collect_static()
    account = create_first_account()
    if account:
        click.echo(f"The first account, shown once: user {account[0]}, password {account[1]}")
    with contextlib.suppress(KeyboardInterrupt):
        serve(host, port, workers, jobs, lambda: click.echo(f"Web page: http://{host}:{port}/  (Ctrl-C stops it)"))


@web.command()
@with_clear_errors
def worker() -> None:
    """Run a further worker for background jobs, until Ctrl-C, on any computer with access to database and images."""
    prepare_page()
    from art_pipeline.web.command import worker_command
    from art_pipeline.web.supervisor import Child, supervise

    with contextlib.suppress(KeyboardInterrupt):
        supervise([Child("worker", worker_command())], lambda: True, lambda: click.echo("Worker (Ctrl-C stops it)"))


@web.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(["viewer", "cataloguer", "administrator"]),
    default="cataloguer",
    show_default=True,
    help="A viewer reads; a cataloguer uploads, predicts and reviews; an administrator manages accounts too.",
)
@with_clear_errors
def account(name: str, role: str) -> None:
    """Create the account NAME, or give it a new role and password. The password is shown once."""
    prepare_page()
    from art_pipeline.web.accounts.create import set_account

    click.echo(f"User {name} ({role}), password {set_account(name, role)}")


@web.command()
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file instead of the screen."
)
@click.option("--task", default="", help="Only decisions on this task.")
@click.option(
    "--conflicts",
    type=click.Choice(["leave-out", "majority"]),
    default="leave-out",
    show_default=True,
    help="What to do where reviewers gave different labels.",
)
@with_clear_errors
def corrections(output: Path | None, task: str, conflicts: str) -> None:
    """Write the labels that reviewers gave as a table: docs/review.md. The same decisions give the same bytes.

    Name the file in tasks.TASK.corrections of params.yaml to train on it. Reviewers are pseudonyms.
    """
    prepare_page()
    from art_pipeline.web.review.corrections import export

    found = export(task, "majority" if conflicts == "majority" else "leave-out")
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(output, found.text.encode())
    else:
        click.echo(found.text, nl=False)
    removed = f", {found.removed:,} works that an import removed" if found.removed else ""
    click.echo(
        f"{found.rows:,} works, {found.changed:,} of them with another label than recorded, by {found.reviewers:,} "
        f"reviewers. Left out: {found.conflicts:,} conflicts, {found.unsure:,} undecided, "
        f"{found.uploads:,} uploads{removed}.",
        err=True,
    )


def prepare_page() -> Path:
    """Configure Django for the project of the current folder, and return the folder."""
    project = project_here()
    try:
        from art_pipeline.web.command import prepare

        prepare(project)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("art_pipeline"):
            raise
        fail(f"kedro web needs {error.name}, which is not installed. Run make setup, or pip install '.[web]'.")
    return project


def _import(project: Path, env: str) -> None:
    from art_pipeline.web.catalogue.importer import import_run

    imported = import_run(_run(project, env))
    click.echo(f"Imported: {imported.artworks:,} artworks, {imported.predictions:,} predictions.")
    if imported.shortened:
        click.echo(f"{imported.shortened:,} texts of more than 191 characters are shown shortened.")


def _import_models(project: Path, addresses: tuple[str, ...]) -> None:
    from art_pipeline.web.catalogue.importer import import_models
    from art_pipeline.web.catalogue.mlflow import files_of

    models = [files_of(project, address) for address in addresses]
    import_models(models)
    for model in models:
        click.echo(f"Imported: {model.name} of {model.address}.")


def _run(project: Path, env: str) -> "RunFolder":
    from art_pipeline.web.catalogue.run_folder import RunFolder, TaskInfo

    data, parameters = settings_of(project, env)
    tasks: dict[str, Any] = dict(parameters["tasks"])
    infos = {name: TaskInfo(name, task.label, task.kind == "multilabel") for name, task in tasks.items()}
    return RunFolder(data, infos, parameters["sources"].is_sample)
