"""Under which terms a result's code and data stand."""

from typing import NamedTuple
from urllib.parse import urlsplit

from art_pipeline.common.options import flatten
from art_pipeline.lineage.record import Record

# Host of a museum's service -> the museum, where it gives under CC0 what is in the public domain.
GIVERS = {
    "collectionapi.metmuseum.org": "The Metropolitan Museum of Art",
    "openaccess-api.clevelandart.org": "The Cleveland Museum of Art",
}


class Licence(NamedTuple):
    """Terms.

    Attributes:
        id: Address of the text, or a name within a crate where there is none.
        name: Short.
        told: What it covers.
    """

    id: str
    name: str
    told: str


CODE = Licence("https://spdx.org/licenses/Apache-2.0", "Apache-2.0", "The code, and what it made.")
CC0 = Licence(
    "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC0-1.0",
    "{museum} gives its open-access data, and its images of works in the public domain, without conditions.",
)
MIXED = Licence(
    "#museum-terms",
    "The museum's terms, work by work",
    "{museum} gives its records under CC0; this run also took images of works that are not in the public domain, "
    "whose terms are told by the museum's page of each.",
)
GENERATED = Licence(
    "#generated",
    "Generated data",
    "Records and images were drawn by the code's own sample museum: no one's works, and no one's photographs. "
    "They may be used as the code may.",
)
EACH = Licence(
    "#terms-of-each-image",
    "The terms of each image",
    "Records and images stand under the terms that their source tells of each, where it does. The table of objects "
    "has licence and address of every one.",
)
UNKNOWN = Licence(
    "#museum-terms",
    "The museum's own terms",
    "What this museum allows with its records and images is not known here.",
)


def is_sample(record: Record) -> bool:
    """Whether the objects are the sample museum's, which are generated."""
    return record.museum.startswith("sample://")


def licence_of_data(record: Record) -> Licence:
    """Terms of the museum's records and images, and of what is made from them alone."""
    if ", " in record.museum:  # of several sources
        return EACH
    if is_sample(record):
        return GENERATED
    giver = GIVERS.get(urlsplit(record.museum).hostname or "")
    if giver is None:
        return UNKNOWN if "://" in record.museum else EACH
    read = {key: value for step in record.steps.values() for key, value in flatten(step.parameters)}
    terms = CC0 if read.get("download.public_domain_only") is True else MIXED
    return terms._replace(told=terms.told.format(museum=giver))
