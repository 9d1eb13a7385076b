"""The review in a browser: by keyboard alone, without scripts, and its accessibility."""

import pytest
from django.urls import reverse
from tests.chromium import chromium
from tests.web.review.decisions import add_decision

from art_pipeline.web.review.models import Decision, Order, Preference

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
QUEUE = "/review/?task=department&model=first_svm&works=disagree"
WIDTHS = (320, 768, 1440)


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def open_page(browser, live_server, client, cataloguer):
    """A function that opens an address as a cataloguer, and fails where the page reports an error."""
    contexts, errors = [], []
    client.force_login(cataloguer)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}

    def open_(address: str = QUEUE, width: int = 1440, **options):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **options))
        contexts[-1].add_cookies([cookie])
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(live_server.url + address)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert errors == []


def press(page, key):
    """Press a key that leads to another page."""
    with page.expect_navigation():
        page.keyboard.press(key)


def actions():
    return list(Decision.objects.order_by("pk").values_list("action", flat=True))


def test_by_keyboard_alone(imported, open_page):
    page = open_page()
    first = page.locator("#work-title").inner_text()
    for key in ("a", "k", "c", "s"):
        press(page, key)
    assert actions() == ["accept", "keep", "unsure", "skip"]
    assert "4 of " in page.locator("#progress-text").inner_text()
    press(page, page.locator("button[name=choose]").get_attribute("data-key"))  # a likely label
    for _ in range(5):
        press(page, "u")
    assert actions()[4:] == ["overrule", *["undo"] * 5]
    assert page.locator("#work-title").inner_text() == first
    page.keyboard.press("o")
    page.keyboard.type("Europ")  # letters are no shortcuts in a field
    page.keyboard.type("ean Paintings")
    press(page, "Enter")
    assert Decision.objects.latest("pk").labels == ["European Paintings"]


def test_shortcuts_are_listed_and_switched_off(imported, open_page):
    page = open_page()
    page.keyboard.press("?")
    page.get_by_role("button", name="Switch them off").click()
    page.wait_for_selector("#shortcuts[data-on='0']")
    page.keyboard.press("a")
    page.wait_for_timeout(300)
    assert actions() == []
    assert not Preference.objects.get().shortcuts


def test_labels_are_ticked_and_saved(imported, open_page):
    page = open_page("/review/?task=tags&model=tags_svm")
    boxes = page.locator("input[name=labels]")
    before = [boxes.nth(one).is_checked() for one in range(boxes.count())]
    page.keyboard.press("1")
    press(page, "l")
    assert len(Decision.objects.get().labels) == sum(before) + (-1 if before[0] else 1)


def test_without_scripts(imported, open_page):
    page = open_page(java_script_enabled=False)
    page.get_by_label("Any other label").fill("Asain Art")
    page.get_by_role("button", name="Overrule", exact=True).click()
    assert "Did you mean" in page.get_by_role("alert").inner_text()
    page.get_by_label("is a new label").check()
    page.get_by_role("button", name="Overrule", exact=True).click()
    assert Decision.objects.get().labels == ["Asain Art"]
    page.get_by_role("button", name="Undo").first.click()
    assert actions() == ["overrule", "undo"]
    page.locator("summary", has_text="Change").click()
    page.locator("select[name=order]").select_option("random")
    page.get_by_role("button", name="Show", exact=True).click()
    assert "Drawn at random" in page.locator(".review-reason").inner_text()


def test_the_next_image_is_loaded_ahead(imported, open_page, live_server):
    page = open_page("/accounts/login/")
    loaded = []
    page.on("request", lambda request: loaded.append(request.url))
    page.goto(live_server.url + QUEUE, wait_until="networkidle")
    ahead = page.locator("#next-image").get_attribute("data-src")
    assert live_server.url + ahead in loaded


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_accessibility(imported, open_page, cataloguer, viewer, scheme, width):
    from axe_playwright_python.sync_playwright import Axe

    from art_pipeline.web.catalogue.models import Prediction

    found = Prediction.objects.filter(model__name="first_svm").select_related("artwork", "model__vocabulary")[:9]
    for one in found:
        add_decision(cataloguer, one, order=Order.RANDOM)
    add_decision(viewer, found[0], "overrule", ["Photographs|x"])
    conflict = f"/review/?task=department&model=first_svm&work={found[0].artwork.key}"
    statistics = reverse("review:statistics") + "?task=department&model=first_svm"
    for address in (QUEUE, "/review/?task=tags&model=tags_svm", conflict, statistics, f"{QUEUE}&works=accepted"):
        page = open_page(address, width=width, color_scheme=scheme, reduced_motion="reduce")
        violations = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}).response
        assert [(one["id"], one["nodes"][0]["html"]) for one in violations["violations"]] == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
