"""Loss and validation predictions while an epoch runs.

Imports Keras: call `art_pipeline.common.keras_runtime.prepare_keras` first.
"""

from collections.abc import Mapping, Sequence
from itertools import islice

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.training_events import report_step
from art_pipeline.models.training.batches import Batches

SAMPLE = 128  # validation images, the first ones
EPSILON, THRESHOLD = 1e-7, 0.5


class StepLog(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Reports the training loss, and predictions of some validation images, every ``every`` steps.

    It changes neither weights, metrics nor random generators: a training ends with the same bytes without it.

    Args:
        every: Steps between two reports.
        validation: Validation batches; None for none.
        names: Names of the validation images.
        classes: Class labels.
    """

    def __init__(self, every: int, validation: Batches | None, names: Sequence[str], classes: Sequence[str]):
        super().__init__()
        self._every, self._validation, self._names, self._classes = every, validation, names, classes

    def on_train_batch_end(self, _batch: int, logs: Mapping[str, float]) -> None:
        """Report after a number of batches."""
        step = int(self.model.optimizer.iterations)
        if step % self._every:
            return
        metrics, table = {"step_loss": float(logs["loss"])}, pd.DataFrame()
        if self._validation is not None:
            targets, probabilities = self._predict(self._validation)
            metrics |= {f"step_val_{name}": value for name, value in _score(targets, probabilities).items()}
            table = pd.DataFrame(probabilities, columns=[f"p:{label}" for label in self._classes])
            table.insert(0, "image", list(islice(self._names, len(table))))
            table.insert(1, "label", [self._labels(row) for row in targets > 0])
        report_step(step, metrics, table)

    def _predict(self, validation: Batches) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the (n, classes) targets and probabilities of the first validation images."""
        size = len(validation[0][0])
        batches = [validation[number] for number in range(min(len(validation), -(-SAMPLE // size)))]
        outputs = [np.asarray(self.model(batch[0], training=False), np.float32) for batch in batches]
        return np.concatenate([batch[1] for batch in batches]), np.concatenate(outputs)

    def _labels(self, present: NDArray[np.bool_]) -> str:
        return "|".join(label for label, there in zip(self._classes, present, strict=True) if there)


def _score(targets: NDArray[np.float32], probabilities: NDArray[np.float32]) -> dict[str, float]:
    """Return cross-entropy and accuracy; of several labels per image, their means over all pairs."""
    likelihood = np.maximum(np.where(targets > 0, probabilities, 1 - probabilities), EPSILON)
    if (targets.sum(axis=1) == 1).all():
        right = probabilities.argmax(axis=1) == targets.argmax(axis=1)
        return {"loss": float(-np.log(likelihood[targets > 0]).mean()), "accuracy": float(right.mean())}
    return {
        "loss": float(-np.log(likelihood).mean()),
        "accuracy": float(((probabilities >= THRESHOLD) == targets).mean()),
    }
