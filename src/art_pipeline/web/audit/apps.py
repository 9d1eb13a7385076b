"""The app's configuration."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Configuration of the app."""

    name = "art_pipeline.web.audit"
    label = "audit"
