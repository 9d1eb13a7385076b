"""Spark jobs write to the tables of the web page's models."""

from art_pipeline.distributed.database import COLUMNS, FEATURES, IMAGES
from art_pipeline.distributed.job import ARTWORK_KEY
from art_pipeline.web.catalogue.models import Feature, Image


def test_tables_and_columns_are_those_of_the_models():
    for name, model in {IMAGES: Image, FEATURES: Feature}.items():
        columns = {field.column for field in model._meta.concrete_fields}
        assert model._meta.db_table == name
        assert set(COLUMNS[name]) <= columns
    # The job writes each column but the key, and finds a row by the image and the kind.
    assert {*COLUMNS[FEATURES], "id"} == {field.column for field in Feature._meta.concrete_fields}
    assert [constraint.fields for constraint in Feature._meta.constraints] == [("image", "kind")]


def test_images_are_where_the_page_stores_them():
    image = Image(digest="ab" * 32)
    assert ARTWORK_KEY.format(start=image.digest[:2], digest=image.digest) == image.key
