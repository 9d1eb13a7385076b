"""Let ``dvc plots`` write pages that open without a network.

DVC's own pages load the Vega scripts from a server. Here they are part of the page, and come from the
package vl-convert.
"""

from pathlib import Path

from art_pipeline.common.files import write_atomically
from art_pipeline.dvc.command import run_dvc
from art_pipeline.errors import DvcError

PAGE = Path("plots", "page.html")  # in .dvc
VEGA_LITE = "5.20"  # version of the schema of DVC's templates
TEMPLATE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
{refresh_tag}
<title>Plots</title>
<style>
body {{ font: 15px/1.4 system-ui, sans-serif; margin: 24px; }}
table {{ border-spacing: 16px; }}
td, th {{ vertical-align: top; }}
img {{ max-width: 44vw; height: auto; }}
</style>
<script>(() => {{ {scripts} }})();</script>
</head>
<body>
{plot_divs}
</body>
</html>
"""


def embed_plot_scripts(project: Path) -> None:
    """Write a page template with the scripts, and configure DVC to use it (in ``.dvc/config.local``).

    Raises:
        DvcError: The scripts are not installed, or DVC refuses the template.
    """
    page = project / ".dvc" / PAGE
    page.parent.mkdir(exist_ok=True)
    write_atomically(page, _page().encode())
    run_dvc(project, "config", "--local", "plots.html_template", PAGE.as_posix())


def _page() -> str:
    try:
        import vl_convert
    except ImportError as error:
        raise DvcError("The Vega scripts are not installed. Run make setup, or pip install '.[plots]'.") from error
    scripts = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", VEGA_LITE)
    # DVC fills in these two; its placeholder for scripts is left out.
    return TEMPLATE.format(scripts=scripts, plot_divs="{plot_divs}", refresh_tag="{refresh_tag}")
