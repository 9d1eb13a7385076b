"""The variants of a model that a space allows."""

from collections.abc import Iterator

from art_pipeline.models.family import ModelFamily
from art_pipeline.models.search.options import SearchOptions, change


def variants(options: ModelFamily, search_options: SearchOptions) -> Iterator[ModelFamily]:
    """Yield the model with each value that the space allows for one parameter, all others as they are.

    Raises:
        KeyError: A parameter does not exist.
        ValueError: A value is not valid.
    """
    block = options.model_dump(mode="json")
    yield options
    for key, space in search_options.space.items():
        for value in space.examples:
            conditions = dict(space.when)
            yield type(options).model_validate(change(block, {**conditions, key: value}))
