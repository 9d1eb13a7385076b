"""``kedro dvc``: write dvc.yaml, configure plots, push to a remote."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from art_pipeline.cli.common import fail, project_here, with_clear_errors


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; list the differences, and fail if there are any.")
@click.option("--plots", is_flag=True, help="Only configure dvc plots on this machine, so that its pages open offline.")
@click.option("--push", is_flag=True, help="Only push missing files to the DVC remote, after checking each file.")
@click.option("--remote", help="Name of the remote to push to; by default DVC's default remote.")
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
        click.echo(f"Pushed {pushed.sent} missing objects of {pushed.total}; the remote has all of them.")
        return
    made = _dvc_yaml(project)
    differences = compare_dvc_yaml(read_dvc_yaml(project / FILE), made)
    if check and differences:
        fail("\n".join([f"{FILE} does not match the pipelines. Run kedro dvc.", *differences]))
    if not check:
        write_dvc_yaml(project / FILE, made)
    click.echo("\n".join([*differences, f"{FILE}: {len(made['stages'])} stages"]))


def _dvc_yaml(project: Path) -> dict[str, Any]:
    """Create the content of dvc.yaml from the base configuration, the only one that DVC sees."""
    from art_pipeline.dvc.stages import Outputs, make_dvc_yaml
    from art_pipeline.kedro_ext.config_loader import ParamsYamlConfigLoader, find_written, read_parameters
    from art_pipeline.pipeline_registry import search_pipelines, stage_pipelines
    from art_pipeline.pipelines.parameters import check_parameters

    file = project / "params.yaml"
    content = read_parameters(file)
    parameters = check_parameters(content, partial(find_written, [file]))
    configuration = ParamsYamlConfigLoader(str(project / "conf"), "base", base_env="base", default_run_env="base")
    catalog, data = configuration["catalog"], configuration["globals"]["data"]
    outputs = Outputs(project, project / "conf" / "base" / "catalog", catalog, data)
    stages = stage_pipelines(parameters) | search_pipelines(parameters)
    written = {name: parameters[name] for name in content}  # DVC knows no defaults
    return make_dvc_yaml(stages, outputs, written, project)
