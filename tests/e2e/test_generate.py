"""A generator of images, from a folder of made images to a proven result; and what was tampered with is named."""

import shutil
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

pytestmark = pytest.mark.slow  # a network is trained, and records are verified

ROOT = Path(__file__).parents[2]
IMAGES, SIDE = 60, 20  # of each of two classes
FOLDER = "data/00_external/made"
NETWORK = {"kind": "plain", "image_size": 16, "noise": 4, "width": 2, "discriminator_width": 2}
BLOCK = {"task": "scenes", "features": "colour_moments", "samples": 16, "subsets": 2, "shown": 4, **NETWORK}
STAGES = "scrape,download,subset_scenes,features_colour_moments,generate_hills"


def draw_images(folder):
    """Skies over ground and over sea, in noise."""
    rng = np.random.default_rng(0)
    for name, colour in (("hills", (40, 120, 60)), ("sea", (160, 90, 30))):
        (folder / name).mkdir(parents=True)
        for number in range(IMAGES):
            pixels = rng.integers(120, 250, (SIDE, SIDE, 3))
            pixels[rng.integers(6, 14) :] = colour
            noisy = np.clip(pixels + rng.normal(0, 20, pixels.shape), 0, 255)
            cv2.imwrite(str(folder / name / f"{number}.png"), noisy.astype(np.uint8))


def write_parameters(path):
    """Reduce the parameters to one task, one block of features and one generator."""
    parameters = yaml.safe_load((path / "params.yaml").read_text())
    del parameters["bow_svm"]
    task = {"label": "classification", "images_per_class": None, "near_duplicates": {"action": "keep"}}
    parameters |= {
        "sources": [{"source": "folder", "folder": FOLDER}],
        "download": parameters["download"] | {"min_side": SIDE, "public_domain_only": False},
        "tasks": {"scenes": task},
        "features": {"colour_moments": {"extractor": "colour_moments", "images": "all"}},
        "generate": {"hills": BLOCK | {"training": {"steps": 2, "batch_size": 2, "evaluate_every": 1}}},
    }
    (path / "params.yaml").write_text(yaml.safe_dump(parameters, sort_keys=False))
    (path / "conf/test/parameters.yml").write_text("{}\n")


@pytest.fixture
def generated(project):
    """A project with a trained generator, in git and DVC, and its MLflow run."""
    project = replace(project, tracked=True)
    for name in (".dvc/config", ".dvc/.gitignore", ".dvcignore", ".gitignore", "requirements.lock"):
        (project.path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, project.path / name)
    draw_images(project.path / FOLDER)
    write_parameters(project.path)
    project.git("init", "--quiet", "--initial-branch=main")
    project.do("kedro", "dvc")
    project.commit("The project")
    project.do("kedro", "run", "--pipelines", STAGES)
    project.do("dvc", "commit", "--force", *STAGES.split(","))
    project.commit("Results")
    return project


@contextmanager
def changed(file):
    """Flip a bit in the middle of a file meanwhile."""
    content = file.read_bytes()
    other = bytearray(content)
    other[len(other) // 2] ^= 1
    file.write_bytes(other)
    yield
    file.write_bytes(content)


def test_a_generator_is_proven_and_what_was_changed_is_named(generated):
    said = generated.ask("lineage", "verify", "generate_hills")
    assert "0 missing, 0 broken" in said
    assert "proven  generate_hills.analysis" in said
    assert "proven  MLflow: metrics" in said
    folder = generated.path / "data/08_reporting/generate_hills/analysis"
    for name in ("samples.png", "generator.npz", "images/hills-0003.png"):
        with changed(folder / name):
            said = generated.ask("lineage", "verify", "generate_hills", check=False)
        assert "broken  generate_hills.analysis" in said
        assert name in said
