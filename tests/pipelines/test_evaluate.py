"""The evaluation of a model of either kind, from its predictions to the files."""

import io
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.evaluation.predictions import class_columns, known_classes, make_predictions, mean_predictions
from art_pipeline.pipelines.evaluate import nodes
from art_pipeline.pipelines.evaluate.options import EvaluateOptions
from art_pipeline.pipelines.evaluate.pipeline import create_pipeline

ROOT = Path(__file__).parents[2]
OPTIONS = EvaluateOptions(bootstrap=100, target_accuracy=0.8)
NAMES = ["", "all", "None", "1850"]  # a class may be called anything, a label anything but ""
KINDS = ["multiclass", "multilabel"]


def predictions(kind, seed=0, n=240):
    """Probabilities that mean what they say: a quarter each out of fold, by resubstitution, of validation and test."""
    rng, names = np.random.default_rng(seed), NAMES[kind == "multilabel" :]
    split = np.resize(["train", "train", "validation", "test"], n)
    origins = np.resize(["out_of_fold", "resubstitution", "held_out", "held_out"], n)
    if kind == "multilabel":
        probabilities = rng.beta(0.5, 0.5, (n, len(names)))
        true = rng.random(probabilities.shape) < probabilities
        labels = ["|".join(np.array(sorted(names), dtype=object)[row]) for row in true]
        names, thresholds = sorted(names), np.full(len(names), 0.4)
    else:
        probabilities = rng.dirichlet(np.ones(len(names)) / 3, n)
        labels, thresholds = [names[rng.choice(len(names), p=row)] for row in probabilities], None
    rows = pd.DataFrame({"object_id": rng.permutation(n), "label": labels, "split": split})
    return make_predictions(rows, probabilities, names, origins=origins, thresholds=thresholds)


def with_other_test_images(made, seed):
    """The same predictions, except for labels and probabilities of the test split."""
    rng, other = np.random.default_rng(seed), made.copy()
    test, columns = (made["split"] == "test").to_numpy(), class_columns(known_classes(made))
    other.loc[test, columns] = rng.dirichlet(np.ones(len(columns)), test.sum())
    other.loc[test, "label"] = rng.permutation(made.loc[test, "label"].to_numpy())
    return other


@pytest.mark.parametrize("kind", KINDS)
def test_the_nodes_write_the_same_tables_for_both_kinds(kind):
    made = create_pipeline(kind)
    written = {name for name in made.all_outputs() if not name.endswith("_figure")}
    assert written == {"metrics", "per_class", "confusion_matrix", "selective", "review"}
    assert made.inputs() == {"predictions", "images", "params:evaluate"}


@pytest.mark.parametrize("kind", KINDS)
def test_tables_are_read_as_they_were_written(kind):
    made = predictions(kind)
    _, per_class, confusion = nodes.compute_metrics(made, OPTIONS)
    selective, review = nodes.classify_selectively(made, OPTIONS)
    catalog = yaml.safe_load((ROOT / "conf/base/catalog/08_reporting.yml").read_text())
    for name, table in (("per_class", per_class), ("selective", selective)):
        arguments = catalog[f"{{model}}.{name}"]["dataset"]
        text = table.to_csv(**arguments["save_args"])
        pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(text), **arguments["load_args"]), table)
    assert len(confusion) == len(per_class) == len(selective) - 1
    assert len(review) == (made["split"] == "test").sum()


@settings(deadline=None, max_examples=15)
@given(st.sampled_from(KINDS), st.integers(0, 99), st.booleans())
def test_nothing_that_is_chosen_depends_on_the_test_split(kind, seed, class_thresholds):
    options = OPTIONS.model_copy(update={"class_thresholds": class_thresholds})
    chosen = []
    for made in (one := predictions(kind, seed), with_other_test_images(one, seed)):
        metrics, per_class, _ = nodes.compute_metrics(made, options)
        selective, _ = nodes.classify_selectively(made, options)
        mean = mean_predictions([made, made])
        thresholds = mean[[name for name in mean if name.startswith("t:")]]
        chosen.append(
            (metrics.pop("global_threshold", None), per_class.get("threshold"), selective, thresholds, metrics)
        )
    (global_one, own, selective, mean, metrics), (global_two, own_two, selective_two, mean_two, metrics_two) = chosen
    assert global_one == global_two
    assert (own is None and own_two is None) or own.equals(own_two)
    assert selective[["class", "threshold", "chosen_on"]].equals(selective_two[["class", "threshold", "chosen_on"]])
    assert mean.equals(mean_two)
    assert metrics != metrics_two  # the test images are used, to evaluate


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_without_images_to_choose_on_is_reported(kind, caplog):
    made = predictions(kind)
    seen = made.assign(origin=np.where(made["split"] == "test", "held_out", "resubstitution"))
    with caplog.at_level(logging.WARNING):
        table, _ = nodes.classify_selectively(seen, OPTIONS)
    assert "No threshold for selective classification" in caplog.text
    assert table["threshold"].isna().all()
    caplog.clear()
    nodes.classify_selectively(made, OPTIONS)
    assert not caplog.messages
