"""The pages to browse, in a browser."""

import pytest
from playwright.sync_api import expect
from tests.chromium import chromium

from art_pipeline.web.explore.listing import PAGE

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
WIDTHS = (320, 768, 1440)
CONTROLS = "button, select, input:not([type=hidden]), .facet a, .chip, .menu a"


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def server(settings, request):
    """A server of the pages, whose static files have their own names, as it reads them from where they are."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    return request.getfixturevalue("live_server").url


@pytest.fixture
def open_page(browser, server):
    """A function that opens an address in a new window, and fails where the page reports an error."""
    contexts, errors = [], []

    def open_(address: str = "/", width: int = 1440, **options):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(server + address)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert errors == []


@pytest.mark.parametrize("javascript", [True, False])
def test_filter_search_sort_and_open_an_artwork(imported, open_page, javascript):
    page = open_page("/", java_script_enabled=javascript)
    page.get_by_role("link", name="Asian Art").first.click()
    page.wait_for_url("**department=Asian+Art**")
    page.get_by_role("searchbox").fill("work")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**q=work**")
    assert "department=Asian+Art" in page.url
    page.get_by_label("Sort").select_option("oldest")
    if not javascript:
        page.get_by_role("button", name="Sort").click()
    page.wait_for_url("**sort=oldest**")
    address = page.url
    first = page.locator(".tile").first
    title = first.locator(".title").inner_text()
    first.click()
    expect(page.locator("h1")).to_have_text(title)
    page.get_by_role("link", name="Next artwork").click()
    expect(page.locator("h1")).not_to_have_text(title)
    page.get_by_role("link", name="Back to results").click()
    page.wait_for_url(address)
    page.get_by_role("link", name="Remove Search work").click()
    page.wait_for_url(lambda address: "q=" not in address)


def test_a_far_page_and_back(imported, open_page):
    page = open_page("/?sort=title", java_script_enabled=False)
    page.get_by_label("Page", exact=True).fill("2")
    page.get_by_role("button", name="Go").click()
    page.wait_for_url("**page=2**")
    second = page.locator(".tile .title").all_inner_texts()
    page.get_by_role("link", name="Previous").click()
    page.wait_for_url(lambda address: "page=2" not in address)
    first = page.locator(".tile .title").all_inner_texts()
    assert len(first) == PAGE
    assert not {*first} & {*second}


def test_zoom_by_keys_buttons_and_pointer(imported, open_page):
    page = open_page("/artworks/101/")
    viewer, level = page.locator("[data-viewer]"), page.locator(".viewer-tools output")
    viewer.focus()
    page.keyboard.press("+")
    assert level.inner_text() == "150%"
    before = viewer.locator("img").get_attribute("style")
    page.keyboard.press("ArrowRight")
    assert viewer.locator("img").get_attribute("style") != before
    page.keyboard.press("0")
    assert level.inner_text() == "100%"
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Zoom in").click()
    assert level.inner_text() == "225%"
    box = viewer.bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down()
    before = viewer.locator("img").get_attribute("style")
    page.mouse.move(box["x"] + 90, box["y"] + 90)
    page.mouse.up()
    assert viewer.locator("img").get_attribute("style") != before


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_fit_their_width_and_controls_are_large_enough(imported, open_page, width):
    for address in (
        "/",
        "/?department=Asian+Art&tags=Men",
        "/artworks/101/",
        "/models/",
        "/models/first_svm/",
        "/browse/artist/",
    ):
        page = open_page(address, width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        small = page.evaluate(
            """(controls) => [...document.querySelectorAll(controls)]
            .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 24)
            .map((one) => one.outerHTML)""",
            CONTROLS,
        )
        assert small == [], address


def test_filters_are_folded_on_narrow_screens_and_open_without_javascript(imported, open_page):
    assert not open_page("/", 390).locator(".facet").first.is_visible()
    assert open_page("/", 390, java_script_enabled=False).locator(".facet").first.is_visible()
    assert open_page("/", 1440).locator(".facet").first.is_visible()


def test_every_step_of_the_grid_is_reached_by_keyboard(imported, open_page):
    page = open_page("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "q"


def test_a_page_asks_no_other_host(imported, open_page, server):
    page = open_page("/")
    hosts = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    assert hosts
    assert all(one.startswith((server, "data:")) for one in hosts)
