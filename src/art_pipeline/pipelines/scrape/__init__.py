"""Museum to table of objects."""

from art_pipeline.pipelines.scrape.pipeline import create_pipeline

__all__ = ["create_pipeline"]
