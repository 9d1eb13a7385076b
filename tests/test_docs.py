"""The documents agree with the code."""

import ast
import hashlib
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from art_pipeline.discovery.options import InfluenceOptions
from art_pipeline.generate.options import GenerateOptions
from art_pipeline.models.networks.cnn import CnnOptions
from art_pipeline.models.search.options import SearchOptions
from art_pipeline.pipelines.parameter_table import parameter_table
from art_pipeline.pipelines.parameters import RENAMED, check_parameters

ROOT = Path(__file__).parents[1]


def test_the_page_of_parameters_has_the_table():
    shown = (ROOT / "docs" / "parameters.md").read_text(encoding="utf-8").partition("<!-- parameters -->\n")[2]
    parameters = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    assert shown.partition("\n<!-- /parameters -->")[0] == parameter_table(parameters)


def test_the_projects_own_parameters_can_be_used():
    check_parameters(yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8")))


OPTION_TABLES = [
    ("generate.md", "| option | default | meaning |", GenerateOptions),
    ("discovery.md", "| option of `influences` | default | meaning |", InfluenceOptions),
    ("parameters.md", "`search.MODEL`", SearchOptions),
    ("parameters.md", "A model of `kind: cnn`", CnnOptions),
]


@pytest.mark.parametrize(("page", "start", "options"), OPTION_TABLES)
def test_tables_of_options_have_their_defaults(page, start, options):
    """The first table from a line on; a row may have several options, with as many defaults or one."""
    rows = (ROOT / "docs" / page).read_text(encoding="utf-8").partition(start)[2].partition("|---|")[2].splitlines()[1:]
    shown = {}
    for row in rows[: rows.index("")]:
        names, defaults = (re.findall(r"`([^`]+)`", cell) for cell in row.split(" | ")[:2])
        shown |= {
            name: defaults[min(number, len(defaults) - 1)] if defaults else "" for number, name in enumerate(names)
        }
    fields = {name: field for name, field in options.model_fields.items() if name in shown}
    assert len(fields) > 3
    for name, field in fields.items():
        default = field.get_default(call_default_factory=True)
        if shown[name]:
            assert yaml.safe_load(shown[name]) == (list(default) if isinstance(default, tuple) else default), name
        else:  # in words
            assert field.is_required() or isinstance(default, tuple), name


def test_local_links_lead_somewhere():
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def anchors_of(page):
    """Return the anchors of a page's headings, as GitHub generates them."""
    headings = re.findall(r"^#+ +(.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in plain}


def test_local_anchors_are_headings():
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target, anchor in re.findall(r"\]\((?!https?://)([^)#]*)#([^)]+)\)", page.read_text(encoding="utf-8")):
            assert anchor in anchors_of(page.parent / target if target else page), f"{page.name}: {target}#{anchor}"


def test_the_site_has_every_page_and_package():
    values = {
        node.targets[0].id: node.value
        for node in ast.parse((ROOT / "docs/conf.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    listed = {text.value for text in ast.walk(values["PAGES"]) if isinstance(text, ast.Constant)}
    assert {f"docs/{page.stem}" for page in (ROOT / "docs").glob("*.md")} - listed == set()
    packages = {path.parent.name for path in (ROOT / "src/art_pipeline").glob("*/__init__.py")}
    assert packages - set(ast.literal_eval(values["PACKAGES"])) <= {"cli", "web"}


def test_the_index_lists_every_page():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert {page for page in pages if f"({page})" not in index} == set()


def test_the_first_image_is_what_a_run_shows():
    outputs = yaml.safe_load((ROOT / "dvc.lock").read_text())["stages"]["bow_svm_dense"]["outs"]
    (shown,) = (one["md5"] for one in outputs if one["path"].endswith("/confusion_matrix.png"))
    assert hashlib.md5((ROOT / "docs/images/confusion_matrix.png").read_bytes()).hexdigest() == shown


def test_the_changelog_lists_every_renamed_parameter():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert [name for name in RENAMED if f"`{name}`" not in text] == []


@pytest.mark.parametrize(
    "name",
    [
        "requirements.lock",
        "requirements-headless.lock",
        "requirements-spark.lock",
        "tests/services/crate_validator.lock",
        "tests/services/iiif_validator.lock",
    ],
)
def test_a_lock_has_hashes_and_no_address(name):
    lock = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in lock
    assert all("--hash=sha256:" in block for block in re.split(r"\n(?=\S)", lock.strip()))


def test_the_lock_meets_every_requirement():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    locks = ("requirements.lock", "requirements-spark.lock")  # the latter is installed where it is needed
    lock = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in locks)
    for requirement in map(Requirement, wanted):
        pinned = re.findall(rf"^{requirement.name}==([^ ;]+)", lock, flags=re.MULTILINE | re.IGNORECASE)
        assert pinned and all(requirement.specifier.contains(version) for version in pinned), requirement


def test_telemetry_is_off():
    assert yaml.safe_load((ROOT / ".telemetry").read_text())["consent"] is False
    assert "analytics = false" in (ROOT / ".dvc" / "config").read_text()
