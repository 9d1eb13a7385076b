"""Create accounts with random passwords."""

import secrets

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import transaction

from art_pipeline.errors import WebError
from art_pipeline.web.accounts.roles import CATALOGUER, give_role

FIRST = "cataloguer"
PASSWORD_BYTES = 12


@transaction.atomic
def create_first_account() -> tuple[str, str] | None:
    """Create a cataloguer with a random password where there is no account.

    Returns:
        Name and password; None where there is an account already.
    """
    if get_user_model().objects.exists():
        return None
    return FIRST, set_account(FIRST, CATALOGUER)


@transaction.atomic
def set_account(name: str, role: str) -> str:
    """Create an account, or give an existing one a new role and password; and return the random password.

    Raises:
        WebError: The name has characters that names of accounts cannot have.
    """
    users = get_user_model()
    user = users.objects.filter(username=name).first() or users(username=name)
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    user.is_active = True
    user.set_password(password)
    try:
        user.full_clean()
    except ValidationError as error:
        raise WebError(f"{name!r} cannot be the name of an account: {' '.join(error.messages)}") from error
    user.save()
    give_role(user, role)
    return password
