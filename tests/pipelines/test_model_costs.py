"""Models whose mistakes have costs, as Kedro runs them: trained, evaluated, loaded and served."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from PIL import Image

from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.distributed.options import FeatureEngineOptions
from art_pipeline.errors import EvaluationError, ModelError, ParameterError
from art_pipeline.evaluation.acceptance import Thresholds
from art_pipeline.features.colour_moments import ColourMomentsOptions
from art_pipeline.images.standardize import encode_jpeg
from art_pipeline.kedro_ext.datasets import AtomicDataset, BytesDataset, FolderDataset
from art_pipeline.models.ensemble import EnsembleOptions
from art_pipeline.models.networks.head import HeadOptions
from art_pipeline.models.pyfunc import ImageClassifier
from art_pipeline.models.registry import load_classifier
from art_pipeline.models.search.score import predict_held_out, read_datasets, score
from art_pipeline.models.svm.feature_svm import FeatureSvmOptions
from art_pipeline.pipelines.evaluate.options import EvaluateOptions
from art_pipeline.pipelines.features.pipeline import create_pipeline as features_pipeline
from art_pipeline.pipelines.model import pipeline as model
from art_pipeline.pipelines.parameters import check_parameters, models_in
from art_pipeline.tasks.decide import DecideOptions
from art_pipeline.tasks.options import TaskOptions

PARAMETERS = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text(encoding="utf-8"))
SVM = {"task": "colour", "features": ["colours"], "svm": {"C": [1], "folds": 2}}
TASK = TaskOptions(label="label")
EVALUATE = EvaluateOptions(bootstrap=100, examples=1, target_cost=0.5)


@pytest.fixture(scope="module")
def costs(tmp_path_factory):
    """A file by which red that is taken for another colour is very dear."""
    return tmp_path_factory.mktemp("costs") / "costs.csv"


@pytest.fixture(scope="module")
def catalog(project, costs):
    """A catalog after a run of three models: a baseline, one by a file, and an ensemble of one by confusions."""
    costs.write_text("true,blue,red\nblue,0,1\nred,50,0\n", encoding="utf-8")
    models = {
        "plain": FeatureSvmOptions(**SVM),
        "dear": FeatureSvmOptions(**SVM, decide={"costs": str(costs), "asymmetric": True}),
        "head": HeadOptions(
            task="colour",
            features=["colours"],
            decide={"costs": str(costs), "asymmetric": True, "rule": "likeliest"},
            training={"epochs": 2, "batch_size": 4, "loss": "soft_labels", "sampling": "balanced"},
        ),
        "again": EnsembleOptions(task="colour", members=["plain"], decide={"confusion_of": "plain"}),
    }
    ids = project.manifest["object_id"].tolist()
    given = {
        "image_table": pd.DataFrame({"object_id": ids, "status": "ok"}),
        "images": project.images,
        "colour.manifest": project.manifest,
        "colour.near_duplicates": pd.DataFrame({"object_id": [], "other_id": []}, dtype=np.int64),
        "params:compute": ComputeOptions(),
        "params:compute_features": FeatureEngineOptions(),
        "params:features.colours": ColourMomentsOptions(),
        "params:download.max_side": 48,
        "params:evaluate": EVALUATE,
        "params:tasks.colour": TASK,
        **{f"params:{name}": options for name, options in models.items()},
    }
    folders = ["features.colours", *(f"{name}.model" for name in models)]
    found = DataCatalog(
        {name: MemoryDataset(value, copy_mode="assign") for name, value in given.items()}
        | {name: FolderDataset(str(project.root / "costly" / name), resume="features" in name) for name in folders}
    )
    whole = features_pipeline("colours", ColourMomentsOptions(), ["colour"])
    for name, options in models.items():
        wanted = [f"{name}.{what}" for what in ("metrics", "selective", "model")]
        whole += model.create_pipeline(name, options).to_outputs(*wanted)
    for name in whole.all_outputs() - set(folders):
        found[name] = _dataset(name, project.root / "costly" / f"{name}.file")
    SequentialRunner().run(whole, found)
    return found


def _dataset(name, file):
    """A data set that is kept when no node needs it any more, unless it is small."""
    if name.endswith(("predictions", "out_of_fold")):
        return AtomicDataset(str(file), {"type": "pandas.ParquetDataset"})
    return BytesDataset(str(file)) if name.endswith("costs") else MemoryDataset(copy_mode="assign")


def test_costs_travel_with_predictions_and_model(catalog):
    table = catalog.load("dear.predictions")
    (decision,) = table["decision"].unique()
    costs = [[0.0, 1.0], [50.0, 0.0]]
    assert json.loads(decision) == {"rule": "least_cost", "classes": ["blue", "red"], "costs": costs}
    assert catalog.load("dear.costs") == b"true,blue,red\nblue,0.0,1.0\nred,50.0,0.0\n"
    assert {"mean_cost", "cost_saved"} <= set(catalog.load("dear.metrics"))
    assert "mean_cost" not in catalog.load("plain.metrics")
    assert "decision" not in catalog.load("plain.predictions")
    assert set(catalog.load("dear.out_of_fold")["decision"]) == {decision}


def test_a_dear_class_is_predicted_more_often(catalog):
    plain, dear = (load_classifier(catalog.load(f"{name}.model")) for name in ("plain", "dear"))
    grey = np.full((48, 48, 3), 120, np.uint8)
    images = pd.DataFrame({"image": [encode_jpeg(Image.fromarray(grey)), b"no image"]})
    thresholds = Thresholds(0.9, {"red": 0.7}, by_cost=True)
    found, before = ImageClassifier(dear, thresholds).predict(images), ImageClassifier(plain).predict(images)
    probabilities = before.loc[0, ["p:blue", "p:red"]].to_numpy(float)
    np.testing.assert_array_equal(found.loc[0, ["p:blue", "p:red"]].to_numpy(float), probabilities)
    blue, red = probabilities
    expected = {"blue": 50 * red, "red": blue}
    label = min(expected, key=expected.get)
    assert found.loc[0, "label"] == label
    assert found.loc[0, "expected_cost"] == pytest.approx(expected[label])
    assert found.loc[0, "probability"] == pytest.approx(probabilities[["blue", "red"].index(label)])
    assert found.loc[0, "accepted"] == (expected[label] <= 0.7)
    assert found.loc[1, ["label", "accepted"]].tolist() == [None, None]
    assert list(found)[:5] == ["status", "label", "probability", "expected_cost", "accepted"]


def test_a_loaded_model_is_saved_again_with_its_costs(catalog, tmp_path):
    classifier = load_classifier(catalog.load("dear.model"))
    classifier.save(tmp_path)
    again = load_classifier(tmp_path)
    assert again.costs.values.tolist() == classifier.costs.values.tolist()
    assert again.training == classifier.training
    (tmp_path / "decision.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match=r"decision\.json: .* Train the model again"):
        load_classifier(tmp_path)


def test_a_head_is_trained_by_costs_and_predicts_the_likeliest(catalog):
    table = catalog.load("head.predictions")
    metrics = catalog.load("head.metrics")
    assert "mean_cost" in metrics
    assert "cost_saved" not in metrics
    assert json.loads(table["decision"].iloc[0])["rule"] == "likeliest"


def test_an_ensemble_of_one_model_decides_otherwise_without_training(catalog):
    columns = ["object_id", "p:blue", "p:red"]
    plain, again = catalog.load("plain.predictions"), catalog.load("again.predictions")
    pd.testing.assert_frame_equal(plain[columns], again[columns])
    values = json.loads(again["decision"].iloc[0])["costs"]
    assert values[0][1] == values[1][0] <= 1


@pytest.mark.parametrize("of_model", [True, False])
def test_trials_of_a_search_are_scored_by_cost(catalog, tmp_path, project, of_model):
    decide = DecideOptions(logit_adjustment=1.0)
    options = FeatureSvmOptions(**SVM, decide=decide if of_model else None)
    names = {"params:task": "params:tasks.colour"}
    of_task = {"manifest", "near_duplicates"}
    given = {
        one: catalog.load(names.get(one, f"colour.{one}" if one in of_task else one)) for one in read_datasets(options)
    }
    given["manifest"] = project.manifest[project.manifest["split"] != "test"]
    given["params:task"] = TaskOptions(label="label", decide=None if of_model else decide)
    assert "mean_cost" in score(predict_held_out(options, given, tmp_path / "own", tmp_path / "shared"))


def test_models_have_the_costs_of_their_task(project):
    tasks = PARAMETERS["tasks"] | {"department": PARAMETERS["tasks"]["department"] | {"decide": {"costs": "a.csv"}}}
    own = BLOCK | {"decide": {"logit_adjustment": 1.0}}
    models = models_in(PARAMETERS | {"tasks": tasks, "own": own, "plain": BLOCK})
    assert models["plain"].decide == DecideOptions(costs="a.csv")
    assert models["plain"].read_paths == ("a.csv",)
    assert models["own"].decide == DecideOptions(logit_adjustment=1.0)
    assert models["classification_svm"].decide is None
    first = model.create_pipeline("plain", models["plain"]).nodes[0]
    task = TaskOptions(label="label", decide={"logit_adjustment": 1.0})
    given = {"params:plain": BLOCK, "params:tasks.department": task, "department.manifest": project.manifest}
    assert first.run(given)["plain.costs"].startswith(b"true,blue,red")


@pytest.mark.parametrize(
    ("task", "decide", "why"),
    [
        ("tags", {"costs": "a.csv"}, r"tasks\.tags\.decide .*is for one class per image"),
        ("department", {"confusion_of": "bow_svm"}, r"tasks\.department\.decide .*is for decide of a model"),
    ],
)
def test_decisions_of_a_task_that_do_not_fit(task, decide, why):
    tasks = PARAMETERS["tasks"] | {task: PARAMETERS["tasks"][task] | {"decide": decide}}
    with pytest.raises(ParameterError, match=why):
        check_parameters(PARAMETERS | {"tasks": tasks})


def test_missing_classes_stop_the_run_before_training(costs, project):
    file = costs.with_name("blue.csv")
    file.write_text("true,blue\nblue,0\n", encoding="utf-8")
    options = FeatureSvmOptions(**SVM, decide={"costs": str(file)})
    pipeline = model.create_pipeline("dear", options)
    first = pipeline.nodes[0]
    assert first.name.endswith("make_costs")
    with pytest.raises(EvaluationError, match="the class 'red' has no column"):
        first.run({"params:dear": options, "params:tasks.colour": TASK, "colour.manifest": project.manifest})


HEAD = {"kind": "head"}
BLOCK = {"kind": "feature_svm", "task": "department", "features": ["colour_moments"]}


@pytest.mark.parametrize(
    ("block", "why"),
    [
        ({"decide": {"confusion_of": "bow_svn"}}, r"decide\.confusion_of cannot be 'bow_svn': .* mean 'bow_svm'"),
        ({"decide": {"confusion_of": "own"}}, "this is a cycle"),
        ({"decide": {"confusion_of": "tags_svm"}}, "its task is tags, not department"),
        ({"decide": {}}, "give one of costs, groups"),
        ({"decide": {"costs": "a.csv", "rule": "cheapest"}}, "own.decide.rule cannot be 'cheapest'"),
        (
            HEAD | {"training": {"loss": "soft_labels"}},
            "soft_labels reads the costs of mistakes; set decide",
        ),
        (HEAD | {"task": "tags", "training": {"loss": "logit_adjusted"}}, "is for one class per image"),
        (HEAD | {"task": "tags", "training": {"sampling": "balanced"}}, "sampling is for one class per image"),
        ({"task": "tags", "decide": {"costs": "a.csv"}}, "decide is for one class per image"),
    ],
)
def test_decisions_that_do_not_fit(block, why):
    with pytest.raises(ParameterError, match=why):
        check_parameters(PARAMETERS | {"own": BLOCK | block})
