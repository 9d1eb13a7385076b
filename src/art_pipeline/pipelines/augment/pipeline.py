"""Pipeline of the augmented images of one task."""

import warnings

from kedro.pipeline import Pipeline, node

from art_pipeline.pipelines.augment import nodes


def create_pipeline(task: str) -> Pipeline:
    """Create the nodes from the ``manifest`` of a task to its ``augmentation`` and ``augmented_images``.

    Args:
        task: Name of the task, which prefixes its data sets.
    """
    manifest, augmentation, augmented_images = f"{task}.manifest", f"{task}.augmentation", f"{task}.augmented_images"
    options, compute = "params:augment", "params:compute"
    with warnings.catch_warnings():
        # Kedro warns of data sets of another namespace; those of a task are read by its models too.
        warnings.filterwarnings("ignore", "One or more dataset names contain '.'")
        return Pipeline(
            [
                node(nodes.plan, [manifest, options, compute], augmentation, name="plan_augmentation"),
                node(
                    nodes.generate,
                    [augmentation, "images", options, compute],
                    augmented_images,
                    name="generate_images",
                ),
                node(
                    nodes.draw_distribution,
                    [manifest, augmentation],
                    f"{task}.augmentation_figure",
                    name="draw_augmentation",
                ),
                node(
                    nodes.draw_examples,
                    [augmentation, "images", augmented_images],
                    f"{task}.augmentation_examples_figure",
                    name="draw_augmentation_examples",
                ),
            ],
            tags=["augment", f"augment_{task}"],
            namespace=f"augment_{task}",
            prefix_datasets_with_namespace=False,
        )
