"""The project's commands: Kedro's own ``run``, ending in clear errors, and ours."""

import contextlib
import copy
import webbrowser
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from kedro.framework.cli.jupyter import jupyter as kedro_jupyter
from kedro.framework.cli.project import ipython as kedro_ipython
from kedro.framework.cli.project import run as kedro_run

from art_pipeline.cli import lineage, museum, predict
from art_pipeline.cli.common import fail, project_here, with_clear_errors

# What Kedro's commands need that may not be installed.
NEEDED = {"notebook": "notebook", "lab": "jupyterlab", "setup": "ipykernel", "ipython": "IPython"}
RUNNER = "art_pipeline.kedro_ext.runner.SequentialRunner"
TABLE_STARTS, TABLE_ENDS = "<!-- parameters -->\n", "\n<!-- /parameters -->"


@click.group(name="art_pipeline")
def cli() -> None:
    """art_pipeline's commands."""


@cli.command()
@click.option("--port", default=5000, show_default=True, help="Port on 127.0.0.1.")
@click.option("--env", default=None, help="Environment whose models to show; the one of the last run unless given.")
@click.option("--browser/--no-browser", default=True, help="Open the page in a browser.")
@with_clear_errors
def ui(port: int, env: str | None, browser: bool) -> None:
    """Compare the models in MLflow's page, until Ctrl-C."""
    from art_pipeline.tracking.ui import serve_ui

    def show(address: str) -> None:
        click.echo(f"The models in MLflow: {address}  (Ctrl-C ends it)")
        if browser:
            webbrowser.open(address)

    with contextlib.suppress(KeyboardInterrupt):
        serve_ui(project_here(), port, env, show)


@cli.command()
@click.option("--write", "page", type=click.Path(exists=True, path_type=Path), help="Put the table into a page.")
@with_clear_errors
def parameters(page: Path | None) -> None:
    """List every parameter: its value in params.yaml, and what it means."""
    from art_pipeline.kedro_ext.config_loader import find_written, read_parameters
    from art_pipeline.pipelines.parameters import check_parameters, parameter_table

    file = project_here() / "params.yaml"
    values = read_parameters(file)
    check_parameters(values, partial(find_written, [file]))
    if page is None:
        click.echo(parameter_table(values))
    else:
        _replace_table(page, parameter_table(values))


@cli.command()
@click.option("--check", is_flag=True, help="Write nothing; name what differs, and fail if anything does.")
@click.option("--plots", is_flag=True, help="Only let pages of dvc plots open without a network, on this machine.")
@click.option("--push", is_flag=True, help="Only send to DVC's remote what it lacks, asking for every file.")
@click.option("--remote", help="Name of the remote to send to; DVC's default one where it is not given.")
@with_clear_errors
def dvc(check: bool, plots: bool, push: bool, remote: str | None) -> None:
    """Write dvc.yaml from the pipelines, their imports and the catalog."""
    from art_pipeline.dvc.plots import embed_plot_scripts
    from art_pipeline.dvc.stages import FILE, compare_dvc_yaml, read_dvc_yaml, require_repository, write_dvc_yaml

    project = project_here()
    require_repository(project)
    if plots:
        embed_plot_scripts(project)
        return
    if push:
        from art_pipeline.lineage.dvc_remote import push as push_all

        pushed = push_all(project, remote)
        click.echo(f"{pushed.sent} of {pushed.total} objects were missing and are sent; the remote has all of them.")
        return
    made = _dvc_yaml(project)
    differences = compare_dvc_yaml(read_dvc_yaml(project / FILE), made)
    if check and differences:
        fail("\n".join([f"{FILE} is not what the pipelines ask for. Run kedro dvc.", *differences]))
    if not check:
        write_dvc_yaml(project / FILE, made)
    click.echo("\n".join([*differences, f"{FILE}: {len(made['stages'])} stages"]))


@cli.command()
@click.option("--port", default=8333, show_default=True, help="Port on 127.0.0.1.")
@with_clear_errors
def s3(port: int) -> None:
    """Serve S3 on this machine, as the DVC remote "local", until Ctrl-C. What is pushed is kept in .s3."""
    from art_pipeline.dvc.s3_server import BUCKET, identity_of, serving, set_remote
    from art_pipeline.dvc.stages import require_repository

    project = project_here()
    require_repository(project)
    identity, address = identity_of(project / ".s3"), f"http://127.0.0.1:{port}"
    with contextlib.suppress(KeyboardInterrupt), serving(project / ".s3", port, [identity]) as server:
        set_remote(project, "local", address, identity)
        click.echo(f"S3 at {address}, bucket {BUCKET}. Try dvc push --remote local. (Ctrl-C ends it)")
        server.wait()


def _dvc_yaml(project: Path) -> dict[str, Any]:
    """What dvc.yaml must be, from the base configuration alone: DVC sees no other."""
    from art_pipeline.dvc.stages import Outputs, make_dvc_yaml
    from art_pipeline.kedro_ext.config_loader import ParamsYamlConfigLoader, find_written, read_parameters
    from art_pipeline.pipeline_registry import main_line
    from art_pipeline.pipelines.parameters import check_parameters, models_in

    file = project / "params.yaml"
    parameters = check_parameters(read_parameters(file), partial(find_written, [file]))
    configuration = ParamsYamlConfigLoader(str(project / "conf"), "base", base_env="base", default_run_env="base")
    catalog, data = configuration["catalog"], configuration["globals"]["data"]
    outputs = Outputs(project, project / "conf" / "base" / "catalog", catalog, data)
    return make_dvc_yaml(main_line(models_in(parameters)), outputs, parameters, project)


def _replace_table(page: Path, table: str) -> None:
    text = page.read_text(encoding="utf-8")
    if TABLE_STARTS not in text or TABLE_ENDS not in text:
        fail(f"{page} has no place for the table: lines {TABLE_STARTS.strip()} and {TABLE_ENDS.strip()}.")
    before, _, rest = text.partition(TABLE_STARTS)
    after = rest.partition(TABLE_ENDS)[2]
    page.write_text(f"{before}{TABLE_STARTS}{table}{TABLE_ENDS}{after}", encoding="utf-8")


def _clear(command: click.Command, callback: Callable | None = None) -> click.Command:
    """A copy of one of Kedro's commands that ends in clear errors, and says which package it needs."""
    callback = callback or command.callback

    def call(*args: Any, **kwargs: Any) -> Any:
        module = NEEDED.get(command.name)
        if module and find_spec(module) is None:
            fail(f"kedro {command.name} needs {module}, which is not installed. Run pip install {module} in .venv.")
        return callback(*args, **kwargs)

    clear = copy.copy(command)
    clear.callback = with_clear_errors(call)
    return clear


def _run(runner: str | None, is_async: bool, **options: Any) -> Any:
    """Kedro's ``run``, one node at a time, with a runner that works with some of the models."""
    from art_pipeline.hooks.run_lock import SEQUENTIAL, require_sequential

    require_sequential(runner or SEQUENTIAL, is_async)
    return kedro_run.callback(runner=runner or RUNNER, is_async=is_async, **options)


@cli.group()
def jupyter() -> None:
    """Open Jupyter Notebook or Lab with the project's variables loaded."""


for command in kedro_jupyter.commands.values():
    jupyter.add_command(_clear(command))
cli.add_command(_clear(kedro_ipython))
cli.add_command(_clear(kedro_run, _run))
cli.add_command(lineage.lineage)
cli.add_command(museum.museum)
cli.add_command(predict.predict)
