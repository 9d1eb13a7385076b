from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from art_pipeline.images.standardize import image_path

SPLITS = ("train", "train", "validation", "test")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with 24 noisy images, red and blue, and their manifest."""
    root = tmp_path_factory.mktemp("project")
    (root / "images").mkdir()
    ids = range(1, 25)
    for one in ids:
        pixels = np.random.default_rng(one).uniform(0, 120, (48, 48, 3))
        pixels[..., 0 if one % 2 else 2] += 100
        Image.fromarray(pixels.astype(np.uint8)).save(image_path(root / "images", one))
    labels = ["red" if one % 2 else "blue" for one in ids]
    splits = [SPLITS[one // 2 % 4] for one in ids]
    manifest = pd.DataFrame({"object_id": ids, "label": labels, "group": "", "split": splits})
    return SimpleNamespace(root=root, images=root / "images", manifest=manifest)
