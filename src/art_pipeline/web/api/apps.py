"""The app's configuration."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Configuration of the app."""

    name = "art_pipeline.web.api"
    label = "api"
