"""Which head of a frozen network is best, by cross-validation on the pictures to learn from alone.

    python benchmarks/heads.py MODEL [--project FOLDER] [--deals N]

The model must have run in the project, so that its features of each picture are there; its test
pictures are not looked at. Each row is the mean over several deals of the pictures into five folds,
each head trained for all ``epochs`` of the model's block, with one thing at a time set otherwise.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import yaml
from ablation import to_learn_from
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold

from art_pipeline.compute import ComputeOptions, prepare_keras
from art_pipeline.models.features import Features
from art_pipeline.models.network import NetworkOptions, judge_features
from art_pipeline.models.pictures import Examples
from art_pipeline.models.train_network import TrainingData, train_network
from art_pipeline.vision.imaging import image_path

LONGER = {"epochs": 60, "adam": {"learning_rate": 0.002}}  # features as they are want more and larger steps
# Name -> what of the block differs.
CHANGES = {
    "as it is": {},
    "no class weights": {"training": {"class_weight": None}},
    "balanced class weights": {"training": {"class_weight": "balanced"}},
    "no hidden layer": {"hidden": 0},
    "nor standardised; 60 epochs, steps of 0.002": {"hidden": 0, "standardise": False, "training": LONGER},
}


def main() -> None:
    """Train every head, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="name of a block in params.yaml with a frozen base")
    parser.add_argument("--project", type=Path, default=Path(__file__).parents[1], help="project whose data is used")
    parser.add_argument("--deals", type=int, default=2, help="deals into folds")
    options = parser.parse_args()
    prepare_keras(ComputeOptions())
    block = yaml.safe_load((options.project / "params.yaml").read_text(encoding="utf-8"))[options.model]
    features = options.project / "data" / "04_feature" / options.model
    ids, labels, images = to_learn_from(options.project)
    print("| head | accuracy | macro F1 |\n|---|---|---|")
    for name, changes in CHANGES.items():
        head = changed(block, changes)
        scores = [score(head, features, ids, labels, images, deal) for deal in range(options.deals)]
        accuracy, f1 = np.mean(scores, axis=0)
        print(f"| {name} | {accuracy:.4f} | {f1:.4f} |", flush=True)


def changed(block: dict, changes: dict) -> NetworkOptions:
    """The block, so changed, that learns from all pictures that it is given."""
    training = {**block.get("training", {}), "calibrate": False, **changes.get("training", {})}
    everything = {"train_on": ["train", "validation"]}
    return NetworkOptions.model_validate(block | everything | changes | {"training": training})


def score(
    head: NetworkOptions, features: Path, ids: list[int], labels: np.ndarray, images: Path, deal: int
) -> tuple[float, float]:
    """Accuracy and macro F1, each picture judged while it was held out."""
    guessed = np.empty_like(labels)
    for train, test in StratifiedKFold(5, shuffle=True, random_state=deal).split(labels[:, None], labels):
        chosen = [ids[place] for place in train]
        examples = Examples(
            tuple(str(one) for one in chosen),
            tuple(str(label) for label in labels[train]),
            tuple(image_path(images, one) for one in chosen),
        )
        data = TrainingData(examples, Examples(), Examples(), head.image_size, features=features)
        with TemporaryDirectory() as folder:
            train_network(data, head, memory=1, folder=Path(folder), fingerprint="")
            said, classes = judge_features(Path(folder), Features(features).of([str(ids[place]) for place in test]))
        guessed[test] = np.array(classes, int)[said.argmax(axis=1)]
    return float(np.mean(guessed == labels)), float(f1_score(labels, guessed, average="macro"))


if __name__ == "__main__":
    main()
