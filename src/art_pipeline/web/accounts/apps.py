"""The app's configuration."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Configuration of the app."""

    name = "art_pipeline.web.accounts"
    label = "accounts"
