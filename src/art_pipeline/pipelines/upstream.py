"""The stages that another one needs."""

from collections.abc import Callable, Mapping

from kedro.pipeline import Pipeline


def upstream_stages(
    pipeline: Pipeline, stages: Mapping[str, Pipeline], exists: Callable[[str], bool] = lambda _: False
) -> list[str]:
    """Return the stages that write what a pipeline reads, and what these stages read.

    Args:
        pipeline: Any pipeline.
        stages: Pipelines by name. Where several write a data set, the one with the fewest nodes counts.
        exists: Whether a data set exists, so that no stage need write it.

    Returns:
        Names, in the order of ``stages``.
    """
    larger_first = sorted(stages, key=lambda name: -len(stages[name].nodes))
    writer = {output: name for name in larger_first for output in stages[name].all_outputs()}
    needed: set[str] = set()
    waiting = [pipeline]
    while waiting:
        missing = {name for name in waiting.pop().inputs() - pipeline.all_outputs() if not exists(name)}
        new = {writer[name] for name in missing if name in writer} - needed
        needed |= new
        waiting += [stages[name] for name in new]
    return [name for name in stages if name in needed]
