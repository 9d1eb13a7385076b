"""The block ``subset:`` of earlier versions, as the block ``tasks:`` that replaces it."""

from collections.abc import Mapping
from typing import Any

import yaml

from art_pipeline.tasks.options import TaskOptions

RENAMED = {"per_class": "images_per_class", "top_up": "supplement_to"}
MODELS = "Name the task in each model: task: {}."


def tasks_block(subset: Any) -> str:
    """Return the block ``tasks:`` with one task that has the values of a former block ``subset:``, as YAML.

    >>> print(tasks_block({"label": "century", "per_class": 40, "seed": 0}))
    tasks:
      century:
        label: century
        images_per_class: 40
    # Name the task in each model: task: century.
    """
    values = dict(subset) if isinstance(subset, Mapping) else {}
    values = {RENAMED.get(key, key): value for key, value in values.items()}
    defaults = TaskOptions(label="").model_dump(mode="json")
    kept = {key: values[key] for key in defaults if key in values and values[key] != defaults[key]}
    name = str(values.get("label", "department"))
    block = yaml.safe_dump({"tasks": {name: {"label": name, **kept}}}, sort_keys=False, allow_unicode=True)
    return f"{block}# {MODELS.format(name)}"
