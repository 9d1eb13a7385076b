import json
import logging
import math
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, log_loss, precision_score, recall_score, roc_auc_score, top_k_accuracy_score

from art_pipeline.errors import ModelError
from art_pipeline.models.networks.training_options import AdamOptions, TrainingOptions
from art_pipeline.models.training.fingerprint import fingerprint
from art_pipeline.models.training.images import Examples

WIDTH, CLASSES = 4, 7
COLUMNS = ["loss", "accuracy", "top_5_accuracy", "precision", "recall", "auc"]
SEEDS = st.integers(0, 2**32 - 1)
OPTIONS = TrainingOptions(epochs=4, patience=9, batch_size=5, adam={"learning_rate": 0.02}, seed=3)
STOPS = OPTIONS.model_copy(update={"epochs": 30, "patience": 2, "adam": AdamOptions(learning_rate=0.3)})
STOPPED = 6  # an epoch that comes some after the best
pytestmark = [
    pytest.mark.usefixtures("keras"),
]


def examples(seed, number=23):
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, CLASSES, number)
    centres = np.random.default_rng(99).normal(size=(CLASSES, WIDTH))
    return (centres[targets] + rng.normal(0, 0.5, (number, WIDTH))).astype(np.float32), targets


@pytest.fixture(autouse=True)
def few_threads(request, training, monkeypatch):
    """Batches are made without threads, which is faster here, but where a test asks for those that a person has."""
    if "threads" not in request.fixturenames:
        monkeypatch.setattr(sys.modules[training.Batches.__module__], "cpu_count", lambda: 0)


@pytest.fixture
def threads(training):
    """As a person has them."""
    assert training.Batches(np.ones(1), np.zeros(1, int), 1, 1).workers > 1


@pytest.fixture(scope="module")
def sides(training):
    """A function that makes the two sides anew; the batches of either can be of another class."""

    def make(learning=None, judging=None, weights=None, validated=True):
        kinds = [learning or training.Batches, judging or training.Batches]
        learnt = kinds[0](*examples(0), CLASSES, OPTIONS.batch_size, seed=OPTIONS.seed, weights=weights)
        return learnt, kinds[1](*examples(1, 11), CLASSES, OPTIONS.batch_size) if validated else None

    return make


@pytest.fixture(scope="module")
def model(keras):
    """A function that builds a small network that needs its random streams: it drops out."""

    def build():
        keras.utils.set_random_seed(7)
        layers = keras.layers
        return keras.Sequential(
            [
                keras.Input((WIDTH,)),
                layers.Dense(6, activation="relu"),
                layers.Dropout(0.4),
                layers.Dense(CLASSES, activation="softmax"),
            ]
        )

    return build


@pytest.fixture(scope="module")
def restarted(model, training):
    """A function that brings one and the same compiled network to its start: TensorFlow traces it only once."""
    network = model()
    training.compile_model(network, OPTIONS, steps=5)
    variables = [*network.variables, *network.optimizer.variables]
    start = [np.array(one) for one in variables]

    def restart(options):
        for variable, value in zip(variables, start, strict=True):
            variable.assign(value)
        network.optimizer.learning_rate = options.adam.learning_rate
        return network

    return restart


@pytest.fixture(scope="module")
def trained(training, model, restarted, sides, tmp_path_factory):
    """A function that trains the small network, in a new folder if none is given: its weights, and its history."""

    def train(options=OPTIONS, folder=None, fingerprint="one", anew=False, **others):
        checkpoint = training.Checkpoint(folder or tmp_path_factory.mktemp("trained") / "checkpoint", fingerprint)
        with pytest.MonkeyPatch.context() as patch:
            if not anew:
                patch.setattr(training, "compile_model", lambda *_, **__: None)
            network = model() if anew else restarted(options)
            history = training.train(network, *sides(**others), options, checkpoint)
        return network.get_weights(), history

    return train


@pytest.fixture(scope="module")
def undisturbed(trained):
    """What a training comes to that nothing happens to."""
    return trained()


@pytest.fixture(scope="module")
def stop(trained, training):
    """A function that stops a training in an epoch and step, both from 1, by Ctrl-C."""

    def stop(folder, epoch, step=2, **others):
        def count(self, number, logs=None):  # noqa: ARG001 - Keras'
            if (self.history.epochs + 1, number + 1) == (epoch, step):
                raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(training._Epochs, "on_train_batch_begin", count)
            trained(folder=folder, **others)
        return folder

    return stop


@pytest.fixture(scope="module")
def stopped_in_the_third(stop, tmp_path_factory):
    """The folder of a training that was stopped in its third epoch."""
    return stop(tmp_path_factory.mktemp("stopped") / "checkpoint", 3)


@pytest.fixture
def interrupted(stopped_in_the_third, tmp_path):
    """A copy of the folder of a training that was stopped in its third epoch."""
    return shutil.copytree(stopped_in_the_third, tmp_path / "interrupted")


def assert_same(first, second):
    for one, other in zip(first[0], second[0], strict=True):
        np.testing.assert_array_equal(one, other)
    assert first[1].rows == second[1].rows


def drain(batches):
    return [batches[number] for number in range(len(batches))]


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.integers(1, 12), SEEDS, st.integers(0, 5))
def test_every_input_comes_once_an_epoch_with_its_own_class(training, number, size, seed, epochs):
    targets = np.arange(number) % 3
    batches = training.Batches(np.arange(number)[:, None] * 10.0, targets, 3, size, seed=seed)
    for _ in range(epochs):
        batches.on_epoch_end()
    drained = drain(batches)
    inputs, classes = (np.concatenate(parts) for parts in zip(*drained, strict=True))
    assert sorted(inputs[:, 0]) == [10.0 * one for one in range(number)]
    np.testing.assert_array_equal(classes, np.eye(3)[targets[(inputs[:, 0] / 10).astype(int)]])
    assert classes.dtype == np.float32
    assert [len(part[0]) for part in drained[:-1]] == [size] * (math.ceil(number / size) - 1)
    assert len(drained[-1][0]) == (number - 1) % size + 1


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 40), SEEDS, st.integers(0, 6), st.integers(0, 6))
def test_the_order_is_that_of_the_seed_and_the_epoch(training, number, seed, epoch, other):
    def order(seed, start, ends=0):
        batches = training.Batches(np.arange(number), np.zeros(number, int), 1, 7, seed=seed)
        batches.start_with(start)
        for _ in range(ends):
            batches.on_epoch_end()
        return np.concatenate([inputs for inputs, _ in drain(batches)]).tolist()

    expected = np.random.default_rng([seed, epoch]).permutation(number).tolist()
    assert order(seed, 0, epoch) == order(seed, epoch) == order(seed, max(epoch - 2, 0), min(epoch, 2)) == expected
    if number > 20 and epoch != other:
        assert order(seed, other) != expected
        assert order(seed + 1, epoch) != expected


def test_without_a_seed_inputs_come_as_they_are(training):
    batches = training.Batches(np.arange(7), np.zeros(7, int), 1, 3)
    batches.on_epoch_end()
    assert [inputs.tolist() for inputs, _ in drain(batches)] == [[0, 1, 2], [3, 4, 5], [6]]


def test_an_input_is_augmented_at_random_in_each_epoch_and_the_same_whenever_it_is_asked_for(training):
    def augment(value, stream):
        return value + stream.random()

    def drained(epoch, seed=3):
        batches = training.Batches(np.arange(9.0), np.zeros(9, int), 1, 4, augment=augment, seed=seed)
        batches.start_with(epoch)
        values = np.concatenate([inputs for inputs, _ in drain(batches)])
        np.testing.assert_array_equal(values, np.concatenate([inputs for inputs, _ in drain(batches)]))
        return np.sort(values)  # by the input, which is the whole number of each

    first, second = drained(0), drained(1)
    np.testing.assert_array_equal(np.floor(first), np.arange(9))
    np.testing.assert_array_equal(first, drained(0))
    added = np.concatenate([first % 1, second % 1, drained(0, seed=4) % 1])
    assert len(np.unique(added)) == 27


def test_every_input_has_the_weight_of_its_class(training):
    targets = np.array([0, 1, 2, 2, 1])
    batches = training.Batches(np.arange(5), targets, 3, 2, weights=np.array([0.5, 2, 7], np.float32), seed=1)
    for inputs, _, weights in drain(batches):
        np.testing.assert_array_equal(weights, np.array([0.5, 2, 7])[targets[inputs]])


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("done", [0, 2])
def test_a_network_sees_each_epoch_in_an_order_of_its_own_after_an_interruption_too(
    training, trained, interrupted, done
):
    """As Keras asks for batches: from its threads, and the first ones more than once."""
    seen = {}

    class Noting(training.Batches):
        def __getitem__(self, number):
            batch = super().__getitem__(number)
            seen.setdefault(self._epoch, {})[number] = batch[0]
            return batch

    trained(folder=interrupted if done else None, learning=Noting)
    inputs, _ = examples(0)
    whole = sorted(epoch for epoch, batches in seen.items() if len(batches) == 5)
    assert whole == [1, 2, 3, 4][done:]  # Keras ends an epoch before it starts the first
    for epoch in whole:
        order = np.random.default_rng([OPTIONS.seed, epoch]).permutation(len(inputs))
        together = np.concatenate([seen[epoch][number] for number in range(5)])
        np.testing.assert_array_equal(together, inputs[order])


@settings(deadline=None, max_examples=75)
@given(
    st.lists(st.integers(0, 9).map(lambda loss: loss / 4), min_size=1, max_size=14),
    st.integers(1, 5),
    st.integers(1, 14),
)
def test_it_stops_where_early_stopping_does_and_keeps_the_epoch_that_it_restores(
    keras, training, losses, patience, epochs
):
    class Script:
        stop_training, weights = False, None

        def get_weights(self):
            return self.weights

        def set_weights(self, weights):
            self.weights = weights

    theirs = keras.callbacks.EarlyStopping(patience=patience, restore_best_weights=True)
    script = Script()
    theirs.set_model(script)
    theirs.on_train_begin()
    options, history = TrainingOptions(epochs=min(epochs, len(losses)), patience=patience), training.History()
    assert not history.is_over(options)
    for epoch, loss in enumerate(losses[: options.epochs], start=1):
        script.weights = epoch
        theirs.on_epoch_end(epoch - 1, {"val_loss": loss})
        history.rows.append({"epoch": epoch, "val_loss": loss})
        assert history.is_over(options) == (script.stop_training or epoch == options.epochs)
        if history.is_over(options):
            break
    theirs.on_train_end()
    assert history.best["epoch"] == script.weights


def test_training_is_that_of_keras_with_early_stopping(keras, training, trained, model, sides):
    weights, history = trained(STOPS)
    network, (learning, judged) = model(), sides()
    training.compile_model(network, STOPS, steps=len(learning))
    stop = keras.callbacks.EarlyStopping(patience=STOPS.patience, restore_best_weights=True)
    told = network.fit(learning, validation_data=judged, epochs=30, callbacks=[stop], verbose=0, shuffle=False)
    assert 3 < history.epochs < STOPS.epochs
    assert history.best["epoch"] == history.epochs - STOPS.patience
    for one, other in zip(weights, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    table = history.table()
    assert table["epoch"].tolist() == list(range(1, history.epochs + 1))
    for name, values in told.history.items():
        np.testing.assert_array_equal(table[name], values, err_msg=name)


def test_without_validation_all_epochs_are_done_and_the_last_weights_stay(training, trained, model, sides, caplog):
    caplog.set_level(logging.INFO, "art_pipeline")
    options = STOPS.model_copy(update={"epochs": 6, "patience": 1})
    weights, history = trained(options, validated=False)
    network, (learning, _) = model(), sides()
    training.compile_model(network, options, steps=len(learning))
    told = network.fit(learning, epochs=6, verbose=0, shuffle=False)
    for one, other in zip(weights, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    table = history.table()
    for name, values in told.history.items():
        np.testing.assert_array_equal(table[name], values, err_msg=name)
    assert table.filter(like="val_").isna().all(axis=None)
    assert table["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
    assert re.fullmatch(
        r"Epoch 6/6: loss \d\.\d{3}, accuracy \d\.\d{3} \(\d+ s, done; best epoch 6\)", caplog.messages[-1]
    )


def test_an_interrupted_training_without_validation_ends_as_an_undisturbed_one(trained, stop, caplog, tmp_path):
    stop(tmp_path, 3, validated=False)
    assert caplog.messages[-1].startswith("stopped after epoch 2. The best weights so far, of epoch 2, are kept in ")
    assert_same(trained(folder=tmp_path, validated=False), trained(validated=False))


SCHEDULED = OPTIONS.model_copy(update={"schedule": "cosine", "label_smoothing": 0.1})


@pytest.mark.parametrize(("steps", "epochs"), [(1, 1), (5, 4), (46, 10)])
def test_a_cosine_schedule_rises_and_falls_to_nothing(training, model, steps, epochs):
    network = model()
    training.compile_model(network, SCHEDULED.model_copy(update={"epochs": epochs}), steps)
    step_size = network.optimizer._learning_rate
    rates = np.array([float(step_size(step)) for step in range(steps * epochs + 1)])
    top, highest = rates.argmax(), OPTIONS.adam.learning_rate
    assert rates[0] == pytest.approx(0)
    assert top == math.ceil(steps * epochs / 20)
    assert rates[top] == pytest.approx(highest)
    assert (np.diff(rates[: top + 1]) > 0).all()
    assert (np.diff(rates[top:]) < 0).all()
    if steps * epochs > 1:
        assert rates[-1] == pytest.approx(0, abs=highest / 1000)


def test_smoothed_labels_cost_what_is_documented(training, model):
    network, (inputs, targets) = model(), examples(1, 11)
    training.compile_model(network, SCHEDULED, 3)
    said, truth = network.predict_on_batch(inputs).astype(np.float64), np.eye(CLASSES)[targets]
    expected = -((0.9 * truth + 0.1 / CLASSES) * np.log(said)).sum(axis=1).mean()
    assert network.evaluate(inputs, truth, verbose=0)[0] == pytest.approx(expected, rel=1e-5)


def test_an_interrupted_training_by_a_schedule_ends_as_an_undisturbed_one(trained, stop, caplog, tmp_path):
    stop(tmp_path, 3, options=SCHEDULED, anew=True)
    assert caplog.messages[-1].endswith("Run the same command again to resume.")  # with no fewer epochs
    assert_same(trained(SCHEDULED, folder=tmp_path, anew=True), trained(SCHEDULED, anew=True))


def test_the_table_of_epochs_has_the_columns_that_are_documented(training, undisturbed):
    table = undisturbed[1].table()
    assert list(table.columns) == ["epoch", *COLUMNS, *(f"val_{name}" for name in COLUMNS)]
    assert table.dtypes.tolist() == [np.int64, *[np.float64] * 12]
    assert training.History().table().columns.tolist() == table.columns.tolist()


def test_what_is_measured_is_what_scikit_learn_measures(restarted, trained):
    options = STOPS.model_copy(update={"epochs": 1})
    row = trained(options)[1].rows[0]
    network = restarted(options)
    network.set_weights(trained(options)[0])
    inputs, targets = examples(1, 11)
    judged, truth = network.predict_on_batch(inputs).astype(np.float64), np.eye(CLASSES)[targets]
    sure = judged > 0.5
    assert sure.any()
    every = np.arange(CLASSES)
    assert row["val_loss"] == pytest.approx(log_loss(targets, judged / judged.sum(1, keepdims=True), labels=every))
    assert row["val_accuracy"] == pytest.approx(accuracy_score(targets, judged.argmax(axis=1)))
    assert row["val_top_5_accuracy"] == pytest.approx(top_k_accuracy_score(targets, judged, k=5, labels=every))
    assert row["val_precision"] == pytest.approx(precision_score(truth, sure, average="micro"))
    assert row["val_recall"] == pytest.approx(recall_score(truth, sure, average="micro"))
    assert row["val_auc"] == pytest.approx(roc_auc_score(truth.ravel(), judged.ravel()), abs=0.02)


@pytest.mark.parametrize(
    ("place", "how"),
    [
        ((2, 1), {"options": OPTIONS, "anew": True}),
        ((3, 5), {"options": OPTIONS.model_copy(update={"checkpoint_every": 2})}),
        ((4, 3), {"options": OPTIONS.model_copy(update={"checkpoint_every": 3})}),
    ],
)
def test_an_interrupted_training_ends_as_an_undisturbed_one(trained, stop, undisturbed, tmp_path, place, how):
    stop(tmp_path, *place, options=how["options"])
    kept = json.loads((tmp_path / "state.json").read_text())["rows"]
    assert 0 < len(kept) < place[0]
    assert kept == undisturbed[1].rows[: len(kept)]
    assert_same(trained(folder=tmp_path, **how), undisturbed)


@pytest.mark.usefixtures("threads")
def test_a_training_whose_images_could_not_be_read_for_a_while_ends_as_an_undisturbed_one(
    training, trained, undisturbed, tmp_path
):
    class Failing(training.Batches):
        def __getitem__(self, number):
            if self._epoch == 3 and number == 3:
                raise OSError("no such image")
            return super().__getitem__(number)

    with pytest.raises(Exception, match="no such image"):
        trained(folder=tmp_path / "kept", learning=Failing)
    assert (tmp_path / "kept" / "state.json").exists()
    assert_same(trained(folder=tmp_path / "kept"), undisturbed)


def test_a_training_that_is_interrupted_again_and_again_ends_as_an_undisturbed_one(
    trained, stop, undisturbed, interrupted
):
    for epoch in (3, 4):
        stop(interrupted, epoch)
    assert_same(trained(folder=interrupted), undisturbed)


def test_a_state_of_another_training_is_discarded(trained, interrupted, undisturbed):
    assert_same(trained(folder=interrupted, fingerprint="another"), undisturbed)


def test_a_training_that_is_to_be_shorter_than_it_is_starts_again(trained, interrupted, undisturbed):
    shorter = OPTIONS.model_copy(update={"epochs": 1})
    weights, history = trained(shorter, interrupted)
    assert history.rows == undisturbed[1].rows[:1]
    for one, other in zip(weights, trained(shorter)[0], strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_training_that_has_gone_beyond_its_patience_starts_again(trained, stop, tmp_path):
    expected = trained(STOPS)
    patient = STOPS.model_copy(update={"patience": 20})
    stop(tmp_path, expected[1].epochs + 3, options=patient)
    assert_same(trained(STOPS, tmp_path), expected)


def test_a_training_that_is_to_be_as_long_as_it_is_takes_its_best_epoch(trained, interrupted, training, monkeypatch):
    shorter = OPTIONS.model_copy(update={"epochs": 2})
    expected = trained(shorter)
    monkeypatch.setattr(training, "_fit", None)  # nothing more is learnt
    assert_same(trained(shorter, interrupted), expected)


def test_a_training_that_has_no_patience_left_takes_its_best_epoch(trained, training, monkeypatch, tmp_path):
    """Its best is not its last one: the weights must be those of the best."""
    expected = trained(STOPS, tmp_path)
    best, last = expected[1].best["epoch"], expected[1].epochs
    assert {file.name for file in tmp_path.iterdir()} == {
        "state.json",
        f"epoch-{best}.weights.h5",
        f"epoch-{last}.weights.h5",
    }
    assert best < last
    monkeypatch.setattr(training, "_fit", None)
    assert_same(trained(STOPS, tmp_path), expected)


@pytest.mark.parametrize("damage", ["gone", "cut off"])
def test_a_state_whose_weights_cannot_be_read_is_as_none(trained, interrupted, undisturbed, damage):
    file = interrupted / "epoch-2.weights.h5"
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:1500])
    assert_same(trained(folder=interrupted), undisturbed)


@pytest.mark.parametrize("state", ["", "{", "null", "[]", "{}", '{"rows": []}', '{"fingerprint": "one"}', "\xff"])
def test_a_damaged_state_is_as_none(training, model, tmp_path, state):
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "state.json").write_bytes(state.encode("latin-1"))
    network = model()
    before = network.get_weights()
    training.compile_model(network, OPTIONS, steps=5)
    assert training.Checkpoint(folder, "one").resume(network, OPTIONS).rows == []
    for one, other in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not folder.exists()


def test_ctrl_c_tells_where_the_best_weights_are(trained, stop, model, caplog, tmp_path):
    stop(tmp_path, 3)
    told, rows = caplog.messages[-1], json.loads((tmp_path / "state.json").read_text())["rows"]
    best = min(rows, key=lambda row: row["val_loss"])
    assert told.startswith("stopped after epoch 2. The best weights so far, ")
    assert f"of epoch {best['epoch']} (val_loss {best['val_loss']:.3f})" in told
    assert "to take these weights as the result, set training.epochs to 2 first" in told
    network = model()
    network.load_weights(re.search(r"are kept in (\S+\.weights\.h5)\. ", told)[1])
    shorter = OPTIONS.model_copy(update={"epochs": best["epoch"]})
    for one, other in zip(network.get_weights(), trained(shorter)[0], strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_ctrl_c_tells_holds_between_two_checkpoints_too(trained, stop, model, caplog, tmp_path):
    options = STOPS.model_copy(update={"checkpoint_every": 30, "patience": 9})
    stop(tmp_path, STOPPED, options=options)
    told = re.search(r"are kept in (\S+)\. .* set training\.epochs to (\d+) first", caplog.messages[-1])
    network = model()
    network.load_weights(told[1])
    weights, history = trained(options.model_copy(update={"epochs": int(told[2])}), tmp_path)
    assert history.epochs == int(told[2]) == STOPPED - 1
    for one, other in zip(network.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_ctrl_c_while_a_checkpoint_is_written_tells_of_the_one_before(trained, training, caplog, tmp_path, monkeypatch):
    """Writing takes a while, for a large network."""
    save = training.Checkpoint.save

    def interrupt(checkpoint, model, history):
        if history.epochs == 3:
            raise KeyboardInterrupt
        save(checkpoint, model, history)

    monkeypatch.setattr(training.Checkpoint, "save", interrupt)
    with pytest.raises(KeyboardInterrupt):
        trained(folder=tmp_path)
    assert Path(re.search(r"are kept in (\S+\.weights\.h5)\. ", caplog.messages[-1])[1]).is_file()


def test_ctrl_c_in_the_first_epoch_tells_that_nothing_is_kept(stop, caplog, tmp_path):
    assert not stop(tmp_path / "checkpoint", 1).exists()
    assert caplog.messages[-1] == "stopped in the first epoch, before the first checkpoint."


def test_a_training_that_goes_on_says_after_which_epoch(trained, interrupted, caplog):
    caplog.set_level("INFO")
    trained(folder=interrupted)
    assert caplog.messages[0] == "resuming after epoch 2, where training was interrupted."
    assert [re.match(r"Epoch (\d)/4: ", line)[1] for line in caplog.messages[1:]] == ["3", "4"]
    assert ", done; best epoch " in caplog.messages[-1]


def test_a_loss_that_is_no_number_names_epoch_step_and_learning_rate(training, trained):
    class Broken(training.Batches):
        def __getitem__(self, number):
            inputs, targets = super().__getitem__(number)
            return inputs, targets * (np.nan if self._epoch == 2 and number == 2 else 1)

    told = r"^The loss became nan in epoch 2, in step 3\. Lower training\.adam\.learning_rate, which is 0\.02\.$"
    with pytest.raises(ModelError, match=told):
        trained(learning=Broken)


def test_a_learning_rate_that_is_far_too_large_is_told(trained):
    options = OPTIONS.model_copy(update={"adam": AdamOptions(learning_rate=1e38)})
    with pytest.raises(ModelError, match=r"^The loss became (nan|inf) in epoch 1, .* which is 1e\+38\.$"):
        trained(options)


def test_a_validation_loss_that_is_no_number_is_told_too(training, trained, tmp_path):
    class Broken(training.Batches):
        def __getitem__(self, number):
            inputs, targets = super().__getitem__(number)
            return inputs, targets * np.nan

    with pytest.raises(ModelError, match=r"became nan in epoch 1, on the validation split\. Lower"):
        trained(folder=tmp_path / "c", judging=Broken)
    assert not (tmp_path / "c").exists()


def test_weights_of_classes_weigh_the_loss_of_training_and_not_of_validation(trained):
    """With a learning rate of next to nothing, so that both losses are those of the start."""
    still = OPTIONS.model_copy(update={"epochs": 1, "adam": AdamOptions(learning_rate=1e-12)})
    plain, weighted = (trained(still, weights=weights)[1].rows[0] for weights in (None, np.full(CLASSES, 3.0)))
    assert weighted["loss"] == pytest.approx(3 * plain["loss"], rel=1e-4)
    assert weighted["val_loss"] == pytest.approx(plain["val_loss"], rel=1e-4)


def test_the_optimiser_is_adam_with_the_options(keras, training, model):
    options = TrainingOptions(adam={"learning_rate": 0.3, "beta_1": 0.5, "beta_2": 0.25, "epsilon": 0.125})
    network = model()
    training.compile_model(network, options, steps=5)
    found = network.optimizer.get_config()
    assert isinstance(network.optimizer, keras.optimizers.Adam)
    assert {name: found[name] for name in options.adam.model_dump()} == pytest.approx(options.adam.model_dump())


def test_three_classes_have_a_top_five_too(keras, training):
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation="softmax")])
    training.compile_model(network, OPTIONS, steps=5)
    batches = training.Batches(np.ones((4, 2), np.float32), np.array([0, 1, 2, 2]), 3, 2)
    assert network.evaluate(batches, verbose=0, return_dict=True)["top_5_accuracy"] == 1


def test_a_fingerprint_is_of_the_code_of_all_features(monkeypatch):
    seen = []
    monkeypatch.setattr("art_pipeline.models.training.fingerprint._digest", lambda path: seen.append(path) or [])
    fingerprint([], [], Examples((), ()), [])
    names = {path.as_posix().partition("art_pipeline/")[2] for path in seen}
    assert {"features/dense.py", "features/networks/application.py", "models/training/loop.py"} < names
