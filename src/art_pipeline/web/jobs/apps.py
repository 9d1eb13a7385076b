"""The app's configuration."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Configuration of the app."""

    name = "art_pipeline.web.jobs"
    label = "jobs"
