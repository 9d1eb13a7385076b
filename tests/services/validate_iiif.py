"""Validate IIIF manifests and collections, which standard input lists as JSON; prints what is wrong as JSON.

Runs in the environment of ``iiif_validator.lock``.
"""

import json
import sys

from iiif_prezi3 import Collection, Manifest
from pydantic import ValidationError

KINDS = {"Manifest": Manifest, "Collection": Collection}


def faults(resource: dict) -> list[str]:
    """Return what the validator reports, and what it does not keep."""
    try:
        read = KINDS[resource["type"]](**resource)
    except ValidationError as error:
        return [str(error)]
    again = json.loads(read.json())
    return [f"{resource['id']}: {key} is lost" for key in resource if key not in again]


if __name__ == "__main__":
    print(json.dumps([fault for one in json.load(sys.stdin) for fault in faults(one)]))  # noqa: T201
