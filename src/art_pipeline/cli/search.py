"""``kedro search``: search the parameters of a model, and write the best block into params.yaml."""

from pathlib import Path
from typing import Any

import click

from art_pipeline.cli.common import fail, project_here, settings_of, with_clear_errors
from art_pipeline.errors import did_you_mean


@click.command()
@click.argument("model")
@click.option("--env", help="Kedro environment.")
@click.option("--write", is_flag=True, help="Write the best values of a finished search into the model's block.")
@click.option("--as", "name", help="Write the best block of a finished search as a new block of this name.")
@with_clear_errors
def search(model: str, env: str | None, write: bool, name: str | None) -> None:
    """Search values of MODEL's parameters, as search.MODEL in params.yaml defines. A stopped search resumes."""
    if write and name:
        raise click.UsageError("Give --write for the model's block, or --as NAME for a new block, not both.")
    project = project_here()
    data, parameters = settings_of(project, env or "local")
    searches = [key for key, _ in parameters["search"]]
    if model not in searches:
        fail(
            f"There is no search of {model!r}.{did_you_mean(model, searches)} Add search.{model} to params.yaml: "
            "docs/search.md."
        )
    folder = data / "08_reporting" / model / "search"
    if write or name:
        _write_best(project / "params.yaml", folder, model, name)
    else:
        _run(project, model, env)
        click.echo(
            f"{folder.relative_to(project)}: trials.csv, best.yaml and figures. To take the best values: "
            f"kedro search {model} --write, or --as NAME for a new block."
        )


def _run(project: Path, model: str, env: str | None) -> None:
    """Run the stage of a search, and those before it whose data are missing."""
    from kedro.framework.project import pipelines
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    from art_pipeline.kedro_ext.runner import SequentialRunner
    from art_pipeline.pipelines.upstream import upstream_stages

    bootstrap_project(project)
    stage = f"search_{model}"
    session: Any
    with KedroSession.create(project, env=env) as session:
        needed = upstream_stages(pipelines[stage], pipelines, session.load_context().catalog.exists)
    with KedroSession.create(project, env=env) as session:  # a session runs once
        session.run(pipeline_names=[*needed, stage], runner=SequentialRunner())


def _write_best(file: Path, folder: Path, model: str, name: str | None) -> None:
    from art_pipeline.models.search.options import SearchedOptions
    from art_pipeline.models.search.trials import JOURNAL
    from art_pipeline.models.search.write import read_best, write_block, write_values

    best, origin = read_best(folder, model)
    searched = SearchedOptions(file=(folder / JOURNAL).relative_to(file.parent).as_posix(), **origin)
    if name:
        write_block(file, name, best, searched)
    else:
        write_values(file, model, best, searched)
    click.echo(
        f"params.yaml: {name or model} has the best values. Run kedro dvc, and kedro run --model {name or model}."
    )
