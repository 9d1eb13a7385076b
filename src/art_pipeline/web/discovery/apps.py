"""The app's configuration."""

from django.apps import AppConfig


class DiscoveryConfig(AppConfig):
    """Configuration of the app."""

    name = "art_pipeline.web.discovery"
    label = "discovery"
