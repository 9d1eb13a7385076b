"""Accounts: roles, passwords, throttled logins, and the pages of administrators."""

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from tests.web.conftest import PASSWORD

from art_pipeline.errors import WebError
from art_pipeline.web.accounts.create import create_first_account, set_account
from art_pipeline.web.accounts.roles import ADMINISTRATOR, CATALOGUER, VIEWER, can_review, can_upload

LOGIN = "/accounts/login/"


def user(name):
    return get_user_model().objects.get(username=name)


def log_in(client, name, password, **headers):
    return client.post(LOGIN, {"username": name, "password": password}, **headers)


def test_the_first_account_is_made_once(db):
    name, password = create_first_account()
    assert can_review(user(name))
    assert user(name).check_password(password)
    assert create_first_account() is None


@pytest.mark.parametrize(
    ("role", "may_write", "may_manage"),
    [(VIEWER, False, False), (CATALOGUER, True, False), (ADMINISTRATOR, True, True)],
)
def test_roles(client, db, role, may_write, may_manage):
    set_account("eve", role)
    assert (can_upload(user("eve")), can_review(user("eve"))) == (may_write, may_write)
    client.force_login(user("eve"))
    assert client.get("/admin/").status_code == (200 if may_manage else 302)


def test_a_role_and_a_password_replace_the_former(client, db):
    former = set_account("eve", ADMINISTRATOR)
    password = set_account("eve", VIEWER)
    assert not user("eve").is_superuser
    assert not can_review(user("eve"))
    assert log_in(client, "eve", former).status_code == 200
    assert log_in(client, "eve", password).status_code == 302


@pytest.mark.parametrize("name", ["", "a b", "x" * 151, "<b>", "../x"])
def test_a_name_that_an_account_cannot_have(db, name):
    with pytest.raises(WebError, match="cannot be the name"):
        set_account(name, VIEWER)
    assert not get_user_model().objects.exists()


def test_too_many_failed_logins(client, cataloguer):
    answers = [log_in(client, "ada", "wrong").status_code for _ in range(5)]
    assert answers == [200] * 4 + [429]
    locked = log_in(client, "ada", PASSWORD)
    assert locked.status_code == 429
    assert "15 minutes" in locked.content.decode()


def test_another_account_and_another_address_are_not_locked(client, cataloguer, viewer, settings):
    settings.BEHIND_PROXY = True
    for _ in range(6):
        log_in(client, "ada", "wrong", headers={"X-Forwarded-For": "10.0.0.1"})
    assert log_in(client, "vic", PASSWORD, headers={"X-Forwarded-For": "10.0.0.1"}).status_code == 302
    assert log_in(client, "ada", PASSWORD, headers={"X-Forwarded-For": "1.1.1.1, 10.0.0.2"}).status_code == 302


def test_a_client_cannot_choose_its_address(client, cataloguer, settings):
    answers = [
        log_in(client, "ada", "wrong", headers={"X-Forwarded-For": f"10.0.0.{one}"}).status_code for one in range(6)
    ]
    assert answers[-1] == 429
    settings.BEHIND_PROXY = True
    answers = [
        log_in(client, "ada", "wrong", headers={"X-Forwarded-For": f"10.0.0.{one}, 7.7.7.7"}).status_code
        for one in range(6)
    ]
    assert answers[-1] == 429


def test_change_of_a_password(as_cataloguer):
    form = {"old_password": PASSWORD, "new_password1": "another long one", "new_password2": "another long one"}
    assert as_cataloguer.post("/accounts/password/", form).status_code == 302
    assert user("ada").check_password("another long one")
    assert as_cataloguer.get("/accounts/password/changed/").status_code == 200


@pytest.mark.parametrize("password", ["short", "123456789012", "password1234"])
def test_weak_passwords(as_cataloguer, password):
    form = {"old_password": PASSWORD, "new_password1": password, "new_password2": password}
    assert as_cataloguer.post("/accounts/password/", form).status_code == 200
    assert user("ada").check_password(PASSWORD)


def test_a_login_does_not_lead_to_another_site(client, cataloguer):
    answer = client.post(f"{LOGIN}?next=https://evil.example/", {"username": "ada", "password": PASSWORD})
    assert answer.url == reverse("explore:home")


def test_the_session_changes_at_login_and_ends_at_logout(client, cataloguer):
    client.get(LOGIN)
    log_in(client, "ada", PASSWORD)
    session = client.cookies["sessionid"]
    assert (session["httponly"], session["samesite"]) == (True, "Lax")
    assert client.get("/accounts/logout/").status_code == 405
    client.post("/accounts/logout/")
    assert client.cookies["sessionid"].value == ""


def test_an_administrator_gives_roles_in_the_pages_of_accounts(client, db):
    set_account("root", ADMINISTRATOR)
    set_account("eve", VIEWER)
    client.force_login(user("root"))
    groups = [user("root").groups.get().pk]
    address = reverse("admin:auth_user_change", args=[user("eve").pk])
    assert client.post(address, {"username": "eve", "is_active": "on", "groups": groups}).status_code == 302
    assert user("eve").is_superuser
    client.post(address, {"username": "eve", "is_active": "on", "groups": []})
    assert not user("eve").is_superuser


def test_an_account_that_is_not_active_may_do_nothing(client, cataloguer):
    cataloguer.is_active = False
    cataloguer.save()
    assert not can_upload(cataloguer)
    assert log_in(client, "ada", PASSWORD).status_code == 200
