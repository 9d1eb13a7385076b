"""The pane of similar works in Chromium: no violation by axe, by keyboard, at two widths."""

import pytest
from tests.chromium import chromium
from tests.web.accessibility import overflow, small_targets, violations

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (1440, "dark")])
def test_the_pane_is_accessible_and_fits(searchable, browser, live_server, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{live_server.url}/artworks/101/?similar=other_artist")
    assert page.locator("#similar li").count() > 3
    assert violations(page) + small_targets(page) == []
    assert overflow(page) <= 0
    context.close()


def test_conditions_are_chosen_by_keyboard(searchable, browser, live_server):
    page = browser.new_page()
    page.goto(f"{live_server.url}/artworks/101/")
    before = page.locator("#similar ol").inner_text()
    page.locator("#similar input[value=other_artist]").focus()
    page.keyboard.press("Space")
    page.locator("#similar button").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**similar=other_artist*")
    assert page.locator("#similar input[value=other_artist]").is_checked()
    assert page.locator("#similar ol").inner_text() != before
    page.locator("#similar li a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/artworks/1*/")
    page.close()
