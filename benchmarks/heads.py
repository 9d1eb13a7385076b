"""Heads on stored features, compared by cross-validation on the training images.

    python benchmarks/heads.py MODEL [--project FOLDER] [--repeats N]

The model is of kind ``head``, and its features have been extracted in the project. Test images are
not used. Each row is the mean over several repeats of five-fold cross-validation: heads trained for
all ``epochs`` of the model's block, with one parameter changed at a time, and an SVM instead of a
head, which chooses its C by an inner cross-validation.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import yaml
from ablation import to_learn_from
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold

from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
from art_pipeline.features.store import FeatureStore, GlobalFeatures
from art_pipeline.models.features import StoredExtractors
from art_pipeline.models.networks.head import HeadOptions
from art_pipeline.models.svm.feature_svm import FeatureSvmOptions, train_feature_svm
from art_pipeline.models.training.features import ExampleFeatures
from art_pipeline.models.training.images import Examples
from art_pipeline.models.training.train import TrainingData, train_head

LONGER = {"epochs": 60, "adam": {"learning_rate": 0.002}}  # features as they are want more and larger steps
# Name -> what of the block differs.
CHANGES = {
    "as it is": {},
    "no class weights": {"training": {"class_weight": None}},
    "balanced class weights": {"training": {"class_weight": "balanced"}},
    "no hidden layer": {"hidden_units": 0},
    "nor standardised; 60 epochs, steps of 0.002": {"hidden_units": 0, "standardise": False, "training": LONGER},
}
SVM = "SVM"
# (training ids, their classes, ids to predict) -> classes of the latter.
Predict = Callable[[list[int], np.ndarray, list[int]], np.ndarray]


def main() -> None:
    """Train every head and the SVM, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="name of a block of kind head in params.yaml")
    parser.add_argument("--project", type=Path, default=Path(__file__).parents[1], help="project whose data is used")
    parser.add_argument("--repeats", type=int, default=2, help="repeats of cross-validation")
    options = parser.parse_args()
    prepare_keras(ComputeOptions())
    block = yaml.safe_load((options.project / "params.yaml").read_text(encoding="utf-8"))[options.model]
    stores = {one: FeatureStore(options.project / "data" / "04_feature" / one) for one in block["features"]}
    ids, labels, _ = to_learn_from(options.project)
    heads = {name: changed(block, changes) for name, changes in CHANGES.items()}
    predictors = {name: partial(predict_by_head, head, stores) for name, head in heads.items()}
    print("| head | accuracy | macro F1 |\n|---|---|---|")
    for name, predict in (predictors | {SVM: partial(predict_by_svm, stores)}).items():
        accuracy, f1 = np.mean([score(predict, ids, labels, seed) for seed in range(options.repeats)], axis=0)
        print(f"| {name} | {accuracy:.4f} | {f1:.4f} |", flush=True)


def changed(block: dict, changes: dict) -> HeadOptions:
    """Return the block with these changes, trained on all images."""
    training = {**block.get("training", {}), "calibrate": False, **changes.get("training", {})}
    everything = {"train_on": ["train", "validation"]}
    return HeadOptions.model_validate(block | everything | changes | {"training": training})


def score(predict: Predict, ids: list[int], labels: np.ndarray, seed: int) -> tuple[float, float]:
    """Return accuracy and macro F1 of the predictions for held-out images."""
    predicted, every = np.empty_like(labels), np.array(ids)
    for train, test in StratifiedKFold(5, shuffle=True, random_state=seed).split(labels[:, None], labels):
        predicted[test] = predict(every[train].tolist(), labels[train], every[test].tolist())
    return float(np.mean(predicted == labels)), float(f1_score(labels, predicted, average="macro"))


def predict_by_head(
    head: HeadOptions, stores: dict[str, FeatureStore], ids: list[int], labels: np.ndarray, others: list[int]
) -> np.ndarray:
    """Return the predictions of a head trained by the pipeline."""
    examples = Examples(tuple(map(str, ids)), tuple(map(str, labels)))
    features = GlobalFeatures([*stores.values()])
    data = TrainingData(examples, Examples(), Examples(), 0, features=ExampleFeatures(features))
    with TemporaryDirectory() as folder:
        trained = train_head(data, head, StoredExtractors.of(stores), Path(folder), fingerprint="")
    probabilities = trained.probabilities_from_features(features.of(others))
    return np.array(trained.classes, int)[probabilities.argmax(axis=1)]


def predict_by_svm(
    stores: dict[str, FeatureStore], ids: list[int], labels: np.ndarray, others: list[int]
) -> np.ndarray:
    """Return the predictions of a model of kind ``feature_svm``."""
    options, features = FeatureSvmOptions(task="department", features=[*stores]), GlobalFeatures([*stores.values()])
    extractors = StoredExtractors.of(stores)
    model = train_feature_svm(features.of(ids), list(map(str, labels)), options, extractors, max_side=0)
    probabilities = model.probabilities_from_features(features.of(others))
    return np.array(model.classes, int)[probabilities.argmax(axis=1)]


if __name__ == "__main__":
    main()
