"""``kedro parameters``: list all parameters."""

from functools import partial
from pathlib import Path

import click

from art_pipeline.cli.common import fail, project_here, with_clear_errors
from art_pipeline.common.files import write_atomically

TABLE_STARTS, TABLE_ENDS = "<!-- parameters -->\n", "\n<!-- /parameters -->"


@click.command()
@click.option(
    "--write",
    "page",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Insert the table into a Markdown file.",
)
@with_clear_errors
def parameters(page: Path | None) -> None:
    """List all parameters: value in params.yaml, and meaning."""
    from art_pipeline.kedro_ext.config_loader import find_written, read_parameters
    from art_pipeline.pipelines.parameter_table import parameter_table
    from art_pipeline.pipelines.parameters import check_parameters

    file = project_here() / "params.yaml"
    values = read_parameters(file)
    check_parameters(values, partial(find_written, [file]))
    if page is None:
        click.echo(parameter_table(values))
    else:
        _replace_table(page, parameter_table(values))


def _replace_table(page: Path, table: str) -> None:
    text = page.read_text(encoding="utf-8")
    if TABLE_STARTS not in text or TABLE_ENDS not in text:
        fail(
            f"{page} has no lines {TABLE_STARTS.strip()} and {TABLE_ENDS.strip()}, between which the table is inserted."
        )
    before, _, rest = text.partition(TABLE_STARTS)
    after = rest.partition(TABLE_ENDS)[2]
    write_atomically(page, f"{before}{TABLE_STARTS}{table}{TABLE_ENDS}{after}".encode())
