"""Django's admin, for accounts alone and for administrators alone."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django_tasks_db.models import DBTaskResult

from art_pipeline.web.accounts.roles import follow_role

admin.site.site_header = admin.site.site_title = "Accounts"
admin.site.index_title = "Accounts and failed logins"
for model in (get_user_model(), Group, DBTaskResult):
    admin.site.unregister(model)


@admin.register(get_user_model())
class Accounts(UserAdmin):
    """Accounts with their roles; one with uploads or decisions can be deactivated, not deleted."""

    list_display = ("username", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    fieldsets = ((None, {"fields": ("username", "password", "is_active", "groups")}),)
    add_fieldsets = ((None, {"fields": ("username", "usable_password", "password1", "password2", "groups")}),)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        follow_role(form.instance)
