"""Train, predict, evaluate: the same wiring for every model."""

from art_pipeline.pipelines.model.pipeline import create_pipeline

__all__ = ["create_pipeline"]
