"""The app's configuration."""

from django.apps import AppConfig


class UploadsConfig(AppConfig):
    """Configuration of the app."""

    name = "art_pipeline.web.uploads"
    label = "uploads"
