"""The columns of the table of objects, which are the same whatever the source."""

# Strings; "" where nothing is known. Several values of one column stand with SEPARATOR between them.
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
# Those that are made here, and of which a user's own cannot have the name.
MADE = ("status", "listed_in", "century", "source", "is_supplement", *FLAGS)
# What a column of a user's own table may be called here.
NAMES = ("object_id", *TEXTS, *YEARS)
