"""The documentation's site: the pages of the repository as they are, and an API reference from docstrings.

The source folder is the project's: ``sphinx-build -c docs . docs/_build``, so that links between pages, and to other
files of the repository, work here as they do there.
"""

import pkgutil
import tomllib
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

import art_pipeline

ROOT = Path(__file__).parents[1]
API = ROOT / "docs" / "api"
PACKAGES = {
    "errors": "Errors",
    "common": "Common helpers",
    "sources": "Sources",
    "images": "Images",
    "tasks": "Tasks",
    "features": "Features",
    "models": "Models",
    "generate": "Generated images",
    "detection": "Paintings in photographs",
    "evaluation": "Evaluation",
    "discovery": "Clusters, similar works and audits",
    "explain": "Maps",
    "lineage": "Lineage",
    "distributed": "Spark",
    "tracking": "MLflow tracking",
    "dvc": "DVC",
    "kedro_ext": "Kedro extensions",
    "hooks": "Kedro hooks",
    "pipelines": "Pipelines",
}
PAGES = {
    "Start": ["docs/README", "docs/tutorial", "docs/parameters", "docs/results"],
    "Data": ["docs/sources", "docs/scraping", "docs/sample_museum", "docs/tasks", "docs/features"],
    "Models": ["docs/classical", "docs/networks", "docs/search", "docs/costs", "docs/studies", "docs/predictions"],
    "Analyses": ["docs/maps", "docs/find_paintings", "docs/discovery", "docs/similar", "docs/audit", "docs/generate"],
    "Operation": ["docs/web", "docs/review", "docs/mlflow", "docs/serving", "docs/spark", "docs/dvc", "docs/lineage"],
    "Project": ["CONTRIBUTING", "CHANGELOG", "SECURITY", "benchmarks/RESULTS"],
    "API reference": [f"docs/api/{package}" for package in PACKAGES],
}

project = "art_pipeline"
version = release = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
copyright = "The art_pipeline maintainers, Apache 2.0"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "README"
include_patterns = ["README.md", *(f"{page}.*" for pages in PAGES.values() for page in pages)]
exclude_patterns = [".*", "conf", "data", "docs/_build", "mlruns", "notebooks", "src", "tests"]
html_theme = "furo"
html_title = "art_pipeline"
html_static_path = ["static"]
html_css_files = ["site.css"]
myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]
autodoc_default_options = {"members": True, "show-inheritance": True, "exclude-members": "model_config"}
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_mock_imports = ["keras", "mlflow", "tensorflow"]
napoleon_use_ivar = True
suppress_warnings = ["ref.python"]  # words in descriptions of results, such as height, that are several attributes


class Mermaid(Directive):
    """A diagram as its text: drawing it takes a script from the network."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the text as it is."""
        text = "\n".join(self.content)
        return [nodes.literal_block(text, text, language="text")]


def write_api_pages(app: Sphinx) -> None:
    """Write a page per package, which documents its modules."""
    API.mkdir(exist_ok=True)
    for package, title in PACKAGES.items():
        text = f"{title}\n{'=' * len(title)}\n\n" + "\n".join(module_section(one) for one in modules_of(package))
        page = API / f"{package}.rst"
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def modules_of(package: str) -> list[str]:
    """Return the names of a package and all its modules."""
    name = f"{art_pipeline.__name__}.{package}"
    folder = Path(art_pipeline.__file__).parent / package
    return [name, *(module.name for module in pkgutil.walk_packages([str(folder)], f"{name}."))]


def module_section(module: str) -> str:
    """Return the section of one module."""
    return f"{module}\n{'-' * len(module)}\n\n.. automodule:: {module}\n"


def add_contents(app: Sphinx, page: str, source: list[str]) -> None:
    """Add the table of contents to the first page; the repository's own page has links in its text."""
    if page == root_doc:
        for caption, pages in PAGES.items():
            names = "\n".join(f"/{one}" for one in pages)
            source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{names}\n```\n"


def write_index(app: Sphinx, error: Exception | None) -> None:
    """Let the site's folder open on the first page."""
    if error is None:
        page = f'<!doctype html><meta http-equiv="refresh" content="0; url={root_doc}.html"><title>art_pipeline</title>'
        (Path(app.outdir) / "index.html").write_text(page, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the functions above."""
    app.add_directive("mermaid", Mermaid)
    app.connect("builder-inited", write_api_pages)
    app.connect("source-read", add_contents)
    app.connect("build-finished", write_index)
    return {"parallel_read_safe": True}
