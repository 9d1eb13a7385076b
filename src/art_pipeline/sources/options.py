"""``museum:`` and ``download:`` in params.yaml."""

from pathlib import PurePosixPath
from typing import Literal, Self

from pydantic import Field, StrictInt, ValidationInfo, field_validator, model_validator

from art_pipeline.common.options import Options
from art_pipeline.errors import did_you_mean
from art_pipeline.sources.columns import MADE, NAMES

SERVICES = ("met", "cleveland")


class FilesOptions(Options):
    """Where a data set lies that is files and not a service.

    Attributes:
        folder: The data set's folder, relative to the project's. Null where a service is asked.
        table: CSV or Parquet file of the source ``table``, within the folder; the other sources know
            the names of their files.
        images: Folder of the images of the source ``table``, within the folder; empty for the
            folder itself.
        encoding: Of the tables, such as ``utf-8`` or ``cp1252``.
        separator: Between the columns of a CSV.
        columns: Name of a column of the table of objects, then that of the table's own; empty for what
            the source is known to have.
        keep: Further columns of the table, which are kept under their own names.
        licence: Of all images, where no column tells it. ``CC0-1.0`` and ``public domain`` count as
            in the public domain, an empty one does not.
    """

    folder: str | None = Field(default=None, min_length=1)
    table: str | None = None
    images: str = ""
    encoding: str = "utf-8"
    separator: str = Field(default=",", min_length=1, max_length=1, pattern=r'[^"\r\n]')
    columns: dict[str, str] = Field(default_factory=dict)
    keep: tuple[str, ...] = ()
    licence: str = ""

    @field_validator("columns")
    @classmethod
    def _are_known(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if name not in NAMES:
                hint = did_you_mean(name, NAMES)
                raise ValueError(f"the table of objects has no column {name!r}.{hint} It has: {', '.join(NAMES)}")
        return value

    @field_validator("keep")
    @classmethod
    def _are_not_ours(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name in (*NAMES, *MADE):
                raise ValueError(f"{name!r} is a column of the table of objects already; name another in columns")
        return value

    @field_validator("table", "images")
    @classmethod
    def _are_within(cls, value: str | None) -> str | None:
        path = PurePosixPath(value or "")
        if path.is_absolute() or ".." in path.parts:
            raise ValueError("it leads out of museum.files.folder, which DVC watches; write a path within it")
        return value

    @field_validator("encoding")
    @classmethod
    def _is_an_encoding(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError as error:
            raise ValueError(f"{value!r} is no encoding; write utf-8, cp1252, latin-1, …") from error
        return value


class MuseumOptions(Options):
    """``museum:`` — which museum is asked, for what, and at which pace; or which data set is read.

    Attributes:
        source: ``met`` or ``cleveland`` asks a service; the others read files.
        base_url: Address of a service. For ``met``, one that speaks the Metropolitan Museum's
            Collection API, up to and without ``/objects``; ``sample://…`` is the embedded sample. For
            ``cleveland``, up to and without ``/artworks``. Files need none.
        files: Where a data set lies that is files.
        top_up: A further source of the same keys, from which small classes are filled up; see
            ``subset.supplement_to``. Null for none.
        departments: Department ids, or names in any spelling that the museum uses; empty
            for all.
        objects_csv: The museum's published table of objects (MetObjects.csv), from which ids are read in
            place of its lists: its path, relative to the project; null to ask for the lists.
        csv_public_domain_only: Of that table, ask only for objects in the public domain.
        query: Keep only objects that ``/search`` finds for this word; empty for all.
        objects_per_department: At most so many objects of each department, or of each folder of
            images, drawn with ``seed`` from those listed; null for all.
        seed: Seed of that draw.
        user_agent: How the client introduces itself; the museum wants a way to reach you.
        requests_per_second: Pace that is never exceeded, over all connections. Where the museum
            refuses, it is asked more slowly.
        connections: Requests under way at the same time.
        timeout: Seconds to wait for a connection, and for each part of an answer.
        max_seconds: Seconds that one answer may take in all, however steadily it comes; a slower one
            counts as failed.
        max_megabytes: Length of an answer in JSON, unpacked, above which it is given up; see
            ``download.max_megabytes`` for images.
        allowed_redirect_hosts: Hosts that a redirect may lead to beside the host that was asked: ``host``,
            ``host:port``, or ``*.example.org`` for all below it. A redirect to any other is not followed.
        attempts: Requests for one thing before it counts as failed.
        longest_wait: Seconds of the longest pause between two attempts, unless the museum
            asks for a longer one.
        patience: Seconds that a museum which has answered may be out of reach, or refuse
            everything, before the run ends; 0 to let ``attempts`` decide.
    """

    source: Literal[
        "met",
        "cleveland",
        "table",
        "folder",
        "imet",
        "wikiart",
        "painter_by_numbers",
        "best_artworks",
        "multitask_painting",
        "artists_joined",
    ] = "met"
    base_url: str = ""
    files: FilesOptions = Field(default=FilesOptions(), validate_default=True)
    top_up: "MuseumOptions | None" = None
    departments: tuple[StrictInt | str, ...] = ()
    objects_csv: str | None = Field(default=None, min_length=1)
    csv_public_domain_only: bool = True
    query: str = ""
    objects_per_department: int | None = Field(default=None, ge=1)
    seed: int = Field(default=0, ge=0, lt=2**32)
    user_agent: str = Field(default="art_pipeline", min_length=1)
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
        """What the source is known by in folders and records: the service's address, or the data set's folder."""
        return self.base_url if self.source in SERVICES else f"{self.source}:{self.files.folder}"

    @property
    def is_sample(self) -> bool:
        """Whether the images are the sample museum's, which are generated."""
        return self.source == "met" and self.base_url.startswith("sample://")

    @property
    def sources(self) -> "tuple[MuseumOptions, ...]":
        """The source, and the one that fills up small classes where there is one."""
        return (self, self.top_up) if self.top_up else (self,)

    @property
    def addresses(self) -> str:
        """The address of each source."""
        return ", ".join(one.address for one in self.sources)

    @property
    def read_paths(self) -> tuple[str, ...]:
        """Files and folders that are read, as they are written here."""
        named = [path for one in self.sources for path in (one.files.folder, one.objects_csv)]
        return tuple(path for path in named if path)

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not value:  # as it is where nothing is written: files need none
            return value
        scheme, separator, rest = value.partition("://")
        if not separator or scheme not in ("http", "https", "sample") or not rest.strip("/"):
            raise ValueError(f"{value!r} is not an address; write http://…, https://… or sample://…")
        return value.rstrip("/")

    @field_validator("files")
    @classmethod
    def _fit_the_source(cls, value: FilesOptions, info: ValidationInfo) -> FilesOptions:
        source = info.data.get("source")
        if source in SERVICES and value != FilesOptions():
            raise ValueError(f"the source {source} is a service, and reads no files; set museum.source")
        if source and source not in SERVICES and value.folder is None:
            raise ValueError(f"the source {source} is files; set folder to where they are")
        if (source == "table") != (value.table is not None):
            raise ValueError("table names the file of the source table, and of no other")
        return value

    @field_validator("departments", "query")
    @classmethod
    def _are_for_a_service(cls, value: tuple | str, info: ValidationInfo) -> tuple | str:
        if value and info.data.get("source", "met") not in SERVICES:
            raise ValueError(f"only a service can be asked so, and {info.data['source']} is files")
        return value

    @field_validator("objects_csv")
    @classmethod
    def _is_of_the_met(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and info.data.get("source", "met") != "met":
            raise ValueError(f"it is the Metropolitan Museum's table, and the source is {info.data['source']}")
        return value

    @field_validator("top_up")
    @classmethod
    def _is_the_last(cls, value: "MuseumOptions | None") -> "MuseumOptions | None":
        if value and value.top_up:
            raise ValueError("what fills up classes is not filled up itself")
        return value

    @model_validator(mode="after")
    def _has_an_address(self) -> Self:
        if self.source in SERVICES and not self.base_url:
            raise ValueError(f"the source {self.source} is a service; base_url is missing")
        return self


class DownloadOptions(Options):
    """``download:`` — which images are kept, and how they are made alike.

    Attributes:
        size: Which of the museum's two sizes is asked for.
        public_domain_only: Leave images that are not in the public domain alone.
        min_side: Length in pixels of the shortest side below which an image is ``too_small``.
        max_megapixels: Size above which an image is ``too_large`` and is not decoded
            (a decompression bomb).
        max_megabytes: Length of the body above which the download is given up as
            ``too_large``.
        max_side: Longest side, in pixels, of the images that later stages read.
    """

    size: Literal["small", "original"] = "small"
    public_domain_only: bool = True
    min_side: int = Field(default=32, ge=1)
    max_megapixels: float = Field(default=100.0, gt=0)
    max_megabytes: float = Field(default=50.0, gt=0)
    max_side: int = Field(default=400, ge=32)
