"""All results to one page."""

from art_pipeline.pipelines.report.pipeline import create_pipeline

__all__ = ["create_pipeline"]
