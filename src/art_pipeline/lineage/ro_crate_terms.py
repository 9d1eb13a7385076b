"""Profiles, additional terms and media types of RO-Crates."""

from pathlib import PurePosixPath

TERMS = {  # that the context of RO-Crate 1.1 lacks
    "buildInstructions": "https://codemeta.github.io/terms/buildInstructions",
    "md5": "https://w3id.org/ro/terms/workflow-run#md5",
}
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/provenance/0.5": ("Provenance Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
WORKFLOW_PROFILE = {
    "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE": ("ComputationalWorkflow", "1.0-RELEASE")
}
MEDIA_TYPES = {  # fixed, since `mimetypes` depends on the system
    "": "text/plain",
    ".csv": "text/csv",
    ".j2": "text/plain",
    ".json": "application/json",
    ".lock": "text/plain",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
    ".py": "text/x-python",
    ".toml": "application/toml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}


def media_type(path: str) -> str:
    """Return the media type of a file by its suffix.

    >>> media_type("data/08_reporting/report.json"), media_type("model.npy")
    ('application/json', 'application/octet-stream')
    """
    return MEDIA_TYPES.get(PurePosixPath(path).suffix, "application/octet-stream")
