"""Roles: a viewer reads; a cataloguer uploads, predicts and reviews; an administrator manages accounts too."""

from django.contrib.auth.models import AbstractUser, AnonymousUser, Group

VIEWER, CATALOGUER, ADMINISTRATOR = "viewer", "cataloguer", "administrator"
ROLES = (VIEWER, CATALOGUER, ADMINISTRATOR)
WRITERS = {CATALOGUER, ADMINISTRATOR}


def can_upload(user: AbstractUser | AnonymousUser) -> bool:
    """Return whether a user may upload images and request predictions."""
    return _is_writer(user)


def can_review(user: AbstractUser | AnonymousUser) -> bool:
    """Return whether a user may decide on predictions."""
    return _is_writer(user)


def give_role(user: AbstractUser, role: str) -> None:
    """Give a user a role in place of the former ones."""
    group, _ = Group.objects.get_or_create(name=role)
    user.groups.set([group])
    follow_role(user)


def follow_role(user: AbstractUser) -> None:
    """Make an administrator, and only an administrator, able to use the pages of accounts."""
    user.is_staff = user.is_superuser = user.groups.filter(name=ADMINISTRATOR).exists()
    user.save(update_fields=["is_staff", "is_superuser"])


def _is_writer(user: AbstractUser | AnonymousUser) -> bool:
    if not user.is_authenticated or not user.is_active:
        return False
    if user.is_superuser:
        return True
    cached = getattr(user, "_roles", None)
    if cached is None:
        cached = user._roles = set(user.groups.values_list("name", flat=True))
    return not WRITERS.isdisjoint(cached)
