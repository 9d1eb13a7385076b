"""Pipeline of the augmented images of one task."""

from kedro.pipeline import Pipeline, node

from art_pipeline.pipelines.augment import nodes
from art_pipeline.pipelines.stage import shared_names, stage_pipeline


def create_pipeline(task: str) -> Pipeline:
    """Create the nodes from the ``manifest`` of a task to its ``augmentation`` and ``augmented_images``.

    Args:
        task: Name of the task, which prefixes its data sets.
    """
    manifest, plan, augmented = f"{task}.manifest", f"{task}.augmentation", f"{task}.augmented_images"
    figure, examples = f"{task}.augmentation_figure", f"{task}.augmentation_examples_figure"
    options, compute = "params:augment", "params:compute"
    with shared_names():
        steps = [
            node(nodes.plan, [manifest, options, compute], plan, name="plan_augmentation"),
            node(nodes.generate, [plan, "images", options, compute], augmented, name="generate_images"),
            node(nodes.draw_distribution, [manifest, plan], figure, name="draw_augmentation"),
            node(nodes.draw_examples, [plan, "images", augmented], examples, name="draw_augmentation_examples"),
        ]
        return stage_pipeline(f"augment_{task}", "augment", steps)
