"""The app's configuration."""

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    """Configuration of the app."""

    name = "art_pipeline.web.catalogue"
    label = "catalogue"
