from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from art_pipeline.errors import ModelError
from art_pipeline.evaluation.label_thresholds import choose_thresholds
from art_pipeline.evaluation.predictions import make_predictions
from art_pipeline.models import registry
from art_pipeline.models.classifier import read_details, read_metadata, write_metadata
from art_pipeline.models.ensemble import Ensemble, EnsembleOptions, join, predict
from art_pipeline.models.networks.alexnet import AlexNetOptions
from art_pipeline.models.registry import load_classifier

CLASSES = ("blau", "rot")
IMAGES = [np.full((4, 6, 3), shade, np.uint8) for shade in (0, 100, 250)]


@dataclass(frozen=True)
class Shade:
    """Finds bright images red, by its own measure."""

    classes: tuple[str, ...]
    max_side: int
    slope: float

    def probabilities(self, images):
        red = np.array([min(self.slope * image.mean() / 255, 1) for image in images])
        return np.stack([1 - red, red], axis=1)

    @classmethod
    def load(cls, folder):
        card = read_metadata(folder)
        return cls(tuple(card["classes"]), card["max_side"], card["training"]["slope"])


@pytest.fixture
def member(tmp_path, monkeypatch):
    """Makes the folder of a trained model."""
    family_of = registry.family_of
    monkeypatch.setattr(registry, "family_of", lambda kind: Shade if kind == "shade" else family_of(kind))

    def make(name: str, slope: float, classes=CLASSES, max_side=400) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        write_metadata(folder, "shade", classes=classes, max_side=max_side, training={"slope": slope})
        return folder

    return make


def test_it_says_the_mean_of_what_its_members_say(member):
    ensemble = Ensemble.of({"one": member("one", 1.0), "two": member("two", 0.5)})
    expected = np.mean([Shade(CLASSES, 400, slope).probabilities(IMAGES) for slope in (1.0, 0.5)], axis=0)
    np.testing.assert_allclose(ensemble.probabilities(iter(IMAGES)), expected)
    assert (ensemble.classes, ensemble.max_side) == (CLASSES, 400)


def test_what_is_stored_judges_alone_and_alike(member, tmp_path):
    made = Ensemble.of({"one": member("one", 1.0), "two": member("two", 0.5)})
    folder = tmp_path / "stored"
    folder.mkdir()
    made.save(folder)
    expected = made.probabilities(IMAGES).tolist()
    for one in made.folders.values():  # what it was made from is not needed any more
        (one / "model.json").unlink()
    found = load_classifier(folder)
    assert isinstance(found, Ensemble)
    assert read_details(folder)["members"] == ["one", "two"]
    assert found.probabilities(IMAGES).tolist() == expected


def test_members_share_a_task():
    options = EnsembleOptions(task="department", members=["one", "two"])
    reference = options.references()[0]
    assert reference.find_problem(AlexNetOptions(task="department")) is None
    assert reference.find_problem(AlexNetOptions(task="tags")) == "its task is tags, not department"
    assert reference.find_problem(options) == "it is an ensemble itself"


def multilabel_predictions(seed, origin):
    rng = np.random.default_rng(seed)
    labels, splits = ["blau", "blau|rot", "rot", ""] * 5, ["train"] * 8 + ["validation"] * 6 + ["test"] * 6
    rows = pd.DataFrame({"object_id": range(20), "label": labels, "split": splits})
    origins = np.where(rows["split"] == "train", origin, "held_out")
    return make_predictions(rows, rng.random((20, 2)), CLASSES, origins=origins, thresholds=[0.5, 0.5])


def test_thresholds_are_chosen_on_the_mean_where_no_member_was_trained(member, tmp_path):
    options = EnsembleOptions(task="tags", members=["one", "two"], thresholds={"shrinkage": 1})
    tables = [multilabel_predictions(0, "out_of_fold"), multilabel_predictions(1, "resubstitution")]
    predictions = predict(options, *tables)
    assert set(predictions.query("split == 'train'")["origin"]) == {"resubstitution"}
    columns = ["p:blau", "p:rot"]
    np.testing.assert_allclose(predictions[columns], (tables[0][columns] + tables[1][columns]) / 2)
    validation = predictions.query("split == 'validation'")
    true = np.array([[name in label for name in CLASSES] for label in validation["label"]])
    expected = choose_thresholds(true, validation[columns].to_numpy(), CLASSES, options.thresholds)
    folder = tmp_path / "stored"
    folder.mkdir()
    join(options, predictions, member("one", 1.0), member("two", 0.5))(folder)
    model = load_classifier(folder)
    np.testing.assert_array_equal(model.thresholds.values, expected.values)
    assert model.thresholds.labels == CLASSES


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"classes": ("blau", "gelb")}, "one, two cannot form an ensemble: their classes differ"),
        ({"max_side": 200}, "their sizes of training images differ. Train them on the same subset"),
    ],
)
def test_models_of_other_labels_or_images_cannot_form_an_ensemble(member, other, why):
    with pytest.raises(ModelError, match=why):
        Ensemble.of({"one": member("one", 1.0), "two": member("two", 0.5, **other)})


def test_an_ensemble_has_members():
    with pytest.raises(ValidationError, match="members"):
        EnsembleOptions(task="department", members=())
