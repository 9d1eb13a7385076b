"""The project's commands: Kedro's own ``run``, ending in clear errors, and ours."""

import contextlib
import copy
import webbrowser
from pathlib import Path
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run

from art_pipeline.commands import fail, project_here, with_clear_errors
from art_pipeline.lineage_cli import lineage
from art_pipeline.museum_cli import museum
from art_pipeline.predict_cli import predict

TABLE_STARTS, TABLE_ENDS = "<!-- parameters -->\n", "\n<!-- /parameters -->"


@click.group(name="art_pipeline")
def cli() -> None:
    """art_pipeline's commands."""


@cli.command()
@click.option("--port", default=5000, show_default=True, help="Port on 127.0.0.1.")
@click.option("--browser/--no-browser", default=True, help="Open the page in a browser.")
@with_clear_errors
def ui(port: int, browser: bool) -> None:
    """Show the experiment's runs in MLflow's page, until Ctrl-C."""
    from art_pipeline.tracking import serve_page

    def tell(address: str) -> None:
        click.echo(f"The experiment's page: {address}  (Ctrl-C ends it)")
        if browser:
            webbrowser.open(address)

    with contextlib.suppress(KeyboardInterrupt):
        serve_page(project_here(), port, tell)


@cli.command()
@click.option("--write", "page", type=click.Path(exists=True, path_type=Path), help="Put the table into a page.")
@with_clear_errors
def parameters(page: Path | None) -> None:
    """List every parameter: its value in params.yaml, and what it means."""
    from art_pipeline.config import read_parameters
    from art_pipeline.pipelines.parameters import check_parameters, parameter_table

    values = read_parameters(project_here() / "params.yaml")
    check_parameters(values)
    if page is None:
        click.echo(parameter_table(values))
    else:
        _replace_table(page, parameter_table(values))


@cli.command()
@click.option("--check", is_flag=True, help="Write nothing; name what differs, and fail if anything does.")
@click.option("--plots", is_flag=True, help="Only let pages of dvc plots open without a network, on this machine.")
@with_clear_errors
def dvc(check: bool, plots: bool) -> None:
    """Write dvc.yaml from the pipelines, their imports and the catalog."""
    from art_pipeline.dvc_plots import use_page_with_scripts
    from art_pipeline.dvc_yaml import FILE, name_differences, read_dvc_yaml, require_repository, write_dvc_yaml

    project = project_here()
    require_repository(project)
    if plots:
        use_page_with_scripts(project)
        return
    made = _dvc_yaml(project)
    differences = name_differences(read_dvc_yaml(project / FILE), made)
    if check and differences:
        fail("\n".join([f"{FILE} is not what the pipelines ask for. Run kedro dvc.", *differences]))
    if not check:
        write_dvc_yaml(project / FILE, made)
    click.echo("\n".join([*differences, f"{FILE}: {len(made['stages'])} stages"]))


@cli.command()
@click.option("--port", default=8333, show_default=True, help="Port on 127.0.0.1.")
@with_clear_errors
def s3(port: int) -> None:
    """Serve S3 on this machine, as DVC's remote to try with, until Ctrl-C. What is pushed is kept in .s3."""
    from art_pipeline.dvc_yaml import require_repository
    from art_pipeline.object_store import BUCKET, identity_of, serving, set_remote

    project = project_here()
    require_repository(project)
    identity, address = identity_of(project / ".s3"), f"http://127.0.0.1:{port}"
    with contextlib.suppress(KeyboardInterrupt), serving(project / ".s3", port, [identity]) as server:
        set_remote(project, "local", address, identity)
        click.echo(f"S3 at {address}, bucket {BUCKET}: DVC's default remote here. Try dvc push. (Ctrl-C ends it)")
        server.wait()


def _dvc_yaml(project: Path) -> dict[str, Any]:
    """What dvc.yaml must be, from the base configuration alone: DVC sees no other."""
    from art_pipeline.config import ParamsYamlConfigLoader, read_parameters
    from art_pipeline.dvc_yaml import Places, make_dvc_yaml
    from art_pipeline.pipeline_registry import main_line
    from art_pipeline.pipelines.parameters import check_parameters, models_in

    parameters = check_parameters(read_parameters(project / "params.yaml"))
    configuration = ParamsYamlConfigLoader(str(project / "conf"), "base", base_env="base", default_run_env="base")
    catalog, data = configuration["catalog"], configuration["globals"]["data"]
    places = Places(project, project / "conf" / "base" / "catalog", catalog, data)
    return make_dvc_yaml(main_line(models_in(parameters)), places, parameters, project)


def _replace_table(page: Path, table: str) -> None:
    text = page.read_text(encoding="utf-8")
    if TABLE_STARTS not in text or TABLE_ENDS not in text:
        fail(f"{page} has no place for the table: lines {TABLE_STARTS.strip()} and {TABLE_ENDS.strip()}.")
    before, _, rest = text.partition(TABLE_STARTS)
    after = rest.partition(TABLE_ENDS)[2]
    page.write_text(f"{before}{TABLE_STARTS}{table}{TABLE_ENDS}{after}", encoding="utf-8")


def _run(runner: str | None = None, **options: Any) -> Any:
    """Kedro's ``run``, with a runner that can do with some of the models."""
    return kedro_run.callback(runner=runner or "art_pipeline.runner.SequentialRunner", **options)


run = copy.copy(kedro_run)
run.callback = with_clear_errors(_run)
cli.add_command(run)
cli.add_command(lineage)
cli.add_command(museum)
cli.add_command(predict)
