"""Upload, predict, extract and verify, in a browser."""

import re

import pytest
from django.conf import settings as django_settings
from playwright.sync_api import expect
from tests.web.accessibility import overflow, small_targets, violations
from tests.web.explore.test_browser import browser, open_page, server  # noqa: F401
from tests.web.jobs.worker import run_jobs
from tests.web.uploads.image_bytes import SCRIPT, encoded

from art_pipeline.web.catalogue.models import Artwork, Feature, Origin, TrainedModel
from art_pipeline.web.uploads.models import PredictionRequest, Upload

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
WAVE = {"name": "wave.png", "mimeType": "image/png", "buffer": encoded("PNG")}


@pytest.fixture
def session(as_cataloguer):
    """The state of a browser in which a cataloguer is logged in."""
    name = django_settings.SESSION_COOKIE_NAME
    cookie = {"name": name, "value": as_cataloguer.cookies[name].value, "domain": "localhost", "path": "/"}
    return {"cookies": [cookie | {"expires": -1, "httpOnly": True, "secure": False, "sameSite": "Lax"}], "origins": []}


@pytest.fixture
def open_as_cataloguer(open_page, session):  # noqa: F811
    """A function that opens an address as a cataloguer."""
    return lambda address, **options: open_page(address, storage_state=session, **options)


def wait_for_result(page, javascript):
    """Wait until the page shows the result of its job: by itself, or by a reload."""
    if not javascript:
        page.get_by_role("link", name="Reload to see the progress").click()
    page.locator("[data-job]").wait_for(state="detached")


@pytest.mark.parametrize("javascript", [True, False])
def test_upload_an_artwork(trained, open_as_cataloguer, javascript):
    page = open_as_cataloguer("/upload/", java_script_enabled=javascript)
    page.get_by_label("Image", exact=True).set_input_files([WAVE])
    page.get_by_label("Title").fill("The Wave")
    page.get_by_label("Department").fill("Asian Art")
    page.get_by_label("Tags").fill("Flowers; Boats")
    if javascript:
        page.locator("#preview").wait_for()
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("h1")).to_have_text("The Wave")
    expect(page.get_by_text("waiting for a worker")).to_be_visible()
    run_jobs()
    wait_for_result(page, javascript)
    expect(page.get_by_role("rowheader", name="first_svm").first).to_be_visible()
    assert Upload.objects.count() == 1


@pytest.mark.parametrize("javascript", [True, False])
def test_predict_an_image(trained, open_as_cataloguer, javascript):
    page = open_as_cataloguer("/predict/", java_script_enabled=javascript)
    page.get_by_label("Image", exact=True).set_input_files([WAVE])
    page.get_by_role("button", name="Predict").click()
    page.wait_for_url(re.compile(r"/predict/.+/"))
    run_jobs()
    wait_for_result(page, javascript)
    expect(page.locator(".probabilities tbody tr")).to_have_count(3)
    page.get_by_role("link", name="Predict another image").click()
    expect(page.locator(".latest li")).to_have_count(1)


def test_a_double_click_is_one_prediction(trained, open_as_cataloguer):
    page = open_as_cataloguer("/predict/")
    page.get_by_label("Image", exact=True).set_input_files([WAVE])
    page.get_by_role("button", name="Predict").dblclick()
    page.wait_for_url(re.compile(r"/predict/.+/"))
    assert PredictionRequest.objects.count() == 1


def test_a_file_that_is_too_large_is_not_sent(trained, open_as_cataloguer, settings):
    settings.MAX_UPLOAD_MEGABYTES = 0.001
    page = open_as_cataloguer("/predict/")
    page.get_by_label("Image", exact=True).set_input_files([WAVE])
    page.get_by_role("button", name="Predict").click()
    message = page.get_by_label("Image", exact=True).evaluate("one => one.validationMessage")
    assert "Choose one of at most 0.001 MB" in message
    assert page.url.endswith("/predict/")


def test_extract_and_verify(trained, open_as_cataloguer):
    Feature.objects.all().delete()
    page = open_as_cataloguer("/artworks/101/")
    page.get_by_role("button", name="Extract").click()
    page.locator("[data-job]").wait_for()
    run_jobs()
    wait_for_result(page, True)
    expect(page.get_by_role("heading", name="Colour moments")).to_be_visible()
    page.get_by_role("button", name="Verify first_svm").click()
    page.locator("[data-job]").wait_for()
    run_jobs()
    wait_for_result(page, True)
    expect(page.get_by_text("metrics from predictions")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 768, 1440])
def test_every_page_and_state_is_accessible(trained, send, open_as_cataloguer, width, scheme):
    model = TrainedModel.objects.get(name="first_svm", is_current=True)
    done = send("/predict/", model=model.pk).url
    send("/artworks/101/verify/first_svm/")
    run_jobs()
    waiting = send("/predict/", model=model.pk).url
    send("/upload/", title="The Wave")
    artwork = Artwork.objects.get(origin=Origin.UPLOAD).get_absolute_url()
    page = open_as_cataloguer("/upload/", width=width, color_scheme=scheme)
    pages = ("/upload/", "/predict/", waiting, done, artwork, f"{artwork}delete/", "/artworks/101/verify/first_svm/")
    for address in pages:
        page.goto(re.match(r"https?://[^/]+", page.url)[0] + address)
        assert violations(page) + small_targets(page) == [], address
        assert overflow(page) <= 0, address


def test_a_form_with_errors_is_accessible(trained, browser, server, session):  # noqa: F811
    page = browser.new_page(storage_state=session, viewport={"width": 320, "height": 900})
    page.goto(f"{server}/upload/")
    page.get_by_label("Image", exact=True).set_input_files([{**WAVE, "buffer": SCRIPT}])
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("alert").wait_for()
    assert "The file is not an image." in page.locator("#id_image_error").inner_text()
    assert page.get_by_label("Image", exact=True).get_attribute("aria-invalid") == "true"
    assert violations(page) + small_targets(page) == []
    assert overflow(page) <= 0
    page.context.close()
