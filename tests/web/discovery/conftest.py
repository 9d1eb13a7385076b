import json

import numpy as np
import pandas as pd
import pytest
from tests.web.run_folder import TASKS

from art_pipeline.web.catalogue.importer import import_run
from art_pipeline.web.catalogue.run_folder import RunFolder


def write_clustering(data, name="looks"):
    """Write what an analysis of ``discovery`` leaves: two clusters, of a mixture, with a map and influences."""
    folder = data / "08_reporting" / f"discovery_{name}" / "analysis"
    folder.mkdir(parents=True)
    ids = pd.read_parquet(data / "02_intermediate/objects.parquet")["object_id"].to_numpy()
    rng = np.random.default_rng(0)
    images = pd.DataFrame({"object_id": ids, "cluster": np.arange(len(ids)) % 2 + 1})
    images["rank"] = images.groupby("cluster").cumcount() + 1
    images[["x", "y"]] = rng.random((len(ids), 2)).round(5)
    images = images.assign(component_1=images["cluster"], share_1=0.7, component_2=3 - images["cluster"], share_2=0.3)
    images.to_csv(folder / "images.csv", index=False)
    words = ["Asian Art 62% (of all: 33%)", None]
    clusters = {"cluster": [1, 2], "images": images["cluster"].value_counts().sort_index(), "share": 0.5}
    pd.DataFrame(clusters).assign(more_than_chance=words).to_csv(folder / "clusters.csv", index=False)
    pairs = {"object_id": ids[5:8], "part": "whole", "rank": 1, "earlier_id": ids[:3], "similarity": 0.9, "years": 40}
    pd.DataFrame(pairs).assign(p_value=[0.005, 0.2, None]).to_csv(folder / "influences.csv", index=False)
    artists = {"artist": ["Later"], "earlier_artist": ["Earlier"], "rank": 1, "similarity": 0.8, "year": 1800}
    pd.DataFrame(artists).assign(earlier_year=1700, p_value=0.1, works=5).to_csv(folder / "artists.csv", index=False)
    section = {"title": "Clusters by gist", "text": ["k-means puts 60 images into 2 clusters.", "Silhouette 0.1."]}
    (folder / "section.json").write_text(json.dumps(section))
    (folder / "metrics.json").write_text(json.dumps({"images": len(ids), "silhouette": None}))
    return folder


@pytest.fixture
def clustered(db, finished_run, copies, tmp_path):
    """The finished run with a clustering, imported."""
    data = tmp_path / "data"
    data.mkdir()
    for one in finished_run.iterdir():
        if one.name != "08_reporting":
            (data / one.name).symlink_to(one)
    (data / "08_reporting").mkdir()
    for one in (finished_run / "08_reporting").iterdir():
        (data / "08_reporting" / one.name).symlink_to(one)
    write_clustering(data)
    copies["clustered", finished_run].put(lambda: import_run(RunFolder(data, TASKS)))
    return data
