"""Media types of files, fixed, since those of `mimetypes` depend on the system."""

from pathlib import PurePosixPath

MEDIA_TYPES = {
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
