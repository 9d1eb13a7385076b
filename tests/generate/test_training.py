"""The training of a generator: resumption, explosion, early stopping, checkpoints."""

import json

import numpy as np
import pytest

from art_pipeline.errors import ModelError
from art_pipeline.generate.measures.kid import Distance


class Stopped(BaseException):
    """Takes the place of a signal."""


@pytest.fixture(scope="module")
def train(keras, squares):  # noqa: ARG001 - Keras is set up
    """A function that trains in a folder, and returns the training and its generator."""
    import tensorflow as tf

    from art_pipeline.generate.training.checkpoint import Checkpoint
    from art_pipeline.generate.training.loop import Training

    def run(folder, options, measure=None, fingerprint="one", images=squares, shown=lambda *_: None):
        training = Training(options, images, Checkpoint(folder, fingerprint), measure or brightness, shown)
        return training, training.run()

    tf.config.run_functions_eagerly(True)  # compiling a step takes longer than a test's few steps
    yield run
    tf.config.run_functions_eagerly(False)


def brightness(generator):
    """Takes the place of a distance."""
    return Distance(float(generator.sample(4, 0).mean()), 1.0)


def scripted(*values):
    """A measure that returns one value after the other; an exception is raised."""
    left = list(values)

    def measure(_generator):
        value = left.pop(0)
        if isinstance(value, BaseException):
            raise value
        return Distance(value, 0.0)

    return measure


def content(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


@pytest.mark.parametrize("kind", ["plain", "fastgan"])
def test_an_interrupted_training_ends_with_the_same_bytes(kind, tmp_path, train, options_of):
    options = options_of(kind, steps=2, evaluate_every=1, average=0.5)
    whole, generator = train(tmp_path / "whole", options, scripted(1.0, 2.0))
    with pytest.raises(Stopped):
        train(tmp_path / "parts", options, scripted(1.0, Stopped()))
    rest, resumed = train(tmp_path / "parts", options, scripted(2.0))
    assert content(tmp_path / "parts") == content(tmp_path / "whole")
    assert rest.history.rows == whole.history.rows
    assert np.array_equal(resumed.sample(3, 1), generator.sample(3, 1))
    assert whole.history.best["step"] == 1


def test_the_best_state_is_kept_and_patience_ends_training(tmp_path, train, options_of):
    training, _ = train(tmp_path, options_of(steps=20, patience=2), scripted(2.0, 1.0, 3.0, 1.5))
    assert training.history.steps == 8
    assert {file.name for file in tmp_path.iterdir()} == {"4-best.npz", "8-last.npz", "state.json"}
    assert training.history.table()["kid"].tolist() == [2.0, 1.0, 3.0, 1.5]
    again, _ = train(tmp_path, options_of(steps=20, patience=2), scripted())
    assert again.history.rows == training.history.rows


def test_sheets_are_shown_at_each_checkpoint(tmp_path, train, options_of):
    shown = []
    train(tmp_path, options_of(), shown=lambda step, generator: shown.append((step, len(generator.sample(2, 0)))))
    assert shown == [(2, 2), (4, 2)]


def test_a_loss_that_explodes_keeps_the_last_good_state(tmp_path, train, options_of, monkeypatch, caplog):
    from art_pipeline.generate.training.step import Trainer

    step = Trainer.step

    def explode(self, real, number):
        return step(self, real, number) | ({"generator_loss": float("nan")} if number == 4 else {})

    monkeypatch.setattr(Trainer, "step", explode)
    with caplog.at_level("WARNING"):
        training, generator = train(tmp_path, options_of(steps=8))
    assert training.history.stopped == "The generator loss became nan in step 5"
    assert "the state of step 4 is kept. Lower training.learning_rate, which is 0.0002" in caplog.text
    assert json.loads((tmp_path / "state.json").read_text())["stopped"]
    assert generator.sample(2, 0).std() > 0
    again, _ = train(tmp_path, options_of(steps=8), scripted())
    assert again.history.steps == 4


def test_a_loss_that_explodes_at_once(tmp_path, train, options_of):
    with pytest.raises(ModelError, match=r"became .* in step 1, before the first checkpoint. Lower"):
        train(tmp_path, options_of(max_loss=0.001))


@pytest.mark.parametrize("name", ["4-last.npz", "2-best.npz"])
def test_a_damaged_checkpoint_starts_anew(tmp_path, train, options_of, caplog, name):
    train(tmp_path, options_of(), scripted(1.0, 2.0))
    assert (tmp_path / name).is_file()
    (tmp_path / name).write_bytes(b"PK\x03\x04")
    training, _ = train(tmp_path, options_of())
    assert "the checkpoint is damaged or of other networks. Training starts again" in caplog.text
    assert training.history.steps == 4


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"steps": 8}, {"steps": 4}),
        ({"steps": 3}, {"steps": 4}),  # which has no checkpoint after step 3
        ({"steps": 8, "patience": 3}, {"steps": 8, "patience": 1}),
    ],
)
def test_a_training_resumes_only_from_states_that_it_has_itself(tmp_path, train, options_of, caplog, first, then):
    train(tmp_path, options_of(**first), scripted(1.0, 2.0, 3.0, 0.5))
    training, _ = train(tmp_path, options_of(**then), scripted(1.0, 2.0))
    assert "other steps or patience. Training starts again." in caplog.text
    assert training.history.table()["step"].tolist() == [2, 4]


def test_a_checkpoint_of_other_options_starts_anew(tmp_path, train, options_of, caplog):
    train(tmp_path, options_of())
    training, _ = train(tmp_path, options_of(steps=2), fingerprint="two")
    assert "belongs to other options or images. Training starts again" in caplog.text
    assert training.history.steps == 2


def test_a_checkpoint_of_another_size_starts_anew(tmp_path, train, options_of, caplog):
    train(tmp_path, options_of())
    wider = options_of().model_copy(update={"width": 3})
    train(tmp_path, wider)
    assert "of other networks" in caplog.text


def test_too_few_images(tmp_path, train, options_of, squares):
    with pytest.raises(ModelError, match="There are 15 usable training images"):
        train(tmp_path, options_of(), images=squares[:15])


@pytest.mark.usefixtures("train")
def test_batches_use_each_image_once_per_epoch(squares, options_of):
    from art_pipeline.generate.training.loop import batch

    options = options_of(flip=False)
    taken = np.concatenate([batch(squares, options, number) for number in range(8)])
    assert sorted(map(bytes, taken)) == sorted(map(bytes, squares))
    flipped = np.concatenate([batch(squares, options_of(), number) for number in range(8)])
    assert not np.array_equal(flipped, taken)


def test_a_generator_is_saved_and_loaded(tmp_path, train, options_of):
    from art_pipeline.generate.generator import Generator

    _, generator = train(tmp_path / "checkpoint", options_of(steps=2))
    generator.save(tmp_path)
    found = Generator.load(tmp_path, 16)
    assert np.array_equal(found.sample(20, 5), generator.sample(20, 5))
    assert np.array_equal(found.sample(3, 5), generator.sample(20, 5)[:3])
    with pytest.raises(ModelError, match="makes images of 16 pixels, but 64 are asked for"):
        Generator.load(tmp_path, 64)
    with pytest.raises(ModelError, match="holds no generator"):
        Generator.load(tmp_path / "checkpoint")
