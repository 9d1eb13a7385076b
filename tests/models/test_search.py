"""A search: the space, the same trials for the same seed, resumption, pruning, and no look at the test split."""

import hashlib
import json
from typing import Literal

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from art_pipeline.common.options import Options
from art_pipeline.common.progress import in_stage
from art_pipeline.common.search_events import listen_to_trials
from art_pipeline.common.training_events import report_epoch
from art_pipeline.errors import ModelError
from art_pipeline.evaluation.predictions import make_predictions
from art_pipeline.models.family import ModelFamily, Step
from art_pipeline.models.search import search as module
from art_pipeline.models.search.options import SearchedOptions, SearchOptions, change
from art_pipeline.models.search.search import Search
from art_pipeline.models.search.space import variants
from art_pipeline.models.search.trials import read_trials
from art_pipeline.models.search.write import read_best, write_block, write_values

pytest.importorskip("optuna")
LABELS = ["a", "b"] * 20
SPLITS = ["train"] * 20 + ["validation"] * 10 + ["test"] * 10
SPACE = {
    "inner.rate": {"low": 0.001, "high": 1.0, "log": True},
    "mode": {"choices": ["flat", "steep"]},
    "grid": {"low": 1, "high": 9, "integer": True, "when": {"mode": "steep"}},
}


class Inner(Options):
    rate: float = 0.1
    other: int = 3


class CurveOptions(ModelFamily):
    """A model whose accuracy is a known function of its parameters, best at a rate of 0.03."""

    DESCRIPTION = "a curve"

    kind: Literal["curve"] = "curve"
    inner: Inner = Inner()
    mode: Literal["flat", "steep"] = "flat"
    grid: tuple[float, ...] = (1.0, 2.0)

    def steps(self):
        return [
            Step(
                train,
                {"manifest": "manifest", "options": "params:options", "weights": "weights"},
                "model",
                "train",
                "train",
            ),
            Step(predict, ["manifest", "model", "params:options"], "predictions", "predict", "predict"),
            Step(fetch, ["params:options"], "weights", "fetch", "train"),  # which comes first, though it is listed last
        ]

    @classmethod
    def load(cls, folder):
        raise NotImplementedError


def fetch(_options):
    return lambda folder: (folder / "rate").touch()


def train(manifest, options, weights):
    assert set(manifest["split"]) == {"train", "validation"}
    assert (weights / "rate").exists()
    if options.mode == "steep" and options.grid[0] == 9:
        raise ModelError("nine is too much\nand more")
    for epoch in range(1, 4):
        report_epoch(epoch, {"loss": 1.0, "val_loss": abs(np.log(options.inner.rate / 0.03)) / epoch})
    return lambda folder: (folder / "model").write_text(str(options.inner.rate))


def predict(manifest, model, options):
    assert set(manifest["split"]) == {"validation"}
    assert (model / "model").read_text() == str(options.inner.rate)
    sure = 1 / (1 + abs(np.log(options.inner.rate / 0.03))) * (0.9 if options.mode == "flat" else 1)
    likely = np.where(np.arange(len(manifest)) < sure * len(manifest), 0.5 + sure / 2, 0.4)
    right = np.where(manifest["label"] == "a", likely, 1 - likely)
    return make_predictions(manifest, np.stack([right, 1 - right], axis=1), ["a", "b"], origins="held_out")


@pytest.fixture
def manifest():
    return pd.DataFrame({"object_id": np.arange(40), "label": LABELS, "split": SPLITS})


def searched(folder, manifest, fingerprint="one", **options):
    folder.mkdir(exist_ok=True)
    settings = {"space": SPACE, "trials": 8, "objective": "log_loss", **options}
    with in_stage("curve"):
        search = Search(CurveOptions(task="t"), SearchOptions(**settings), {"manifest": manifest}, folder, fingerprint)
        return search.run()


def content(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_the_same_seed_gives_the_same_files_and_another_seed_others(tmp_path, manifest, sampler):
    for name, seed in {"one": 0, "two": 0, "three": 1}.items():
        searched(tmp_path / name, manifest, sampler=sampler, seed=seed, trials=14)
    one, two, three = (content(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two
    assert set(one) == {"trials.json", "trials.csv", "best.yaml", "history.png", "slices.png", "importances.png"}
    assert one["trials.csv"] != three["trials.csv"]


def test_a_stopped_search_resumes_with_the_trials_that_it_would_have_had(tmp_path, manifest, monkeypatch):
    searched(tmp_path / "whole", manifest, trials=10)
    seen, predict_held_out = [], module.predict_held_out

    def stop(options, *more):
        seen.append(options)
        if len(seen) == 5:
            raise KeyboardInterrupt
        return predict_held_out(options, *more)

    monkeypatch.setattr(module, "predict_held_out", stop)
    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path / "parts", manifest, trials=10)
    assert len(read_trials(tmp_path / "parts", "one")) == 4
    searched(tmp_path / "parts", manifest, trials=7)  # and the budget may be raised
    searched(tmp_path / "parts", manifest, trials=10)
    assert len(seen) == 11  # only the trial that was stopped ran again
    assert content(tmp_path / "parts") == content(tmp_path / "whole")


def test_trials_of_another_search_are_discarded(tmp_path, manifest):
    searched(tmp_path, manifest, trials=3)
    searched(tmp_path, manifest, "two", trials=2)
    assert len(pd.read_csv(tmp_path / "trials.csv")) == 2
    (tmp_path / "trials.json").write_text("{broken")
    searched(tmp_path, manifest, "two", trials=1)
    assert len(pd.read_csv(tmp_path / "trials.csv")) == 1


def test_no_trial_depends_on_the_test_split(tmp_path, manifest):
    searched(tmp_path / "one", manifest)
    rng = np.random.default_rng(0)
    changed = manifest.copy()
    changed.loc[changed["split"] == "test", "label"] = rng.choice(["a", "b", "new"], 10)
    searched(tmp_path / "two", changed)
    searched(tmp_path / "three", manifest[manifest["split"] != "test"])
    assert content(tmp_path / "one") == content(tmp_path / "two") == content(tmp_path / "three")


def test_the_best_block_says_where_it_comes_from(tmp_path, manifest):
    best = searched(tmp_path, manifest)
    block, origin = read_best(tmp_path, "curve")
    assert block["mode"] == best.values["mode"]
    digest = hashlib.md5((tmp_path / "trials.json").read_bytes()).hexdigest()
    named = {"objective": "log_loss", "trial": best.number, "trials": 8, "digest": digest}
    assert origin == {"search": "curve", **named}


def test_the_best_trial_is_near_the_best_rate_and_its_block_is_written(tmp_path, manifest):
    best = searched(tmp_path, manifest, trials=25)
    table = pd.read_csv(tmp_path / "trials.csv")
    assert best.objective == table["objective"].min()
    assert 0.01 < best.values["inner.rate"] < 0.1
    assert yaml.safe_load((tmp_path / "best.yaml").read_text())["curve"] == {
        "kind": "curve",
        "task": "t",
        "inner": {"rate": best.values["inner.rate"]},
        **{key: [value] if key == "grid" else value for key, value in best.values.items() if key != "inner.rate"},
    }
    steep = table["mode"] == "steep"
    assert steep.any() and not steep.all()
    assert (table["grid"].notna() == steep).all()  # which is searched only then


def test_hopeless_trials_are_pruned_by_their_validation_loss(tmp_path, manifest):
    searched(tmp_path / "pruned", manifest, trials=20)
    searched(tmp_path / "all", manifest, trials=20, prune=False)
    pruned, whole = (json.loads((tmp_path / name / "trials.json").read_text())["trials"] for name in ("pruned", "all"))
    stopped = [one for one in pruned if one["state"] == "pruned"]
    assert stopped
    assert all(one["objective"] is None and 1 < len(one["epochs"]) <= 3 for one in stopped)
    assert not any(one["state"] == "pruned" for one in whole)


def test_a_trial_that_fails_is_a_row_with_its_reason(tmp_path, manifest):
    nine = {"mode": {"choices": ["steep"]}, "grid": {"choices": [1, 9]}}
    searched(tmp_path / "some", manifest, space=nine, trials=8)
    table = pd.read_csv(tmp_path / "some" / "trials.csv").set_index("state")
    assert set(table.loc["failed", "reason"]) == {"nine is too much"}
    assert (table.loc["failed", "grid"] == 9).all()
    with pytest.raises(ModelError, match=r"The first 5 trials of the search failed\. The last one: nine is too much"):
        searched(tmp_path / "none", manifest, space={**nine, "grid": {"choices": [9]}})


def test_an_unknown_objective_names_those_that_there_are(tmp_path, manifest):
    with pytest.raises(ModelError, match=r"search.curve.objective cannot be 'f2'. It can be n, accuracy, .*f1_macro"):
        searched(tmp_path, manifest, objective="f2")


def test_every_finished_trial_is_reported(tmp_path, manifest):
    seen = []
    listener = type("Recorder", (), {"on_trial": lambda _, trial: seen.append(trial)})()
    listen_to_trials(listener)
    best = searched(tmp_path, manifest, trials=4)
    listen_to_trials(None)
    searched(tmp_path, manifest, trials=5)
    assert [one.number for one in seen] == [0, 1, 2, 3]
    assert seen[best.number].objective == best.objective


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"space": {}}, "at least 1 item"),
        ({"trials": None}, "needs a budget: set trials or minutes"),
        ({"trials": 0}, "greater than or equal to 1"),
        ({"minutes": 0}, "greater than 0"),
        ({"space": {"mode": {}}}, "give either choices, or low and high"),
        ({"space": {"mode": {"choices": []}}}, "at least 1 item"),
        ({"space": {"a": {"low": 2, "high": 1}}}, "low 2 must be below high 1"),
        ({"space": {"a": {"low": 0, "high": 1, "log": True}}}, "a low above 0"),
        ({"space": {"a": {"low": 0, "high": float("inf")}}}, "finite"),
        ({"space": {"a": {"choices": [1], "when": {"b": 1}}}}, "names 'b': it must be a parameter above it"),
        ({"space": {"b": {"choices": [2]}, "a": {"choices": [1], "when": {"b": 1}}}}, "not one of the choices of b"),
    ],
)
def test_a_space_or_budget_that_cannot_be_is_refused(wrong, why):
    with pytest.raises(ValidationError, match=why):
        SearchOptions(**{"space": SPACE, "trials": 1, **wrong})


def test_a_space_of_an_unknown_parameter_or_a_wrong_value_is_refused():
    for key in ("rate", "inner.rat", "mode.x"):
        with pytest.raises(KeyError, match=key):
            list(variants(CurveOptions(), SearchOptions(space={key: {"choices": [1]}}, trials=1)))
    with pytest.raises(ValidationError, match="'flat' or 'steep'"):
        list(variants(CurveOptions(), SearchOptions(space={"mode": {"choices": ["flat", "high"]}}, trials=1)))


@given(st.floats(0.001, 1), st.sampled_from(["flat", "steep"]), st.integers(1, 9))
def test_changed_values_are_where_their_keys_say_and_all_others_stay(rate, mode, grid):
    block = CurveOptions().model_dump(mode="json")
    before = json.dumps(block)
    found = CurveOptions(**change(block, {"inner.rate": rate, "mode": mode, "grid": grid}))
    assert (found.inner.rate, found.mode, found.grid, found.inner.other) == (rate, mode, (grid,), 3)
    assert json.dumps(block) == before


ORIGIN = SearchedOptions(
    search="one", objective="accuracy", trial=3, trials=8, file="data/trials.json", digest=32 * "0"
)
PARAMETERS = """\
# Comments stay.
nothing: null   # nor does null go
one: &one
  kind: curve   # a model
  inner: {rate: 0.1, other: 3}
  mode: flat
two:
  <<: *one
  mode: steep
"""


@pytest.mark.parametrize("name", ["one", "two"])
def test_best_values_are_written_into_the_block_and_no_other(tmp_path, name):
    file = tmp_path / "params.yaml"
    file.write_text(PARAMETERS)
    before = yaml.safe_load(PARAMETERS)
    try:
        write_values(file, name, {"inner": {"rate": 0.5}, "mode": "steep"}, ORIGIN)
    except ModelError as error:
        assert name == "one" and "--as NAME" in str(error)
        assert file.read_text() == PARAMETERS
        return
    after = yaml.safe_load(file.read_text())
    assert after.pop("searched") == {name: ORIGIN.model_dump()}
    assert after[name] == before[name] | {"inner": {"rate": 0.5, "other": 3}, "mode": "steep"}
    assert {key: value for key, value in after.items() if key != name} == {
        key: value for key, value in before.items() if key != name
    }
    assert (
        "# Comments stay.\nnothing: null   # nor does null go\n" in file.read_text() and "# a model" in file.read_text()
    )


def test_a_new_block_is_added_at_the_end_once(tmp_path):
    file = tmp_path / "params.yaml"
    file.write_text(PARAMETERS)
    write_block(file, "three", {"kind": "curve", "grid": [1.0]}, ORIGIN)
    text = file.read_text()
    assert text.startswith(f"{PARAMETERS}\nthree:\n  kind: curve\n  grid:\n    - 1.0\nsearched:\n  three:\n")
    write_block(file, "four", {"kind": "curve"}, ORIGIN)
    written = yaml.safe_load(file.read_text())
    assert written["searched"] == {name: ORIGIN.model_dump() for name in ("three", "four")}
    assert {key: one for key, one in written.items() if key not in ("four", "searched")} == {
        key: one for key, one in yaml.safe_load(text).items() if key != "searched"
    }
    with pytest.raises(ModelError, match=r"params\.yaml has a block three already"):
        write_block(file, "three", {}, ORIGIN)


def test_a_result_of_other_trials_is_not_written(tmp_path, manifest):
    searched(tmp_path, manifest)
    read_best(tmp_path, "curve")
    (tmp_path / "trials.json").write_text("[]")
    with pytest.raises(ModelError, match=r"other trials than those of its result.*Run kedro search curve again"):
        read_best(tmp_path, "curve")


def test_a_search_without_result_says_what_to_run(tmp_path):
    with pytest.raises(ModelError, match="Run kedro search curve first"):
        read_best(tmp_path, "curve")
