"""Validate an RO-Crate offline, and print the messages as JSON: ``validate_crate.py CRATE SEVERITY``.

Runs in the environment of ``crate_validator.lock``. The validator asks for one document, the context of RO-Crate 1.1;
it gets one that defines the terms of the crate.
"""

import io
import json
import sys
import tempfile
from pathlib import Path

import requests_cache
import urllib3
from requests.adapters import HTTPAdapter
from rocrate_validator.models import ValidationSettings
from rocrate_validator.services import validate

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
BIOSCHEMAS = "https://bioschemas.org/"
# Terms that RO-Crate 1.1 does not take from schema.org under their own names.
TERMS = {
    "File": "http://schema.org/MediaObject",
    "ComputationalWorkflow": f"{BIOSCHEMAS}ComputationalWorkflow",
    "FormalParameter": f"{BIOSCHEMAS}FormalParameter",
    "input": f"{BIOSCHEMAS}ComputationalWorkflow#input",
    "output": f"{BIOSCHEMAS}ComputationalWorkflow#output",
    "conformsTo": "http://purl.org/dc/terms/conformsTo",
}


class ContextAdapter(HTTPAdapter):
    """Answers every request with a JSON-LD context."""

    def __init__(self, terms: dict[str, str]):
        super().__init__()
        self.body = json.dumps({"@context": terms}).encode()

    def send(self, request, **_):
        kind = {"Content-Type": "application/ld+json"}
        body = io.BytesIO(self.body)
        answer = urllib3.HTTPResponse(body, kind, 200, preload_content=False, request_url=request.url)
        return self.build_response(request, answer)


def terms_of(crate: Path) -> dict[str, str]:
    """Return the address of every type and property in the crate."""
    graph = json.loads((crate / "ro-crate-metadata.json").read_text(encoding="utf-8"))["@graph"]
    keys = {key for entity in graph for key in entity if not key.startswith("@")}
    types = {kind for entity in graph for kind in [entity["@type"]] if isinstance(kind, str)}
    types |= {kind for entity in graph if isinstance(entity["@type"], list) for kind in entity["@type"]}
    return {name: f"http://schema.org/{name}" for name in keys | types} | TERMS


def messages(crate: Path, severity: str, cache: Path) -> list[str]:
    """Return what the validator reports."""
    with requests_cache.CachedSession(str(cache), backend="sqlite", expire_after=-1) as session:
        session.mount("https://w3id.org/", ContextAdapter(terms_of(crate)))
        session.get(CONTEXT, headers={"Accept": "application/ld+json, application/json, */*;q=0.1"})
    settings = ValidationSettings(
        rocrate_uri=str(crate),
        profile_identifier="provenance-run-crate-0.5",
        requirement_severity=severity,
        offline=True,
        cache_path=cache,
    )
    return sorted({issue.message for issue in validate(settings).get_issues()})


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(messages(Path(sys.argv[1]), sys.argv[2], Path(folder) / "cache")))  # noqa: T201
