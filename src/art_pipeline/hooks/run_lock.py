"""Allow one run at a time in a data folder, and one node at a time in a run."""

import atexit
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl

from art_pipeline.common.run_lock import only_run
from art_pipeline.errors import RunnerError

SEQUENTIAL = "SequentialRunner"


class RunLockHooks:
    """Locks the data folder during a run, and refuses other runners than the sequential one."""

    def __init__(self) -> None:
        self._data = Path()
        self._lock = ExitStack()

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Store the data folder."""
        self._data = context.project_path / context.config_loader["globals"]["data"]

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any]) -> None:
        """Refuse other runners, and a second run in the same data folder."""
        require_sequential(str(run_params["runner"]))
        self._lock.close()  # of an interrupted run in this process
        self._lock.enter_context(only_run(self._data))
        atexit.register(self._lock.close)  # Kedro calls no hook after Ctrl-C

    @hook_impl
    def before_node_run(self, is_async: bool) -> None:
        """Refuse asynchronous loading and saving."""
        require_sequential(SEQUENTIAL, is_async)

    @hook_impl(wrapper=True)
    def after_pipeline_run(self) -> Generator[None, Any, Any]:
        """Release the lock after all other hooks."""
        return (yield from self._release())

    @hook_impl(wrapper=True)
    def on_pipeline_error(self) -> Generator[None, Any, Any]:
        """Release the lock after all other hooks."""
        return (yield from self._release())

    def _release(self) -> Generator[None, Any, Any]:
        try:
            return (yield)
        finally:
            self._lock.close()


def require_sequential(runner: str, is_async: bool = False) -> None:
    """Check that Kedro's sequential runner is used: nodes use all cores, and random generators are global.

    Raises:
        RunnerError: Another runner, or ``--async``, is used.
    """
    if is_async or SEQUENTIAL not in runner:
        given = "--async" if is_async else f"--runner {runner.partition(' ')[0].rpartition('.')[2]}"
        raise RunnerError(f"Nodes run one after the other here, each on all cores. Run again without {given}.")
