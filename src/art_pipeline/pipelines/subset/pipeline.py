"""Pipeline of the subset of one task."""

import warnings

from kedro.pipeline import Pipeline, node

from art_pipeline.pipelines.subset import nodes

OUTPUTS = ("candidates", "near_duplicates", "selection", "manifest")


def create_pipeline(task: str, same_as: str | None = None) -> Pipeline:
    """Create the nodes from ``objects`` and ``image_table`` to the ``manifest`` of a task.

    Args:
        task: Name of the task, which prefixes its data sets.
        same_as: Name of another task whose split it shares; None for none.
    """
    candidates, near_duplicates, selection, manifest = (f"{task}.{name}" for name in OUTPUTS)
    options = f"params:tasks.{task}"
    other = [f"{same_as}.manifest"] if same_as else []
    split = f"{task}.split_images"
    with warnings.catch_warnings():
        # Kedro warns of data sets of another namespace; those of a task are read by its models too.
        warnings.filterwarnings("ignore", "One or more dataset names contain '.'")
        return Pipeline(
            [
                node(nodes.label_objects, ["objects", "image_table", options], candidates, name="label_objects"),
                node(
                    nodes.find_near_duplicates,
                    [candidates, "image_hashes", options],
                    near_duplicates,
                    name="find_near_duplicates",
                ),
                node(nodes.select_images, [candidates, near_duplicates, options], selection, name="select_images"),
                node(nodes.split_images, [selection, near_duplicates, options, *other], split, name="split_images"),
                node(nodes.check_leaks, [split, near_duplicates], manifest, name="check_leaks"),
            ],
            tags=["subset", f"subset_{task}"],
            namespace=f"subset_{task}",
            prefix_datasets_with_namespace=False,
        )
