"""The app's configuration."""

from django.apps import AppConfig


class SimilarConfig(AppConfig):
    """Configuration of the app."""

    name = "art_pipeline.web.similar"
    label = "similar"
