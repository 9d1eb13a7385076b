"""Every page in its states: no violation of WCAG 2.2 AA by axe, no sideways scrolling, no foreign request."""

from urllib.parse import urlsplit

import pytest
from tests.chromium import chromium
from tests.web.accessibility import overflow, small_targets, violations

from art_pipeline.web.accounts.create import set_account

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
WIDTHS, SCHEMES = (320, 1440), ("light", "dark")
FOR_ALL = (
    "/",
    "/?q=work&department=Asian+Art&sort=oldest",
    "/?q=nothing+like+it",
    "/browse/culture/",
    "/artworks/101/",
    "/artworks/120/",
    "/models/",
    "/models/first_svm/",
    "/models/tags_svm/",
    "/generated/",
    "/accounts/login/",
    "/nothing",
)
FOR_CATALOGUERS = (
    "/",
    "/artworks/101/",
    "/predict/",
    "/upload/",
    "/review/",
    "/review/statistics/",
    "/accounts/password/",
    "/accounts/password/changed/",
)


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


def faults(page, address, expected=(200, 404)):
    response = page.goto(address)
    found = [] if response.status in expected else [f"status {response.status}"]
    found += violations(page) + small_targets(page)
    return found + ([f"{overflow(page)} px too wide"] if overflow(page) > 0 else [])


def walk(browser, server, addresses, width, scheme, cookies=()):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    context.add_cookies(list(cookies))
    page, foreign, errors = context.new_page(), set(), []
    own = urlsplit(server.url).netloc
    page.on("request", lambda one: foreign.add(one.url) if urlsplit(one.url).netloc not in {own, ""} else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda one: errors.append(one.text) if "Security Policy" in one.text else None)
    found = {one: wrong for one in addresses if (wrong := faults(page, server.url + one))}
    context.close()
    return found, foreign, errors


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_for_all(browser, live_server, imported, width, scheme):
    assert walk(browser, live_server, FOR_ALL, width, scheme) == ({}, set(), [])


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_for_cataloguers(browser, live_server, imported, as_cataloguer, width, scheme):
    session = {"name": "sessionid", "value": as_cataloguer.cookies["sessionid"].value, "url": live_server.url}
    assert walk(browser, live_server, FOR_CATALOGUERS, width, scheme, [session]) == ({}, set(), [])


def test_the_pages_of_accounts(browser, live_server, imported, client, django_user_model):
    set_account("root", "administrator")
    client.force_login(django_user_model.objects.get(username="root"))
    session = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    _, foreign, errors = walk(browser, live_server, ["/admin/", "/admin/auth/user/"], 1440, "light", [session])
    assert (foreign, errors) == (set(), [])  # of the pages themselves, Django answers


def test_before_the_first_import(browser, live_server, db):
    assert walk(browser, live_server, ["/", "/models/"], 320, "light") == ({}, set(), [])
