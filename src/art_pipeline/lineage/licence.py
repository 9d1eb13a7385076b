"""Find the licences of a result's code and data."""

from typing import NamedTuple
from urllib.parse import urlsplit

from art_pipeline.lineage.params_file import recorded_parameters
from art_pipeline.lineage.record import Record

# Host of a museum API -> the museum, which publishes public-domain works under CC0.
CC0_MUSEUMS = {
    "collectionapi.metmuseum.org": "The Metropolitan Museum of Art",
    "openaccess-api.clevelandart.org": "The Cleveland Museum of Art",
}


class Licence(NamedTuple):
    """A licence.

    Attributes:
        id: URL of the text, or an identifier within an RO-Crate where there is none.
        name: Short name.
        description: What it covers.
    """

    id: str
    name: str
    description: str


CODE = Licence("https://spdx.org/licenses/Apache-2.0", "Apache-2.0", "The code, and the data that it produced.")
CC0 = Licence(
    "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC0-1.0",
    "{museum} publishes its open-access data, and its images of public-domain works, without conditions.",
)
MIXED = Licence(
    "#museum-terms",
    "The museum's terms for each work",
    "{museum} publishes its records under CC0. This run also used images of works that are not in the public "
    "domain; the museum's page of each work states its terms.",
)
GENERATED = Licence(
    "#generated",
    "Generated data",
    "The sample museum of this project generated the records and images. They have the licence of the code.",
)
EACH = Licence(
    "#terms-of-each-image",
    "The terms of each image",
    "Records and images have the terms that their source states for each. The object table has the licence and the "
    "URL of every object.",
)
UNKNOWN = Licence(
    "#museum-terms",
    "The museum's own terms",
    "The terms of this museum for its records and images are unknown.",
)


def is_sample(record: Record) -> bool:
    """Return whether the objects are from the sample museum, which generates them."""
    return record.museum.startswith("sample://")


def licence_of_data(record: Record) -> Licence:
    """Return the licence of the records and images, and of the data derived from them."""
    if ", " in record.museum:  # several sources
        return EACH
    if is_sample(record):
        return GENERATED
    museum = CC0_MUSEUMS.get(urlsplit(record.museum).hostname or "")
    if museum is None:
        return UNKNOWN if "://" in record.museum else EACH
    licence = CC0 if recorded_parameters(record).get("download.public_domain_only") is True else MIXED
    return licence._replace(description=licence.description.format(museum=museum))
