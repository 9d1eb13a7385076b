"""An imported analysis of similar works."""

import shutil

import numpy as np
import pandas as pd
import pytest
from tests.web.run_folder import TASKS

from art_pipeline.discovery.nearest import unit_rows
from art_pipeline.discovery.similar.collection import SimilarWorks
from art_pipeline.discovery.similar.mix import Mix
from art_pipeline.discovery.similar.options import SimilarOptions
from art_pipeline.web.catalogue.importer import import_run
from art_pipeline.web.catalogue.models import ImportedRun
from art_pipeline.web.catalogue.run_folder import RunFolder
from art_pipeline.web.similar import importing


@pytest.fixture(autouse=True)
def no_space(monkeypatch):
    """No space of an earlier test's database."""
    monkeypatch.setattr("art_pipeline.web.similar.search._current", None)


@pytest.fixture
def collection(finished_run):
    objects = pd.read_parquet(finished_run / "02_intermediate/objects.parquet").set_index("object_id")
    works = objects.loc[101:118, ["title", "artist", "object_date", "object_begin_date", "department"]]
    features = np.random.default_rng(0).normal(size=(len(works), 8)).astype(np.float32)
    options = SimilarOptions(features=("gist",), dimensions=4, smooth=0)
    mix = Mix.fit(features, [8], options)
    return SimilarWorks(options, works, mix.transform(features), unit_rows(mix.transform(features)), mix)


@pytest.fixture
def run(finished_run, tmp_path, collection):
    data = tmp_path / "project" / "data"
    shutil.copytree(finished_run, data)
    folder = data / "08_reporting" / "similar_works" / "analysis"
    folder.mkdir(parents=True)
    collection.save(folder)
    return RunFolder(data, TASKS, is_sample=True)


@pytest.fixture
def searchable(db, finished_run, run, copies, monkeypatch):
    monkeypatch.setattr(importing, "PART", 5)
    copies["searchable", finished_run].put(lambda: import_run(run))
    return ImportedRun.latest()
