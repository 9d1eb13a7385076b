"""Addresses to verified pictures, and to images of one kind."""

from art_pipeline.pipelines.download.pipeline import create_pipeline

__all__ = ["create_pipeline"]
