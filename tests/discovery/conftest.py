import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from art_pipeline.discovery.collection import open_collection
from art_pipeline.features.store import FeatureStore
from art_pipeline.images.standardize import encode_jpeg

COLOURS = {"Rococo": (220, 170, 160), "Realism": (90, 80, 60), "Ukiyo-e": (70, 120, 190)}
EACH = 14


def store_of(folder, values, statuses=None):
    """Write a store of global features with one row per image, whose ids are 1, 2, …"""
    folder.mkdir(parents=True)
    length = values.shape[1]
    config = {"extractor": folder.name, "length": length, "blocks": [length // 2, length - length // 2]}
    (folder / "extractor.json").write_text(json.dumps(config))
    statuses = statuses or ["ok"] * len(values)
    rows = [int(one == "ok") for one in statuses]
    index = {"object_id": np.arange(1, len(values) + 1), "digest": "", "status": statuses, "rows": rows}
    pd.DataFrame(index).to_parquet(folder / "index.parquet")
    np.save(folder / "values.npy", values[np.array(rows, bool)])
    return FeatureStore(folder)


@pytest.fixture(scope="session")
def museum(tmp_path_factory):
    """A folder of images and features, and its table of objects: three styles, by six artists in as many decades."""
    folder = tmp_path_factory.mktemp("museum")
    rng = np.random.default_rng(0)
    styles = np.repeat(list(COLOURS), EACH)
    features = np.array([COLOURS[one] for one in styles]) / 60 + rng.normal(scale=0.3, size=(len(styles), 3))
    more = np.hstack([features, rng.normal(scale=0.2, size=(len(styles), 5))]).astype(np.float32)
    (folder / "images").mkdir()
    records = []
    for number, style in enumerate(styles, start=1):
        noise = rng.integers(-20, 20, size=(20, 30, 3))
        pixels = np.clip(np.array(COLOURS[style]) + noise, 0, 255).astype(np.uint8)
        (folder / "images" / f"{number}.jpg").write_bytes(encode_jpeg(Image.fromarray(pixels)))
        year = 1700 + 10 * (number % 6)
        record = {"object_id": number, "title": f"Work {number}", "style": style, "artist": f"Artist {number % 6}"}
        dates = {"object_date": str(year), "object_begin_date": year, "object_end_date": year + 2, "department": "Art"}
        records.append(record | dates)
    store_of(folder / "04_feature" / "gist", more)
    store_of(folder / "04_feature" / "colour", features.astype(np.float32))
    return folder, pd.DataFrame(records)


@pytest.fixture
def collection(museum):
    folder, objects = museum
    stores = {name: FeatureStore(folder / "04_feature" / name) for name in ("gist", "colour")}
    return open_collection(stores, objects, folder / "images")


@pytest.fixture(scope="session")
def write_store():
    """Write a store of global features; see `store_of`."""
    return store_of
