"""Notebooks run from end to end on a finished project, and are stored without outputs."""

import base64
import functools
import io
import itertools
import os
import re
import shutil
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient
from PIL import Image

from art_pipeline.evaluation.report.formatting import TO

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(file.name for file in FOLDER.glob("*.ipynb"))
MODELS = ("alexnet", "both", "mobilenet_head", "mobilenet_svm")
TITLE = '<b>"Vase" & lid</b>'
ESCAPED = "&lt;b&gt;&quot;Vase&quot; &amp; lid&lt;/b&gt;"
PROBE = """
import sys, art_pipeline
print(art_pipeline.__file__)
print({"tensorflow", "keras", "torch", "jax"} & set(sys.modules))
"""
PLACES = r"(?<![\w.])/(home|root|Users|tmp|work|mnt)/|[A-Z]:\\"


@pytest.fixture(scope="module")
def project(networks, tmp_path_factory):
    """A finished project whose works have a page at the museum, or what only looks like an address."""
    path = tmp_path_factory.mktemp("notebooks") / "project"
    shutil.copytree(networks.path, path, ignore=shutil.ignore_patterns("01_raw", "04_feature", "06_models"))
    shutil.copytree(FOLDER, path / "notebooks")
    project = type(networks)(path)
    file = project.data / "02_intermediate/objects.parquet"
    objects = pd.read_parquet(file)
    ids = objects["object_id"].astype(str)
    pages = ("https://museum.example/" + ids).where(objects["object_id"] % 2 == 0, "javascript:alert(" + ids + ")")
    objects.assign(title=TITLE, object_url=pages).to_parquet(file)
    return project


@pytest.fixture(scope="module")
def execute(project, tmp_path_factory):
    """Executes a notebook as it is stored, once, with this Python; the home folder stays as it is."""
    jupyter = tmp_path_factory.mktemp("jupyter")
    places = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    own = {name: str(jupyter / name.lower()) for name in places} | {"KEDRO_ENV": "test"}
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}

    @functools.cache
    def executed(name):
        notebook = nbformat.read(project.path / "notebooks" / name, as_version=4)
        notebook.cells.append(nbformat.v4.new_code_cell(PROBE))
        folder = {"metadata": {"path": str(project.path / "notebooks")}}
        return NotebookClient(notebook, kernel_name="python3", timeout=600, resources=folder).execute(
            env=environment | own
        )

    with pytest.MonkeyPatch.context() as patch:
        for name, value in own.items():
            patch.setenv(name, value)
        yield executed


@pytest.fixture(scope="module")
def compared(execute):
    return execute("compare_models.ipynb")


def shown(notebook, cell_id, kind="text/html"):
    """What a cell showed."""
    cell = next(cell for cell in notebook.cells if cell.id == cell_id)
    return "".join(output.data.get(kind, "") for output in cell.outputs)


def decode(image):
    return Image.open(io.BytesIO(base64.b64decode(image))).convert("L")


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_quietly_on_the_projects_own_source_without_keras(execute, project, name):
    *cells, probe = execute(name).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert {output.output_type for output in outputs} <= {"display_data", "execute_result"}
    assert not re.search(PLACES, " ".join(str(text) for output in outputs for text in output.data.values()))
    source, heavy = probe.outputs[0].text.splitlines()
    assert Path(source).is_relative_to(project.path)
    assert heavy == "set()"


@pytest.mark.slow
def test_the_comparison_shows_that_files_and_mlflow_agree(compared):
    table = shown(compared, "show-table")
    rows = dict(re.findall(r"<tr>\s*<th>(\w+)</th>(.*?)</tr>", table, flags=re.DOTALL))
    assert sorted(rows) == list(MODELS)
    for row in rows.values():
        accuracy, f1, *tracked, agree = re.findall(r"<td>(.*?)</td>", row)
        assert re.fullmatch(rf"[01]\.\d{{3}} \([01]\.\d{{3}}{TO}[01]\.\d{{3}}\)", accuracy)
        assert tracked == [accuracy, f1]
        assert agree == "yes"


@pytest.mark.slow
def test_the_comparison_draws_figures_and_works(compared):
    for cell_id in ("show-comparison", "show-curves"):
        assert len(decode(shown(compared, cell_id, "image/png")).getcolors()) > 9
    for cell_id in ("show-surest", "show-missed"):
        images = re.findall(r'<img src="data:image/jpeg;base64,([^"]+)"', shown(compared, cell_id))
        assert images and all(min(decode(image).size) > 9 for image in images)


@pytest.mark.slow
def test_the_museums_words_are_text_and_only_web_addresses_are_links(compared):
    page = shown(compared, "show-surest")
    works = re.findall(r">(\d+)</td>", page)
    assert works and page.count(f">{ESCAPED}<") == len(works)
    assert TITLE not in page
    assert re.findall(r'<a href="([^"]+)"', page) == [
        f"https://museum.example/{work}" for work in works if int(work) % 2 == 0
    ]
    assert "javascript" not in page


@pytest.mark.slow
def test_the_surest_mistakes_are_those_of_the_predictions(compared, project):
    chosen = re.match(r"\*\*(\w+)\*\*", shown(compared, "choose-model", "text/markdown")).group(1)
    file = project.data / "07_model_output" / chosen / "predictions.parquet"
    predictions = pd.read_parquet(file).query("split == 'test'").set_index("object_id")
    probabilities = predictions.filter(like="p:")
    wrong = probabilities.idxmax(axis=1) != "p:" + predictions["label"]
    surest = probabilities.max(axis=1)[wrong].nlargest(8).index
    assert re.findall(r">(\d+)</td>", shown(compared, "show-surest")) == [str(work) for work in surest]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_stored_without_outputs_and_places(name):
    notebook = nbformat.read(FOLDER / name, as_version=4)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None and not cell.metadata for cell in code)
    assert notebook.metadata.kernelspec.name == "python3"
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert not re.search(PLACES, text) and sys.prefix not in text


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_code_cell_has_a_sentence_above_it(name):
    pairs = itertools.pairwise(nbformat.read(FOLDER / name, as_version=4).cells)
    assert [cell.id for above, cell in pairs if {above.cell_type, cell.cell_type} == {"code"}] == []
