"""Tables of the catalogue database. All of it is imported from runs, except uploaded artworks and their images."""

from art_pipeline.web.catalogue.models.artworks import (
    Artwork,
    ArtworkTerm,
    Feature,
    Image,
    Origin,
    Split,
    Term,
    Vocabulary,
)
from art_pipeline.web.catalogue.models.lookups import Facet, SearchWord
from art_pipeline.web.catalogue.models.names import NAME, WORD
from art_pipeline.web.catalogue.models.predictions import Prediction, TrainedModel
from art_pipeline.web.catalogue.models.runs import ImportedRun, ImportStep

__all__ = [
    "NAME",
    "WORD",
    "Artwork",
    "ArtworkTerm",
    "Facet",
    "Feature",
    "Image",
    "ImportStep",
    "ImportedRun",
    "Origin",
    "Prediction",
    "SearchWord",
    "Split",
    "Term",
    "TrainedModel",
    "Vocabulary",
]
