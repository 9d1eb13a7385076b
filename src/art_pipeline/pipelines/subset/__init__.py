"""Objects with images to a balanced, split and leak-free manifest."""

from art_pipeline.pipelines.subset.pipeline import create_pipeline

__all__ = ["create_pipeline"]
