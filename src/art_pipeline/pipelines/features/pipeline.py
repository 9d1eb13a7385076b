"""Pipelines of features, one for each block of ``features:``."""

from collections.abc import Callable, Mapping, Sequence

from kedro.pipeline import Pipeline, node

from art_pipeline.features.extractor import ExtractorOptions
from art_pipeline.pipelines.features import nodes
from art_pipeline.pipelines.stage import shared_names, stage_pipeline


def create_pipeline(name: str, options: ExtractorOptions, tasks: Sequence[str] = ()) -> Pipeline:
    """Create the nodes from ``images`` to ``features.<name>``.

    Args:
        name: Name of the block in params.yaml.
        options: The block. Only what decides on the nodes is used here; a run loads the rest.
        tasks: Names of all tasks, whose manifests are read where only selected images have features.
    """
    function: Callable[..., nodes.Fill] = nodes.extract_all
    inputs = {"images": "images", "image_table": "image_table"}
    if options.images == "selected":
        function = nodes.extract_selected
        inputs = {"images": "images", **{f"manifest_{task}": f"{task}.manifest" for task in tasks}}
    inputs |= {"engine": "params:compute_features", **_shared(name, options)}
    steps = {"extract": (function, inputs, f"features.{name}")}
    if options.IS_NETWORK:
        own = {"options": f"params:features.{name}", "compute": "params:compute"}
        steps["fetch_weights"] = (nodes.fetch, own, f"features.{name}.weights")
    return _create(f"features_{name}", "features", steps)


def create_augmented_pipeline(name: str, options: ExtractorOptions, task: str) -> Pipeline:
    """Create the node from a task's augmented images to ``features.<name>.augmented.<task>``."""
    inputs = {one: f"{task}.{one}" for one in ("augmentation", "augmented_images")} | _shared(name, options)
    steps = {"extract": (nodes.extract_augmented, inputs, f"features.{name}.augmented.{task}")}
    return _create(f"features_{name}_augmented_{task}", "features_augmented", steps)


def _shared(name: str, options: ExtractorOptions) -> dict[str, str]:
    network = {"compute": "params:compute", "weights": f"features.{name}.weights"} if options.IS_NETWORK else {}
    return {"options": f"params:features.{name}", **network}


def _create(
    stage: str, tag: str, steps: Mapping[str, tuple[Callable[..., nodes.Fill], dict[str, str], str]]
) -> Pipeline:
    with shared_names():
        return stage_pipeline(stage, tag, [node(*step, name=name) for name, step in steps.items()])
