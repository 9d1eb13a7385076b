"""The manner of every parameter block: typed, closed, unchangeable."""

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """A block of ``params.yaml``: a misspelt key or a bad value is an error, by name."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
