"""Pipeline of a search: trials of one model, whose best block a command writes into params.yaml."""

import warnings

from kedro.pipeline import Pipeline, node

from art_pipeline.models.family import ModelFamily
from art_pipeline.models.search.options import SearchOptions
from art_pipeline.models.search.score import MANIFEST, read_datasets
from art_pipeline.models.search.space import variants
from art_pipeline.pipelines.model.pipeline import dataset_name
from art_pipeline.pipelines.search.nodes import search


def create_pipeline(name: str, options: ModelFamily, search_options: SearchOptions, own_manifest: bool) -> Pipeline:
    """Return the pipeline of the search of one model.

    Args:
        name: Name of the model's block in params.yaml.
        options: The block.
        search_options: Options of the search.
        own_manifest: Whether the model has a manifest of its own, without images that would leak.
    """
    read = sorted({one for variant in variants(options, search_options) for one in read_datasets(variant)})
    known = {"params:task": f"params:tasks.{options.task}"}
    inputs = {one: known.get(one, dataset_name(one, options.task)) for one in read}
    if own_manifest:
        inputs[MANIFEST] = f"{name}.{MANIFEST}"
    own = {"options": f"params:{name}", "search_options": f"params:search.{name}"}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "One or more dataset names contain '.'")
        return Pipeline(
            [node(search, own | inputs, f"{name}.search", name="search", tags=["search", name], namespace=name)]
        )
