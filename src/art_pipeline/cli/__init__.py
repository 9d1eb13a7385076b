"""Commands of the project: Kedro's own, with clear error messages, and additional ones."""

import click

from art_pipeline.cli import (
    discovery,
    dvc,
    find_paintings,
    lineage,
    museum,
    parameters,
    predict,
    run,
    s3,
    search,
    serve,
    similar,
    ui,
    web,
)


@click.group(name="art_pipeline")
def cli() -> None:
    """Commands of art_pipeline."""


for command in (
    discovery.discovery,
    dvc.dvc,
    find_paintings.find_paintings,
    lineage.lineage,
    museum.museum,
    parameters.parameters,
    predict.predict,
    run.ipython,
    run.jupyter,
    run.run,
    s3.s3,
    search.search,
    serve.serve,
    similar.similar,
    ui.ui,
    web.web,
):
    cli.add_command(command)
