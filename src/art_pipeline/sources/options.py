"""Options that sources have in common, and ``download:`` of params.yaml; a source's own class is in its own file."""

import hashlib
import re
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, StrictInt, field_validator

from art_pipeline.common.options import Options
from art_pipeline.errors import did_you_mean
from art_pipeline.sources.columns import MADE, NAMES

if TYPE_CHECKING:
    import pandas as pd

USER_AGENT = "art_pipeline/0.1 (open research pipeline; set user_agent of the source to a way to reach you)"


class BaseSourceOptions(Options):
    """What every source has.

    Attributes:
        source: Which source this is; it decides which other keys there are.
        supplement: Whether this source only supplements small classes of the first one, up to
            ``supplement_to`` images of a task; true for every source but the first.
        objects_per_department: At most this many objects of each department, or of each folder of
            images, sampled with ``seed``; null for all.
        seed: Seed of that sample.
    """

    source: str
    supplement: bool = False
    objects_per_department: int | None = Field(default=None, ge=1)
    seed: int = Field(default=0, ge=0, lt=2**32)

    @property
    @abstractmethod
    def address(self) -> str:
        """What identifies the source in folders and records: the service's URL, or kind and folder of a data set."""

    @property
    def directory(self) -> str:
        """Name of the source's directory below ``data/01_raw/…``: its host or kind, and a digest of its address."""
        host = self.address.partition("://")[2].partition("/")[0].rpartition("@")[2] or self.source
        digest = hashlib.md5(self.address.encode(), usedforsecurity=False).hexdigest()
        return f"{re.sub(r'[^a-zA-Z0-9.-]', '_', host)}-{digest[:8]}"

    @property
    def is_sample(self) -> bool:
        """Whether this is the embedded sample museum, whose images are generated."""
        return False


class ServiceOptions(BaseSourceOptions):
    """A museum's web service.

    Attributes:
        base_url: Address of the service.
        departments: Departments to take, by id or name; empty for all.
        query: Take only objects that the service finds for this search word; empty for all.
        user_agent: User-Agent header of requests. Give a way to reach you, such as an e-mail address.
        requests_per_second: Maximum request rate, over all connections. The client slows down when the
            service refuses requests.
        connections: Number of concurrent requests.
        timeout: Seconds to wait for a connection, and for each part of a response.
        max_seconds: Seconds that one response may take in total; a slower one counts as failed.
        max_megabytes: Maximum size of a JSON response, decompressed. For images, see
            ``download.max_megabytes``.
        allowed_redirect_hosts: Hosts that a redirect may lead to besides the requested host: ``host``,
            ``host:port``, or ``*.example.org`` for all subdomains. Other redirects are not followed.
        attempts: Attempts per request before it counts as failed.
        longest_wait: Maximum seconds between two attempts, unless the service asks for more.
        patience: Seconds that a service which has answered before may be unreachable, or refuse all
            requests, before the run ends; 0 to let ``attempts`` decide.
    """

    base_url: str
    departments: tuple[StrictInt | str, ...] = ()
    query: str = ""
    user_agent: str = Field(default=USER_AGENT, min_length=1)
    requests_per_second: float = Field(default=20.0, gt=0, le=1000)
    connections: int = Field(default=4, ge=1, le=64)
    timeout: float = Field(default=30.0, gt=0)
    max_seconds: float = Field(default=120.0, gt=0)
    max_megabytes: float = Field(default=20.0, gt=0)
    allowed_redirect_hosts: tuple[str, ...] = ()
    attempts: int = Field(default=8, ge=1)
    longest_wait: float = Field(default=30.0, gt=0)
    patience: float = Field(default=7200.0, ge=0)

    @property
    def address(self) -> str:
        """The service's URL."""
        return self.base_url

    @field_validator("base_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        scheme, separator, rest = value.partition("://")
        if not separator or scheme not in ("http", "https", "sample") or not rest.strip("/"):
            raise ValueError(f"{value!r} is not a URL; write http://…, https://… or sample://…")
        return value.rstrip("/")


class FileSourceOptions(BaseSourceOptions):
    """A data set in files.

    A layout derives from this class, names its columns, and implements `read`.

    Attributes:
        folder: The data set's folder, relative to the project.
        columns: Column of the object table → column of the data set; overrides the layout's mapping.
        keep: Further columns of the data set to keep, under their own names.
        licence: Licence of all images, where no column states it. ``CC0-1.0`` and ``public domain``
            count as public domain, an empty licence does not.
    """

    # Column of the object table → column of what `read` returns.
    COLUMNS: ClassVar[Mapping[str, str]]
    # Those of them that a data set of this layout may lack.
    OPTIONAL_COLUMNS: ClassVar[tuple[str, ...]] = ()
    # The column of what `read` returns that says why an entry cannot be used, "" where it can be.
    STATUS_COLUMN: ClassVar[str | None] = None

    folder: str = Field(min_length=1)
    columns: dict[str, str] = Field(default_factory=dict)
    keep: tuple[str, ...] = ()
    licence: str = ""

    @abstractmethod
    def read(self) -> "pd.DataFrame":
        """Return a row per entry of the data set; all columns are strings."""

    @property
    def address(self) -> str:
        """Kind and folder of the data set."""
        return f"{self.source}:{self.folder}"

    @property
    def read_paths(self) -> tuple[str, ...]:
        """The data set's folder."""
        return (self.folder,)

    @field_validator("columns")
    @classmethod
    def _are_known(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if name not in NAMES:
                hint = did_you_mean(name, NAMES)
                raise ValueError(f"the object table has no column {name!r}.{hint} It has: {', '.join(NAMES)}")
        return value

    @field_validator("keep")
    @classmethod
    def _are_not_ours(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name in (*NAMES, *MADE):
                raise ValueError(f"{name!r} is already a column of the object table; map it in columns")
        return value


class TableSourceOptions(FileSourceOptions):
    """A data set in files with CSV or Parquet tables.

    Attributes:
        encoding: Encoding of CSV files, such as ``utf-8`` or ``cp1252``.
        separator: Separator of CSV files.
    """

    encoding: str = "utf-8"
    separator: str = Field(default=",", min_length=1, max_length=1, pattern=r'[^"\r\n]')

    @field_validator("encoding")
    @classmethod
    def _is_encoding(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError as error:
            raise ValueError(f"{value!r} is not an encoding; write utf-8, cp1252, latin-1, …") from error
        return value


def path_within_folder(value: str) -> str:
    """Return a path that stays within the data set's folder, which DVC watches.

    Raises:
        ValueError: The path is absolute or contains ``..``.
    """
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError("it leads out of folder, which DVC watches; write a path within it")
    return value


class DownloadOptions(Options):
    """``download:`` — which images are kept, and how they are standardised.

    Attributes:
        size: Which of the museum's two sizes to download.
        public_domain_only: Skip images that are not in the public domain.
        min_side: Shortest side in pixels below which an image is ``too_small``.
        max_megapixels: Size above which an image is ``too_large`` and is not decoded (a decompression bomb).
        max_megabytes: File size above which the download stops and the image is ``too_large``.
        max_side: Longest side, in pixels, of the images that later stages read.
    """

    size: Literal["small", "original"] = "small"
    public_domain_only: bool = True
    min_side: int = Field(default=32, ge=1)
    max_megapixels: float = Field(default=100.0, gt=0)
    max_megabytes: float = Field(default=50.0, gt=0)
    max_side: int = Field(default=400, ge=32)
