"""Predictions by the least expected cost, as the web page imports, makes and explains them."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from art_pipeline.evaluation.acceptance import Thresholds
from art_pipeline.evaluation.costs import Costs
from art_pipeline.evaluation.predictions import add_costs, make_predictions
from art_pipeline.models.decided import CostlyClassifier
from art_pipeline.web.catalogue.importing.predictions import _accepted, _ranked
from art_pipeline.web.catalogue.model_result import ModelResult
from art_pipeline.web.catalogue.scores import review_scores
from art_pipeline.web.predictors import Predictor
from art_pipeline.web.review.reasons import worth

CLASSES = ("armour", "print", "vase")
COSTS = Costs(CLASSES, np.array([[0.0, 9.0, 9.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]))
VALUES = [[0.2, 0.5, 0.3], [0.0, 0.9, 0.1]]


@pytest.fixture
def result():
    rows = pd.DataFrame({"object_id": [1, 2], "label": ["armour", "vase"], "split": "test"})
    table = add_costs(make_predictions(rows, VALUES, CLASSES, origins="held_out"), COSTS)
    return ModelResult("one", "task", "head", "0", "", "", "data", {}, {}, table)


def test_the_class_with_the_least_expected_cost_is_imported(result):
    rows = result.predictions
    assert result.chosen_labels(rows) == [["armour"], ["print"]]
    assert result.expected_costs(rows) == pytest.approx([0.8, 0.1])
    order = _ranked(np.array(VALUES), np.array(CLASSES, object), [["armour"], None])
    assert order.tolist() == [[0, 1, 2], [1, 2, 0]]
    (doubt, error), (_, wrong) = review_scores(rows)
    assert (doubt, error) == (0.8, None)
    assert wrong == pytest.approx(0.8)


def test_a_prediction_is_accepted_up_to_an_expected_cost():
    thresholds = {"overall": 0.5, "classes": {"vase": 0.9}, "target": 0.2, "by_cost": True}
    assert _accepted(thresholds, "print", 0.1, 0.5)
    assert not _accepted(thresholds, "print", 0.99, 0.6)
    assert _accepted(thresholds, "vase", 0.1, 0.6)


def test_the_reviewer_reads_of_costs():
    facts = {"threshold": 0.5, "target": 0.2, "by_cost": True, "predicted": [("print", 0.4, False)]}
    assert worth(facts) == "Not accepted: the highest accepted expected cost is 0.5, for a mean cost of at most 0.2."
    assert "no expected cost" in worth(facts | {"threshold": None})


@dataclass
class Fixed:
    """A classifier that always returns the same probabilities."""

    classes: tuple[str, ...] = CLASSES
    thresholds: None = None
    max_side: int = 64

    def probabilities(self, images):
        return np.array([VALUES[0] for _ in images])

    def save(self, folder):
        """Nothing to save."""


def test_an_uploaded_image_is_decided_by_cost():
    file = BytesIO()
    Image.new("RGB", (30, 30)).save(file, "PNG")
    found = Predictor("0", CostlyClassifier(Fixed(), COSTS), Thresholds(0.7, {}, by_cost=True)).predict(file.getvalue())
    assert found.labels == ["armour"]
    assert list(found.probabilities.items()) == [("armour", 0.2), ("print", 0.5), ("vase", 0.3)]
    assert (found.expected_cost, found.threshold, found.accepted) == (0.8, 0.7, False)
