"""Small training classes filled up with altered copies of their pictures."""

from art_pipeline.pipelines.augment.pipeline import create_pipeline

__all__ = ["create_pipeline"]
