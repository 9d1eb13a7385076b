"""Two reviewers decide on works of the project in the working folder: NUMBER of them, by the forms of the page."""

import os
import re
import sys

os.environ |= {"DJANGO_SETTINGS_MODULE": "art_pipeline.web.settings", "ALLOWED_HOSTS": "testserver"}

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from art_pipeline.web.accounts.roles import CATALOGUER, give_role  # noqa: E402

QUERY = {"task": "department", "model": "bow_svm", "order": "uncertain", "reviewed": "nobody"}


def reviewer(name: str) -> Client:
    """Return a client that is logged in."""
    user = get_user_model().objects.create_user(name)
    give_role(user, CATALOGUER)
    client = Client()
    client.force_login(user)
    return client


def decide(client: Client) -> None:
    """Give the next work its second most probable label."""
    page = client.get("/review/", QUERY)
    text = page.content.decode()
    form = {name: re.search(rf'name="{name}" value="([^"]*)"', text)[1] for name in ("shown", "selection")}
    answer = client.post("/review/decide/", form | {"choose": page.context["likely"][1]["name"]})
    assert answer.status_code == 302


if __name__ == "__main__":
    call_command("collectstatic", verbosity=0, interactive=False)
    setup_test_environment()
    reviewers = [reviewer("ada"), reviewer("bob")]
    for number in range(int(sys.argv[1])):
        decide(reviewers[number % 2])
