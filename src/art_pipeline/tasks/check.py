"""Check a task as soon as there is a table of objects, before images are downloaded and features computed."""

import pandas as pd

from art_pipeline.sources.columns import SEPARATOR
from art_pipeline.tasks.classes import large_classes, named_classes
from art_pipeline.tasks.columns import read_column, require_labels
from art_pipeline.tasks.label_sets import keep_labels
from art_pipeline.tasks.labels import group_labels
from art_pipeline.tasks.options import TaskOptions


def check_task(objects: pd.DataFrame, options: TaskOptions) -> None:
    """Check the columns and classes of a task.

    A class has at most as many images as objects; so what is refused here would be refused after the download too.

    Args:
        objects: The object table.
        options: The task.

    Raises:
        SubsetError: A column is missing, no object has a class that is named, or fewer than two classes are possible.
    """
    labels = group_labels(read_column(objects, options.label, "label"), options.classes)
    if options.split.group_by:
        read_column(objects, options.split.group_by, "split.group_by")
    usable = objects["status"].eq("ok") & ~objects["is_supplement"]
    labels = labels[usable]
    require_labels(labels, options.label, objects[usable], "objects")
    if options.kind == "multiclass":
        labels = labels[~labels.str.contains(SEPARATOR, regex=False)]
    classes = named_classes(labels, options.classes, of="object")
    large_classes(keep_labels(labels, classes), _with_fewest_images(options), of="objects")


def _with_fewest_images(options: TaskOptions) -> TaskOptions:
    """Return the options with the fewest objects that a class may have."""
    if options.kind == "multiclass" or options.near_duplicates.action == "drop":
        return options
    # Copies of an image, which are kept, gain each other's labels.
    return options.model_copy(update={"classes": options.classes.model_copy(update={"min_images": 1})})
