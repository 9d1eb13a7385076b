"""Analyses of similar works and of labels: their stages, rules and results, and ``kedro similar``."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from PIL import Image

from art_pipeline.cli import cli
from art_pipeline.discovery.similar.analysis import analyse_similar
from art_pipeline.discovery.similar.collection import SimilarWorks
from art_pipeline.discovery.similar.options import SimilarOptions
from art_pipeline.errors import DiscoveryError, ParameterError
from art_pipeline.features.registry import EXTRACTORS
from art_pipeline.features.store import FeatureStore
from art_pipeline.features.update import update_store
from art_pipeline.pipelines.analysis.pipeline import analysis_pipelines
from art_pipeline.pipelines.analysis.registry import ANALYSES
from art_pipeline.pipelines.audit.kind import analyse as analyse_audit
from art_pipeline.pipelines.parameters import check_blocks, check_parameters
from art_pipeline.pipelines.similar.kind import SIMILAR
from art_pipeline.tasks.options import TaskOptions

ROOT = Path(__file__).parents[2]
OWN = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
COLOURS = {"red": (200, 30, 30), "green": (30, 160, 40), "blue": (30, 40, 200)}
N = 30


def with_blocks(**blocks):
    return OWN | {kind.key: {} for kind in ANALYSES} | blocks


def test_an_analysis_of_similar_works_is_a_stage_that_reads_its_features():
    (stage,) = analysis_pipelines(check_blocks(with_blocks(similar={"works": {"features": ["gist"]}}))).items()
    assert stage[0] == "similar_works"
    read = stage[1].inputs()
    assert {"objects", "images", "image_hashes", "features.gist", "params:similar.works"} < read
    assert stage[1].all_outputs() == {"similar_works.analysis"}


def test_an_audit_reads_predictions_and_features():
    block = {"task": "classification", "models": ["classification_svm"], "features": ["gist"]}
    (stage,) = analysis_pipelines(check_blocks(with_blocks(audit={"labels": block}))).values()
    assert {"classification_svm.predictions", "classification.manifest", "features.gist"} < stage.inputs()


@pytest.mark.parametrize(
    ("blocks", "why"),
    [
        ({"similar": {"works": {"features": ["gits"]}}}, r"similar\.works\.features cannot have 'gits'.*'gist'"),
        ({"similar": {"works": {"features": ["sift"]}}}, r"any number of rows"),
        ({"audit": {"a": {"task": "departmant", "features": ["gist"]}}}, r"task cannot be 'departmant'.*'department'"),
        ({"audit": {"a": {"task": "department", "models": ["bow"]}}}, r"models cannot have 'bow'"),
        ({"audit": {"a": {"task": "department", "models": ["tags_svm"]}}}, r"it is of task tags, not department"),
        ({"audit": {"a": {"task": "department"}}}, r"name models or features"),
    ],
)
def test_wrong_references_are_named(blocks, why):
    with pytest.raises(ParameterError, match=why):
        check_parameters(with_blocks(**blocks))


@pytest.fixture(scope="module")
def museum(tmp_path_factory):
    """Images of three colours, their objects and manifest, and a store of colour moments."""
    root = tmp_path_factory.mktemp("museum")
    images = root / "images"
    images.mkdir()
    random = np.random.default_rng(0)
    names = np.resize(list(COLOURS), N)
    for object_id, name in enumerate(names, start=1):
        pixels = np.clip(random.normal(COLOURS[name], 12, (40, 40, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(images / f"{object_id}.jpg", quality=95)
    objects = pd.DataFrame({"object_id": range(1, N + 1), "title": "A =work", "artist": names, "department": names})
    objects["object_begin_date"], objects["object_date"] = pd.array(np.arange(1800, 1800 + N), "Int64"), "1800"
    hashes = pd.DataFrame({"object_id": range(1, N + 1), "hash": random.integers(0, 2**63, N).astype(np.uint64)})
    manifest = pd.DataFrame({"object_id": range(1, N + 1), "label": names, "split": np.resize(["train", "test"], N)})
    facts = objects[["object_id"]].assign(md5="", status="ok")
    features = EXTRACTORS["colour_moments"]()
    files = {one: images / f"{one}.jpg" for one in range(1, N + 1)}
    (root / "colour_moments").mkdir()
    update_store(root / "colour_moments", files, features.create())
    return {"root": root, "images": images, "objects": objects, "image_hashes": hashes, "manifest": manifest,
            "image_table": facts, "store": root / "colour_moments", "features": features}  # fmt: skip


def options(**changes):
    return SimilarOptions(features=("colour_moments",), **{"dimensions": 4, "neighbours": 5, "smooth": 1} | changes)


def analysed(museum, folder, **changes):
    folder.mkdir()
    stores = [FeatureStore(museum["store"])]
    analyse_similar(museum["objects"], museum["images"], museum["image_hashes"], stores, options(**changes))(folder)
    return folder


def contents(folder):
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_similar_works_have_the_colour_and_the_same_bytes_twice(museum, tmp_path):
    one, two = (analysed(museum, tmp_path / name) for name in ("one", "two"))
    assert contents(one) == contents(two)
    metrics = json.loads((one / "metrics.json").read_text())
    assert metrics["precision_at_5.department"] > 0.95
    assert "precision_at_5.department" in SIMILAR.metrics(options())
    section = json.loads((one / "section.json").read_text())
    assert all((one / part["file"]).stat().st_size for part in section["tables"] + section["figures"])
    found = SimilarWorks.load(one).similar_to(4, 5)
    assert 4 not in found.index
    assert (found["department"] == "red").all()


def test_an_image_that_is_a_work_finds_it(museum, tmp_path):
    folder = analysed(museum, tmp_path / "found", examples=0)
    found = SimilarWorks.load(folder).similar_to_features(FeatureStore(museum["store"]).of([7])[0], 5)
    assert (found["department"] == "red").all()


def test_problems_of_a_collection_are_errors(museum, tmp_path):
    folder = analysed(museum, tmp_path / "found", examples=0)
    with pytest.raises(DiscoveryError, match="Object 99 is not among the 30 works"):
        SimilarWorks.load(folder).similar_to(99, 5)
    (folder / "rows.npy").unlink()
    folder = folder.rename(tmp_path / "analysis")
    stage = tmp_path.name
    with pytest.raises(
        DiscoveryError,
        match=rf"^{stage} is not a complete collection of similar works: .*\. Run kedro run --pipelines {stage}\.$",
    ):
        SimilarWorks.load(folder)
    with pytest.raises(DiscoveryError, match="'styles', which is not a column"):
        analysed(museum, tmp_path / "other", labels=("styles",))


def test_years_are_labels_too(museum, tmp_path):
    years = {"object_begin_date": pd.array([1800, 1810, None] * 10, "Int64")}
    years["object_end_date"] = years["object_begin_date"]
    dated = museum | {"objects": museum["objects"].assign(**years)}
    folder = analysed(dated, tmp_path / "found", labels=("object_begin_date", "object_end_date"), examples=0)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["precision_at_5.object_begin_date"] == metrics["precision_at_5.object_end_date"]
    assert SimilarWorks.load(folder).works["object_end_date"].tolist() == ["1800", "1810", ""] * 10


@pytest.mark.parametrize("changes", [{}, {"dimensions": None, "normalise": "length"}])
def test_features_of_another_length_are_refused(museum, changes):
    works = SimilarWorks.fit(museum["objects"], [FeatureStore(museum["store"])], options(**changes))
    with pytest.raises(
        DiscoveryError, match=r"images have 5 features, and the analysis was .* with 9.* Run the analysis"
    ):
        works.place(np.ones((1, 5), np.float32))


def test_a_wrong_label_is_the_most_suspect(museum, tmp_path):
    manifest = museum["manifest"].assign(label=museum["manifest"]["label"].mask(museum["manifest"].index == 9, "blue"))
    block = {"task": "colour", "features": ["colour_moments"], "dimensions": 4, "C": [10.0], "outliers": 0}
    inputs = {name: museum[name] for name in ("objects", "image_table", "image_hashes")}
    inputs |= {"store_colour_moments": museum["store"], "options_colour_moments": museum["features"]}
    own = check_blocks(with_blocks(audit={"a": block | {"task": "department"}}))["audit"].a
    analyse_audit(own, TaskOptions(label="department"), museum["images"], manifest=manifest, **inputs)(tmp_path)
    first = pd.read_csv(tmp_path / "suspects.csv").iloc[0]
    assert (first["object_id"], first["recorded"], first["suggested"]) == (10, "blue", "red")


@pytest.fixture
def project(museum, tmp_path, monkeypatch):
    for name in ("params.yaml", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    parameters = with_blocks(similar={"works": {"features": ["colour_moments"]}})
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(parameters), encoding="utf-8")
    (tmp_path / "data/08_reporting/similar_works").mkdir(parents=True)
    analysed(museum, tmp_path / "data/08_reporting/similar_works/analysis")
    shutil.copytree(museum["store"], tmp_path / "data/04_feature/colour_moments")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(cli, ["similar", *map(str, arguments)])


@pytest.mark.usefixtures("project")
def test_the_command_lists_works_similar_to_an_object_or_an_image(museum):
    result = run(4, "--count", 3, "--same", "department")
    assert result.exit_code == 0, result.output
    assert len(result.output.strip().splitlines()) == 4
    result = run(museum["images"] / "4.jpg", "--count", 5, "--output", "found.csv")
    assert result.exit_code == 0, result.output
    found = pd.read_csv("found.csv")
    assert (found["department"] == "red").all() and len(found) == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["99"], "Object 99 is not among"),
        (["nothing.jpg"], "There is no file nothing.jpg, and it is not an id"),
        (["params.yaml"], "params.yaml is not an image that can be read"),
        (["photo.png", "--earlier"], "has no artist, year or department"),
        (["4", "--same", "departmant"], "Did you mean 'department'"),
        (["4", "--by", "work"], "similar has no block 'work'. Did you mean 'works'"),
        (["4", "--output", "found.txt"], "ends in .csv"),
    ],
)
@pytest.mark.usefixtures("project")
def test_the_command_explains_what_is_wrong(arguments, message):
    Image.new("RGB", (40, 40), "red").save("photo.png")
    result = run(*arguments)
    assert result.exit_code == 1
    assert message in result.output


def test_the_command_without_a_block_says_what_to_add(project):
    (project / "params.yaml").write_text(yaml.safe_dump(with_blocks()), encoding="utf-8")
    assert "params.yaml has no block of similar" in run(4).output


def test_the_command_names_features_that_the_parameters_have_no_more(project, museum):
    written = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    written["features"]["colours"] = written["features"].pop("colour_moments")
    text = yaml.safe_dump(written).replace("- colour_moments", "- colours")
    (project / "params.yaml").write_text(text, encoding="utf-8")
    result = run(museum["images"] / "4.jpg")
    assert result.exit_code == 1
    assert "with the features 'colour_moments', which params.yaml does not have any more. Add" in result.output


def test_the_command_refuses_features_that_were_computed_again_with_other_options(project, museum):
    config = project / "data/04_feature/colour_moments/extractor.json"
    config.write_text(json.dumps(json.loads(config.read_text(encoding="utf-8")) | {"version": 0}), encoding="utf-8")
    result = run(museum["images"] / "4.jpg")
    assert result.exit_code == 1
    assert "The features 'colour_moments' are computed with other options" in result.output
