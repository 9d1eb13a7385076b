"""The page that ``dvc plots`` fills, with its scripts inside, so that it opens without a network.

DVC's own page loads Vega from a server. Here its scripts come from vl-convert, which carries them.
"""

from pathlib import Path

from art_pipeline.common.files import write_atomically
from art_pipeline.dvc.config import configure
from art_pipeline.errors import DvcError

PAGE = Path("plots", "page.html")  # in .dvc
VEGA_LITE = "5.20"  # of the schema that DVC's templates are written in
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


def use_page_with_scripts(project: Path) -> None:
    """Write the page and have DVC use it, on this machine alone (``.dvc/config.local``).

    Raises:
        DvcError: The scripts are not installed, or DVC does not take the page.
    """
    page = project / ".dvc" / PAGE
    page.parent.mkdir(exist_ok=True)
    write_atomically(page, _page().encode())
    configure(project, "config", "--local", "plots.html_template", PAGE.as_posix())


def _page() -> str:
    try:
        import vl_convert
    except ImportError as error:
        raise DvcError("Vega's scripts are not installed. Install them: pip install 'art_pipeline[plots]'.") from error
    scripts = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", VEGA_LITE)
    # DVC fills these two in; it is not asked for its own scripts.
    return TEMPLATE.format(scripts=scripts, plot_divs="{plot_divs}", refresh_tag="{refresh_tag}")
