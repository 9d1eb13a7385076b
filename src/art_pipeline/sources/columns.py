"""Columns of the object table, the same for every source."""

# Strings; "" for unknown. SEPARATOR separates several values of a column.
TEXTS = (
    "department",
    "classification",
    "object_name",
    "title",
    "culture",
    "period",
    "artist",
    "artist_nationality",
    "artist_begin_date",
    "artist_end_date",
    "object_date",
    "medium",
    "style",
    "genre",
    "tags",
    "image",
    "image_small",
    "object_url",
    "licence",
    "repository",
    "metadata_date",
)
YEARS = ("object_begin_date", "object_end_date")
FLAGS = ("is_public_domain", "is_highlight")
SEPARATOR = "|"
# Derived columns, whose names a user's column cannot have.
MADE = ("status", "listed_in", "century", "source", "is_supplement", *FLAGS)
# Columns that a user's column can be mapped to.
NAMES = ("object_id", *TEXTS, *YEARS)
