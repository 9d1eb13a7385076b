"""The pages as a person opens them, in a real browser."""

import json
import re
import signal

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser


@pytest.fixture(params=[1280, 400])
def report(request, browser: Browser, finished):
    """The report's page at the width of a screen and of a telephone, and what it asked for."""
    page = browser.new_page(viewport={"width": request.param, "height": 900})
    page.asked = []
    page.on("request", lambda one: page.asked.append(one.url))
    page.goto((finished.data / "08_reporting/report.html").as_uri())
    yield page
    page.close()


def test_the_report_shows_the_numbers_and_that_they_are_a_samples(report: Page, finished):
    metrics = json.loads((finished.data / "08_reporting/bow_svm/metrics.json").read_text())
    expect(report.get_by_text("Sample museum: these pictures are generated")).to_be_visible()
    expect(report.get_by_role("cell", name=re.compile(f"{metrics['accuracy']:.3f}")).first).to_be_visible()
    expect(report.get_by_role("img", name=re.compile("confusion matrix", re.IGNORECASE))).to_be_visible()


def test_the_report_needs_nothing_beside_itself(report: Page):
    assert [url for url in report.asked if not url.startswith(("file:", "data:"))] == []


def test_the_report_fits_the_screen(report: Page):
    assert report.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_mlflow_page_opens_on_the_experiments_runs(browser: Browser, finished):
    with finished.serving_runs() as (server, address):
        page = browser.new_page()
        page.goto(address)
        expect(page.get_by_role("link", name="kedro run --env test")).to_be_visible(timeout=60_000)
        expect(page.get_by_role("link", name="Prompts")).to_have_count(0)  # of the tools for language models
        page.close()
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0
