"""Which head of a frozen network is best, by cross-validation on the images to learn from alone.

    python benchmarks/heads.py MODEL [--project FOLDER] [--deals N]

The model must have run in the project, so that its features of each image are there; its test
images are not looked at. Each row is the mean over several deals of the images into five folds:
heads trained for all ``epochs`` of the model's block, with one thing at a time set otherwise, and
a support vector machine in their place, which chooses its C by cross-validation within.
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
from art_pipeline.images.standardize import image_path
from art_pipeline.models.networks.family import NetworkOptions
from art_pipeline.models.networks.features import Features
from art_pipeline.models.networks.network import predict_from_features
from art_pipeline.models.svm.feature_svm import FeatureSvmOptions, train_feature_svm
from art_pipeline.models.training.images import Examples
from art_pipeline.models.training.train import TrainingData, train_network

LONGER = {"epochs": 60, "adam": {"learning_rate": 0.002}}  # features as they are want more and larger steps
# Name -> what of the block differs.
CHANGES = {
    "as it is": {},
    "no class weights": {"training": {"class_weight": None}},
    "balanced class weights": {"training": {"class_weight": "balanced"}},
    "no hidden layer": {"hidden_units": 0},
    "nor standardised; 60 epochs, steps of 0.002": {"hidden_units": 0, "standardise": False, "training": LONGER},
}
MACHINE = "a support vector machine"
# (ids to learn from, their classes, ids to judge) to the classes of the latter.
Judge = Callable[[list[int], np.ndarray, list[int]], np.ndarray]


def main() -> None:
    """Train every head, and the machine, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="name of a block in params.yaml with a frozen base")
    parser.add_argument("--project", type=Path, default=Path(__file__).parents[1], help="project whose data is used")
    parser.add_argument("--deals", type=int, default=2, help="deals into folds")
    options = parser.parse_args()
    prepare_keras(ComputeOptions())
    block = yaml.safe_load((options.project / "params.yaml").read_text(encoding="utf-8"))[options.model]
    features = options.project / "data" / "04_feature" / options.model
    ids, labels, images = to_learn_from(options.project)
    heads = {name: changed(block, changes) for name, changes in CHANGES.items()}
    judges = {name: partial(judged_by_head, head, features, images) for name, head in heads.items()}
    print("| head | accuracy | macro F1 |\n|---|---|---|")
    for name, judge in (judges | {MACHINE: partial(judged_by_machine, features)}).items():
        accuracy, f1 = np.mean([score(judge, ids, labels, deal) for deal in range(options.deals)], axis=0)
        print(f"| {name} | {accuracy:.4f} | {f1:.4f} |", flush=True)


def changed(block: dict, changes: dict) -> NetworkOptions:
    """The block, so changed, that learns from all images that it is given."""
    training = {**block.get("training", {}), "calibrate": False, **changes.get("training", {})}
    everything = {"train_on": ["train", "validation"]}
    return NetworkOptions.model_validate(block | everything | changes | {"training": training})


def score(judge: Judge, ids: list[int], labels: np.ndarray, deal: int) -> tuple[float, float]:
    """Accuracy and macro F1, each image judged while it was held out."""
    guessed, every = np.empty_like(labels), np.array(ids)
    for train, test in StratifiedKFold(5, shuffle=True, random_state=deal).split(labels[:, None], labels):
        guessed[test] = judge(every[train].tolist(), labels[train], every[test].tolist())
    return float(np.mean(guessed == labels)), float(f1_score(labels, guessed, average="macro"))


def judged_by_head(
    head: NetworkOptions, features: Path, images: Path, ids: list[int], labels: np.ndarray, others: list[int]
) -> np.ndarray:
    """What a head says that the pipeline trained."""
    examples = Examples(
        tuple(map(str, ids)), tuple(map(str, labels)), tuple(image_path(images, object_id) for object_id in ids)
    )
    data = TrainingData(examples, Examples(), Examples(), head.image_size, features=features)
    with TemporaryDirectory() as folder:
        train_network(data, head, cache_megabytes=1, folder=Path(folder), fingerprint="")
        said, classes = predict_from_features(Path(folder), features_of(features, others))
    return np.array(classes, int)[said.argmax(axis=1)]


def judged_by_machine(features: Path, ids: list[int], labels: np.ndarray, others: list[int]) -> np.ndarray:
    """What a model of kind ``feature_svm`` says."""
    options = FeatureSvmOptions(features_of=features.name)
    model = train_feature_svm(features_of(features, ids), labels, options, network=Path(), max_side=0)
    said = model.probabilities_from_features(features_of(features, others))
    return np.array(model.classes, int)[said.argmax(axis=1)]


def features_of(features: Path, ids: list[int]) -> np.ndarray:
    """(n, features) float32 of these objects, as the pipeline stored them."""
    return Features(features).of([str(object_id) for object_id in ids])


if __name__ == "__main__":
    main()
