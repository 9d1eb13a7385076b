"""The search: trials until the budget is spent, each of them stored when it is finished."""

import hashlib
import logging
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import yaml

from art_pipeline.common.files import write_atomically
from art_pipeline.common.progress import duration, stage, titled
from art_pipeline.common.search_events import TrialEvent, report_trial
from art_pipeline.common.training_events import listening
from art_pipeline.errors import ArtPipelineError, ModelError
from art_pipeline.evaluation.kinds import main_metrics
from art_pipeline.models.family import ModelFamily
from art_pipeline.models.search.figures import plot_history, plot_importances, plot_slices
from art_pipeline.models.search.options import SearchOptions, change
from art_pipeline.models.search.sampling import Study
from art_pipeline.models.search.score import MANIFEST, predict_held_out, score
from art_pipeline.models.search.trials import JOURNAL, MINIMISED, Trial, best_trial, read_trials, write_trials

if TYPE_CHECKING:
    import optuna

log = logging.getLogger(__name__)

BEST, SEARCHED = "best.yaml", "searched"  # the key of params.yaml
MAX_FAILED = 5  # first trials


class _PrunedError(Exception):
    """A trial is stopped."""


@dataclass
class Search:
    """A search of a model's parameters.

    Attributes:
        model: Options of the model.
        options: Options of the search.
        given: Data sets that the model reads; see `art_pipeline.models.search.score.read_datasets`. Images of the test
            split are removed from the manifest.
        folder: Folder of the results, with the finished trials of an earlier run.
        fingerprint: Fingerprint of all inputs; trials with another one are discarded.
    """

    model: ModelFamily
    options: SearchOptions
    given: Mapping[str, Any]
    folder: Path
    fingerprint: str

    def __post_init__(self) -> None:
        manifest: pd.DataFrame = self.given[MANIFEST]
        self.given = {**self.given, MANIFEST: manifest[manifest["split"] != "test"].reset_index(drop=True)}
        self._minimise = self.options.objective in MINIMISED

    def run(self) -> Trial | None:
        """Run trials until the budget is spent, and write table, best block and figures.

        Returns:
            The best trial; None where none is complete.

        Raises:
            ModelError: The objective is not a metric of the task, or Optuna is not installed.
        """
        study, trials = Study(self.options, self._minimise), read_trials(self.folder, self.fingerprint)
        for trial in trials:
            study.add(trial)
        started, first = time.monotonic(), len(trials)
        if first:
            log.info("%s", titled(f"{first} finished trials are kept."))
        with tempfile.TemporaryDirectory() as shared:
            while not self._is_over(len(trials), time.monotonic() - started):
                trials.append(self._run_trial(study, len(trials), Path(shared)))
                write_trials(self.folder, self.fingerprint, trials)
                self._log(trials, time.monotonic() - started, len(trials) - first)
                _require_some(trials)
        self._write_results(study, trials)
        return best_trial(trials, self._minimise)

    def _is_over(self, done: int, seconds: float) -> bool:
        trials, minutes = self.options.trials, self.options.minutes
        return (trials is not None and done >= trials) or (minutes is not None and seconds >= 60 * minutes)

    def _run_trial(self, study: Study, number: int, shared: Path) -> Trial:
        started, (asked, values) = time.monotonic(), study.ask(number)
        pruner = _EpochPruner(study, asked)
        trial = self._score(number, values, pruner, shared)
        study.tell(asked, trial)
        seconds = time.monotonic() - started
        report_trial(TrialEvent(number, values, trial.state, trial.objective, trial.metrics, trial.epochs, seconds))
        return trial

    def _score(self, number: int, values: dict[str, Any], pruner: "_EpochPruner", shared: Path) -> Trial:
        with tempfile.TemporaryDirectory() as folder, listening(pruner):
            try:
                options = type(self.model).model_validate(change(self.model.model_dump(mode="json"), values))
                metrics = score(predict_held_out(options, self.given, Path(folder), shared))
            except _PrunedError:
                return Trial(number, values, "pruned", epochs=pruner.losses)
            except (ArtPipelineError, ValueError) as error:
                return Trial(number, values, "failed", epochs=pruner.losses, reason=str(error).splitlines()[0])
        return Trial(number, values, "complete", self._objective(metrics), metrics, pruner.losses)

    def _objective(self, metrics: Mapping[str, float]) -> float:
        name = self._objective_name(metrics)
        if name not in metrics:
            raise ModelError(f"search.{stage()}.objective cannot be {name!r}. It can be {', '.join(metrics)}.")
        return metrics[name]

    def _objective_name(self, metrics: Mapping[str, float]) -> str:
        return self.options.objective or main_metrics(metrics).first

    def _log(self, trials: list[Trial], seconds: float, done: int) -> None:
        last, best = trials[-1], best_trial(trials, self._minimise)
        limits = [60 * self.options.minutes - seconds] if self.options.minutes else []
        if self.options.trials:
            limits.append(seconds / done * (self.options.trials - len(trials)))
        shown = last.state if last.objective is None else f"{last.objective:.4f}"
        of = f"/{self.options.trials}" if self.options.trials else ""
        text = f"Trial {len(trials)}{of} {stage()}: {shown}"
        text += f", best {best.objective:.4f} (trial {best.number + 1})" if best else ""
        log.info("%s (about %s left)", text, duration(max(min(limits), 0)))

    def _write_results(self, study: Study, trials: list[Trial]) -> None:
        best = best_trial(trials, self._minimise)
        if best is None:
            return
        name = self._objective_name(best.metrics)
        block = {"kind": self.model.kind, **self.model.model_dump(mode="json", exclude_unset=True)}
        whole = change(self.model.model_dump(mode="json"), best.values)
        chosen = {stage() or "model": _with_values(block, whole, best.values)}
        chosen[SEARCHED] = self._origin(best, name, len(trials))
        text = yaml.safe_dump(chosen, sort_keys=False, allow_unicode=True, width=120)
        write_atomically(self.folder / BEST, text.encode())
        write_atomically(self.folder / "history.png", plot_history(trials, name, self._minimise))
        write_atomically(self.folder / "slices.png", plot_slices(trials, name, list(self.options.space)))
        if found := study.importances():
            write_atomically(self.folder / "importances.png", plot_importances(found))

    def _origin(self, best: Trial, objective: str, trials: int) -> dict[str, Any]:
        """Return `art_pipeline.models.search.options.SearchedOptions`, without the path of the file."""
        digest = digest_of_trials(self.folder)
        own = {"objective": objective, "trial": best.number, "trials": trials, "digest": digest}
        return {"search": stage() or "model", **own}


def digest_of_trials(folder: Path) -> str:
    """Return the MD5 of the finished trials; of nothing where there are none."""
    file = folder / JOURNAL
    content = file.read_bytes() if file.is_file() else b""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _require_some(trials: list[Trial]) -> None:
    """Require that not all of the first trials failed."""
    if len(trials) == MAX_FAILED and all(one.state == "failed" for one in trials):
        raise ModelError(f"The first {MAX_FAILED} trials of the search failed. The last one: {trials[-1].reason}")


class _EpochPruner:
    """Stops the training of a hopeless trial; an `art_pipeline.common.training_events.Listener`."""

    def __init__(self, study: Study, trial: "optuna.trial.Trial"):
        self._study, self._trial = study, trial
        self.losses: list[float] = []

    def on_epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Report the validation loss."""
        if "val_loss" in metrics and np.isfinite(metrics["val_loss"]):
            self.losses.append(metrics["val_loss"])
            if self._study.is_hopeless(self._trial, epoch - 1, metrics["val_loss"]):
                raise _PrunedError

    def on_step(self, step: int, metrics: Mapping[str, float], predictions: pd.DataFrame) -> None:
        """Ignore a step."""


def _with_values(block: dict[str, Any], whole: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a block, as it is written, with the values of a trial at their keys."""
    for key in values:
        *outer, name = key.split(".")
        place, source = block, whole
        for part in outer:
            place, source = place.setdefault(part, {}), source[part]
        place[name] = source[name]
    return block
