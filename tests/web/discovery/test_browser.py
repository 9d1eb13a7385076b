"""Pages of clusterings in Chromium: axe, width, keyboard."""

import os

import pytest
from tests.chromium import chromium
from tests.web.accessibility import overflow, small_targets, violations

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
ADDRESSES = ("", "looks/", "looks/1/", "looks/map/", "looks/map/?zoom=1&x=1&y=1", "looks/artists/")


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


def photograph(page, name):
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1440])
def test_pages_are_clean_and_fit(browser, live_server, clustered, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    work = "/artworks/106/"
    for number, address in enumerate([*(f"/clusters/{one}" for one in ADDRESSES), work]):
        assert page.goto(live_server.url + address).status == 200
        assert violations(page) + small_targets(page) == [], address
        assert overflow(page) <= 0, address
        photograph(page, f"{number}_{width}_{scheme}")
    page.close()


def test_the_map_by_keyboard(browser, live_server, clustered):
    page = browser.new_page()
    page.goto(f"{live_server.url}/clusters/looks/map/")
    page.get_by_role("link", name="Zoom into the upper right").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/map/?zoom=1&x=2&y=2")
    page.get_by_role("link", name="Zoom out").focus()
    seen = []
    for _ in range(8):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.closest('svg') !== null"))
    assert not any(seen)  # the drawing repeats the list, and is passed over
    page.locator(".twin li li a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/artworks/**")
    assert page.get_by_role("heading", name="Clusters and possible influences").is_visible()
    page.close()
