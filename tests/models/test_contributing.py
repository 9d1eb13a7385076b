"""What CONTRIBUTING.md says of a new model: its code is taken from there, and works."""

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from PIL import Image

from art_pipeline.images.standardize import image_path
from art_pipeline.kedro_ext.datasets import FolderDataset
from art_pipeline.models import registry
from art_pipeline.models.registry import load_classifier
from art_pipeline.pipelines.model.pipeline import create_pipeline
from art_pipeline.pipelines.parameters import check_parameters

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXTRACTOR, ARCHITECTURE, NETWORK, NETWORK_LINE, FAMILY, FAMILY_LINE, _ = re.findall(
    r"```python\n(.*?)```", TEXT, re.DOTALL
)
EXTRACTOR_LINES = re.findall(r"a line `(\w+,)` in `_REGISTERED`", TEXT)
PARAMETERS = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
COLOURS = {"blue": (40, 40, 200), "red": (200, 40, 40)}


def test_extractor_and_network_are_the_projects_own():
    files = ("features/image_metadata.py", "features/networks/mobilenet_v2.py", "models/networks/mobilenet_v2.py")
    found = [(ROOT / "src/art_pipeline" / file).read_text(encoding="utf-8") for file in files]
    assert found == [EXTRACTOR, ARCHITECTURE, NETWORK]
    assert NETWORK_LINE in (ROOT / "src/art_pipeline/models/registry.py").read_text(encoding="utf-8")
    registered = (ROOT / "src/art_pipeline/features/registry.py").read_text(encoding="utf-8")
    assert len(EXTRACTOR_LINES) == 2
    assert all(f"    {line}\n" in registered for line in EXTRACTOR_LINES)


@pytest.fixture
def family(tmp_path, monkeypatch):
    """The kind of the family in CONTRIBUTING.md, which is written into a package and registered by its line."""
    (kind, place), *_ = yaml.safe_load(FAMILY_LINE.strip().rstrip(",")).items()
    module, name = place.removeprefix("art_pipeline.models.").split(":")
    package = tmp_path / "more_models"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / f"{module}.py").write_text(FAMILY, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(registry.FAMILIES, kind, f"more_models.{module}:{name}")
    yield kind
    for module in [one for one in sys.modules if one.startswith("more_models")]:
        del sys.modules[module]


@pytest.fixture
def data(tmp_path):
    """A manifest of twelve images of two colours, with their folder."""
    folder, rng = tmp_path / "images", np.random.default_rng(0)
    folder.mkdir()
    labels, splits = list(COLOURS) * 6, ["train"] * 6 + ["validation"] * 2 + ["test"] * 4
    manifest = pd.DataFrame({"object_id": range(12), "label": labels, "split": splits})
    for number, label in zip(manifest["object_id"], labels, strict=True):
        pixels = np.clip(rng.normal(COLOURS[label], 20, (20, 30, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(image_path(folder, number))
    return {"department.manifest": manifest, "images": folder}


def test_a_family_is_one_file_and_one_line(family, data, tmp_path):
    parameters = check_parameters(PARAMETERS | {"colour": {"kind": family, "task": "department"}})
    settings = {"colour": parameters["colour"], "tasks.department": parameters["tasks"].department}
    settings |= {"evaluate": parameters["evaluate"], "download.max_side": 30}
    given = data | {f"params:{name}": value for name, value in settings.items()}
    catalog = DataCatalog(
        {name: MemoryDataset(value, "assign") for name, value in given.items()}
        | {"colour.model": FolderDataset(str(tmp_path / "model"))}
    )
    outputs = SequentialRunner().run(create_pipeline("colour", parameters["colour"]), catalog)
    metrics = outputs["colour.metrics"].load()
    assert (metrics["n"], metrics["accuracy"]) == (4, 1)
    model = load_classifier(catalog.load("colour.model"))
    images = [np.array(Image.open(image_path(data["images"], number))) for number in range(8, 12)]
    again = tmp_path / "again"
    again.mkdir()
    model.save(again)
    np.testing.assert_array_equal(load_classifier(again).probabilities(images), model.probabilities(images))
