"""The app's configuration."""

from django.apps import AppConfig


class ExploreConfig(AppConfig):
    """Configuration of the app."""

    name = "art_pipeline.web.explore"
    label = "explore"
