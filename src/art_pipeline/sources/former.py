"""The block ``museum:`` of earlier versions, as the list ``sources:`` that replaces it."""

from collections.abc import Mapping
from typing import Any

import yaml

from art_pipeline.sources.registry import SOURCES

RENAMED_FILES = {"pictures": "images"}


def sources_block(museum: Any) -> str:
    """Return the block ``sources:`` with the values of a former block ``museum:``, as YAML.

    >>> print(sources_block({"source": "met", "base_url": "https://museum.org", "files": {"folder": None}, "seed": 0}))
    sources:
    - source: met
      base_url: https://museum.org
    """
    first = museum if isinstance(museum, Mapping) else {}
    sources = [_source(first)]
    if isinstance(first.get("top_up"), Mapping):
        sources.append(_source(first["top_up"], supplement=True))
    return str(yaml.safe_dump({"sources": sources}, sort_keys=False, allow_unicode=True)).rstrip()


def _source(former: Mapping[str, Any], supplement: bool = False) -> dict[str, Any]:
    """Return a source with the values that its class has and that differ from the defaults."""
    files = former.get("files")
    values = dict(former) | {RENAMED_FILES.get(key, key): value for key, value in (files or {}).items()}
    kind = str(former.get("source", "met"))
    fields = SOURCES[kind].model_fields if kind in SOURCES else {}
    kept = {
        name: values[name]
        for name in fields
        if name in values and name not in ("source", "supplement") and values[name] != _default(fields[name])
    }
    return {"source": kind, **({"supplement": True} if supplement else {}), **kept}


def _default(field: Any) -> Any:
    """Return a field's default as YAML has it."""
    default = field.get_default(call_default_factory=True)
    return list(default) if isinstance(default, tuple) else default
