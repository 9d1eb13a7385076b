"""Images to SIFT descriptors, shared by all models that use words."""

from art_pipeline.pipelines.describe.pipeline import create_pipeline

__all__ = ["create_pipeline"]
