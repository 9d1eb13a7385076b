"""The app's configuration."""

from django.apps import AppConfig


class MapsConfig(AppConfig):
    """Configuration of the app."""

    name = "art_pipeline.web.maps"
    label = "maps"
