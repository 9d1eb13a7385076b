"""The app's configuration."""

from django.apps import AppConfig


class GeneratedConfig(AppConfig):
    """Configuration of the app."""

    name = "art_pipeline.web.generated"
    label = "generated"
