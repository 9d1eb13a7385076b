"""The scorer is what its training writes."""

from dataclasses import asdict

import numpy as np
import pytest

from art_pipeline.detection.measures import NAMES
from art_pipeline.detection.scorer import Scorer, stored_scorer, to_text
from art_pipeline.detection.training import TrainingOptions, examples, train_scorer
from art_pipeline.errors import ModelError

SMALL = TrainingOptions(rooms=1, width=240, trees=4, depth=3)


def test_the_scorer_of_this_version_was_trained_with_its_settings():
    training = dict(stored_scorer().training)
    assert training.pop("proposals") > 5_000
    assert training.pop("images") == 346
    assert training == asdict(TrainingOptions())


def test_training_twice_gives_the_same_bytes(works):
    one, again = train_scorer(works, SMALL), train_scorer(works, SMALL)
    assert one == again
    scorer = Scorer.from_text(one)
    features, targets = examples(works, SMALL)
    predicted = scorer(features)
    assert np.corrcoef(predicted, targets)[0, 1] > 0.5
    assert ((predicted >= 0) & (predicted <= 1)).all()


def test_scores_are_those_of_scikit_learn():
    from sklearn.ensemble import GradientBoostingRegressor

    rng = np.random.default_rng(0)
    features = rng.normal(size=(300, len(NAMES))).astype(np.float32)
    targets = (features[:, 0] > 0) * 0.5 + 0.2 * (features[:, 3] > 1)
    model = GradientBoostingRegressor(n_estimators=5, max_depth=3, learning_rate=0.5, random_state=0)
    model.fit(features, targets)
    expected = model.predict(features)
    trees = [one.tree_ for one in model.estimators_[:, 0]]
    for tree in trees:
        tree.value[:] = tree.value * 0.5
    scorer = Scorer.from_text(to_text(float(targets.mean()), trees, 3, {}))
    assert np.allclose(scorer(features), np.clip(expected, 0, 1), atol=1e-4)


def test_other_features_are_an_error():
    text = train_text().replace(f'"{NAMES[0]}"', '"another"')
    with pytest.raises(ModelError, match="trained on other features"):
        Scorer.from_text(text)
    with pytest.raises(ModelError, match=f"needs {len(NAMES)} features, and got 3"):
        stored_scorer()(np.zeros((2, 3), np.float32))


def train_text():
    return to_text(0.5, [], 1, {})
