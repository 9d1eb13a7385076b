"""``museum:`` and ``download:`` in params.yaml."""

from typing import Literal

from pydantic import Field, field_validator

from art_pipeline.options import Options


class MuseumOptions(Options):
    """``museum:`` — which museum is asked, for what, and at which pace.

    Attributes:
        base_url: Address of a service that speaks the Metropolitan Museum's Collection
            API, up to and without ``/objects``. ``sample://…`` is the embedded sample.
        departments: Department ids, or names in any spelling that the museum uses; empty
            for all.
        query: Keep only objects that ``/search`` finds for this word; empty for all.
        objects_per_department: At most so many objects of each department, drawn with
            ``seed`` from those listed; null for all.
        seed: Seed of that draw.
        user_agent: How the client introduces itself; the museum wants a way to reach you.
        requests_per_second: Pace that is never exceeded, over all connections. Where the museum
            refuses, it is asked more slowly.
        connections: Requests under way at the same time.
        timeout: Seconds to wait for a connection, and for each part of an answer.
        attempts: Requests for one thing before it counts as failed.
        longest_wait: Seconds of the longest pause between two attempts, unless the museum
            asks for a longer one.
        patience: Seconds that a museum which has answered may be out of reach, or refuse
            everything, before the run ends; 0 to let ``attempts`` decide.
    """

    base_url: str
    departments: tuple[int | str, ...] = ()
    query: str = ""
    objects_per_department: int | None = Field(default=None, ge=1)
    seed: int = Field(default=0, ge=0, lt=2**32)
    user_agent: str = Field(default="art_pipeline", min_length=1)
    requests_per_second: float = Field(default=20.0, gt=0, le=1000)
    connections: int = Field(default=4, ge=1, le=64)
    timeout: float = Field(default=30.0, gt=0)
    attempts: int = Field(default=8, ge=1)
    longest_wait: float = Field(default=30.0, gt=0)
    patience: float = Field(default=7200.0, ge=0)

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        scheme, separator, rest = value.partition("://")
        if not separator or scheme not in ("http", "https", "sample") or not rest.strip("/"):
            raise ValueError(f"{value!r} is not an address; write http://…, https://… or sample://…")
        return value.rstrip("/")


class DownloadOptions(Options):
    """``download:`` — which pictures are kept, and how they are made alike.

    Attributes:
        picture: Which of the museum's two sizes is asked for.
        public_domain_only: Leave pictures that are not in the public domain alone.
        min_side: Length in pixels of the shortest side below which a picture is ``too_small``.
        max_megapixels: Size above which a picture is ``too_large`` and is not decoded
            (a decompression bomb).
        max_megabytes: Length of the body above which the download is given up as
            ``too_large``.
        max_side: Longest side, in pixels, of the pictures that later stages read.
    """

    picture: Literal["small", "original"] = "small"
    public_domain_only: bool = True
    min_side: int = Field(default=32, ge=1)
    max_megapixels: float = Field(default=100.0, gt=0)
    max_megabytes: float = Field(default=50.0, gt=0)
    max_side: int = Field(default=400, ge=32)
