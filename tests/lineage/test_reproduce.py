"""What a run is set to that is made again; the run itself is in tests/e2e."""

import pytest
from omegaconf import OmegaConf

from art_pipeline.lineage.record import Artifact, Environment, Record, Source, Step
from art_pipeline.lineage.reproduce import _configure

USED = {"label": "period", "query": "1e3", "groups": {"St. Louis": ["${x}", "12e-1"]}, "seed": None}


def record(path, parameters, overrides):
    step = Step(
        stage="subset",
        function="f",
        code={},
        parameters=parameters,
        reads={},
        writes={"manifest": Artifact(path=path, digest="0" * 32, size=1, files=1)},
    )
    nowhere = Environment(lock=None, python="3", platform="x", cpu=(), packages={})
    source = Source(commit="0" * 40, changes=None)
    given = {"version": 1, "result": "m", "museum": "m", "overrides": overrides}
    return Record(**given, source=source, environment=nowhere, steps={"split": step})


def settings(folder, record):
    _configure(folder, record)
    return {
        name: OmegaConf.to_container(OmegaConf.load(folder / f"conf/reproduce/{name}.yml"), resolve=True)
        for name in ("globals", "parameters")
    }


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("data/03_primary/manifest.parquet", "data"),
        ("data/25_spring/03_primary/manifest.parquet", "data/25_spring"),
        ("03_primary/manifest.parquet", "."),
    ],
)
def test_data_lies_where_it_lay(tmp_path, path, data):
    assert settings(tmp_path, record(path, {"subset": USED}, {})) == {"globals": {"data": data}, "parameters": {}}


def test_every_value_is_read_as_it_was_used(tmp_path):
    parameters = {"subset": USED, "download.max_side": 300}
    overrides = {"subset.query": "1e3", "download.max_side": 300, "second.train_on": ["train", "validation"]}
    found = settings(tmp_path, record("data/03_primary/manifest.parquet", parameters, overrides))["parameters"]
    assert found == {
        "subset": USED,
        "download": {"max_side": 300},
        "second": {"train_on": ["train", "validation"]},
    }
