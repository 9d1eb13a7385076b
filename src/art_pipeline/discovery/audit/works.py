"""The works that an audit reads."""

import pandas as pd


def works_of(manifest: pd.DataFrame, objects: pd.DataFrame, image_table: pd.DataFrame) -> pd.DataFrame:
    """Return the works of a task.

    Labels are those of the manifest, with the corrections that the task names.

    Args:
        manifest: Manifest of the task.
        objects: The table of objects.
        image_table: Facts of the images, with the ``md5`` of the files.

    Returns:
        A row per image of the task, by ``object_id``, sorted: ``label``, ``title``, and ``md5``, ``""`` if unknown.
    """
    works = manifest.set_index("object_id").sort_index()[["label"]]
    titles = objects.set_index("object_id")["title"].reindex(works.index)
    digests = image_table.set_index("object_id")["md5"].reindex(works.index)
    return works.assign(title=titles.fillna(""), md5=digests.fillna(""))
