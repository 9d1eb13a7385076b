"""Trials of Optuna: the same seed gives the same values, also after a search was interrupted.

Needs the package ``optuna``: ``pip install ".[search]"``.
"""

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from art_pipeline.errors import ModelError
from art_pipeline.models.search.options import SearchOptions, SpaceOptions
from art_pipeline.models.search.trials import Trial

if TYPE_CHECKING:
    import optuna

WARM_UP = 5  # trials before the first one can be pruned


class Study:
    """Proposes the values of trials, and decides which of them to stop.

    The sampler of a trial is seeded by the search's seed and the trial's number, so that it needs no state besides the
    finished trials.

    Args:
        options: Options of the search.
        minimise: Whether a lower objective is better.

    Raises:
        ModelError: Optuna is not installed.
    """

    def __init__(self, options: SearchOptions, minimise: bool):
        try:
            import optuna
        except ImportError as error:
            raise ModelError('A search needs optuna: run make setup, or pip install ".[search]".') from error
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._optuna, self._options = optuna, options
        median = optuna.pruners.MedianPruner(n_startup_trials=WARM_UP, n_warmup_steps=1)
        pruner = median if options.prune else optuna.pruners.NopPruner()
        self._study = optuna.create_study(direction="minimize" if minimise else "maximize", pruner=pruner)
        self._sign = 1 if minimise else -1  # of validation losses, which the pruner compares like objectives

    def add(self, trial: Trial) -> None:
        """Add a finished trial."""
        space = {key: self._options.space[key] for key in trial.values}
        self._study.add_trial(
            self._optuna.create_trial(
                state=self._state(trial),
                value=trial.objective,
                params={key: _encode(space[key], value) for key, value in trial.values.items()},
                distributions={key: self._distribution(one) for key, one in space.items()},
                intermediate_values={epoch: self._sign * loss for epoch, loss in enumerate(trial.epochs)},
            )
        )

    def ask(self, number: int) -> tuple["optuna.trial.Trial", dict[str, Any]]:
        """Start the trial of a number, and return it with the values of the parameters."""
        self._study.sampler = self._sampler(number)
        trial, values = self._study.ask(), dict[str, Any]()
        for key, space in self._options.space.items():
            if all(other in values and _is_same(values[other], value) for other, value in space.when.items()):
                values[key] = _decode(space, self._suggest(trial, key, space))
        return trial, values

    def is_hopeless(self, trial: "optuna.trial.Trial", epoch: int, loss: float) -> bool:
        """Report the validation loss of an epoch, from 0, and return whether it is above other trials' median."""
        trial.report(self._sign * loss, epoch)
        return bool(trial.should_prune())

    def tell(self, started: "optuna.trial.Trial", trial: Trial) -> None:
        """End a trial."""
        self._study.tell(started, trial.objective, state=self._state(trial))

    def importances(self) -> dict[str, float]:
        """Return the share of the objective's variance that each parameter explains (Hutter et al. 2014).

        Empty where there are too few trials, or all have the same objective.
        """
        from optuna.importance import FanovaImportanceEvaluator, get_param_importances

        complete = [one.value for one in self._study.trials if one.state.name == "COMPLETE"]
        if len(set(complete)) < 2:  # noqa: PLR2004
            return {}
        return dict(get_param_importances(self._study, evaluator=FanovaImportanceEvaluator(seed=self._options.seed)))

    def _suggest(self, trial: "optuna.trial.Trial", key: str, space: SpaceOptions) -> Any:
        if space.choices is not None:
            return trial.suggest_categorical(key, [_encode(space, one) for one in space.choices])
        low, high = space.low or 0.0, space.high or 0.0
        if space.integer:
            return trial.suggest_int(key, int(low), int(high), log=space.log)
        return trial.suggest_float(key, low, high, log=space.log)

    def _sampler(self, number: int) -> Any:
        seed = int(np.random.SeedSequence([self._options.seed, number]).generate_state(1)[0])
        if self._options.sampler == "random":
            return self._optuna.samplers.RandomSampler(seed=seed)
        return self._optuna.samplers.TPESampler(seed=seed)

    def _state(self, trial: Trial) -> Any:
        states = self._optuna.trial.TrialState
        return {"complete": states.COMPLETE, "pruned": states.PRUNED, "failed": states.FAIL}[trial.state]

    def _distribution(self, space: SpaceOptions) -> Any:
        kinds = self._optuna.distributions
        if space.choices is not None:
            return kinds.CategoricalDistribution([_encode(space, one) for one in space.choices])
        if space.integer:
            return kinds.IntDistribution(int(space.low or 0), int(space.high or 0), log=space.log)
        return kinds.FloatDistribution(space.low, space.high, log=space.log)


def _encode(space: SpaceOptions, value: Any) -> Any:
    """Return a choice as Optuna takes it: lists as JSON."""
    return json.dumps(value) if space.choices is not None else value


def _is_same(value: Any, other: Any) -> bool:
    return json.dumps(value) == json.dumps(other)  # lists and tuples


def _decode(space: SpaceOptions, value: Any) -> Any:
    return json.loads(value) if space.choices is not None else value
