"""The users of `web.py`, for Locust: each opens a page, looks at it for two seconds on average, and opens another."""

import itertools
import os
from typing import ClassVar

from locust import HttpUser, between

from web import PAGES, address_of

WORKS = int(os.environ["BENCH_WORKS"])
numbers = itertools.count(100)


def opens(page):
    """Return a task that opens a page."""

    def open_page(user):
        user.client.cookies.set("sessionid", os.environ["BENCH_SESSION"])
        user.client.get(address_of(page, next(numbers), WORKS), name=page)

    return open_page


class Visitor(HttpUser):
    """A visitor."""

    wait_time = between(1, 3)
    tasks: ClassVar = {opens(page): weight for page, (_, weight) in PAGES.items()}
