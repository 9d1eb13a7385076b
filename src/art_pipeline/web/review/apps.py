"""The app's configuration."""

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    """Configuration of the app."""

    name = "art_pipeline.web.review"
    label = "review"
