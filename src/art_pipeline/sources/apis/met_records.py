"""Records of the Metropolitan Museum's Collection API, as rows of the object table."""

from typing import Any

from art_pipeline.sources.apis.json_values import flag_of, maps_records, several_of, text_of, url_of, year_of
from art_pipeline.sources.years import parse_years

# Column of the object table → field of the record. Missing and null texts are "".
TEXT_FIELDS = {
    "department": "department",
    "classification": "classification",
    "object_name": "objectName",
    "title": "title",
    "culture": "culture",
    "period": "period",
    "artist": "artistDisplayName",
    "artist_nationality": "artistNationality",
    "artist_begin_date": "artistBeginDate",
    "artist_end_date": "artistEndDate",
    "object_date": "objectDate",
    "medium": "medium",
    "repository": "repository",
    "metadata_date": "metadataDate",
}
URL_FIELDS = {"image": "primaryImage", "image_small": "primaryImageSmall", "object_url": "objectURL"}
YEAR_FIELDS = {"object_begin_date": "objectBeginDate", "object_end_date": "objectEndDate"}


@maps_records("objectID")
def row_of(record: dict[str, Any]) -> dict[str, object]:
    """Return a record as columns of the object table.

    A record with a value of an unexpected type has only ``status``: ``unexpected: <field>``.
    """
    is_public = flag_of(record, "isPublicDomain")
    return {
        # Old records have strings, new ones objects with the string as ``term``.
        "tags": several_of(record, "tags", "term"),
        # For works under copyright, the museum names at most the rights holder.
        "licence": "CC0-1.0" if is_public else text_of(record, "rightsAndReproduction"),
        "is_public_domain": is_public,
        "is_highlight": flag_of(record, "isHighlight"),
        **{column: text_of(record, field) for column, field in TEXT_FIELDS.items()},
        **{column: url_of(record, field) for column, field in URL_FIELDS.items()},
        **_years(record),
    }


def _years(record: dict[str, Any]) -> dict[str, int | None]:
    """Return the years of a record. Where the museum knows none, both are 0: then those of the date, if it has any."""
    years = {column: year_of(record.get(field)) for column, field in YEAR_FIELDS.items()}
    if any(year != 0 for year in years.values()):
        return years
    return dict(zip(years, parse_years(text_of(record, "objectDate")) or (None, None), strict=True))
