"""Wiring of the ``augment`` stage."""

from kedro.pipeline import Pipeline, node

from art_pipeline.pipelines.augment import nodes


def create_pipeline(**_: object) -> Pipeline:
    """``manifest`` and ``images`` to ``augmentation`` and ``augmented_images``."""
    options, compute = "params:augment", "params:compute"
    return Pipeline(
        [
            node(nodes.plan, ["manifest", options, compute], "augmentation", name="plan_augmentation"),
            node(
                nodes.generate,
                ["augmentation", "images", options, compute],
                "augmented_images",
                name="generate_images",
            ),
            node(
                nodes.draw_distribution, ["manifest", "augmentation"], "augmentation_figure", name="draw_augmentation"
            ),
            node(
                nodes.draw_examples,
                ["augmentation", "images", "augmented_images"],
                "augmentation_examples_figure",
                name="draw_augmentation_examples",
            ),
        ],
        tags="augment",
    )
