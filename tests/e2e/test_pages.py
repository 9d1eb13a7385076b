"""The report and MLflow's page in a real browser."""

import json
import re
import signal

import pytest
from playwright.sync_api import Browser, Page, expect

NETWORKS = ("alexnet", "both", "mobilenet_head", "mobilenet_svm", "tags_svm")

pytestmark = pytest.mark.services


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
    expect(report.get_by_text("Sample museum: these images are generated")).to_be_visible()
    expect(report.get_by_role("cell", name=re.compile(f"{metrics['accuracy']:.3f}")).first).to_be_visible()
    expect(report.get_by_role("img", name=re.compile("confusion matrix", re.IGNORECASE)).first).to_be_visible()


def test_the_report_needs_nothing_beside_itself(report: Page):
    assert [url for url in report.asked if not url.startswith(("file:", "data:"))] == []


def test_the_report_fits_the_screen(report: Page):
    assert report.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_mlflow_page_opens_on_the_models_ready_to_compare(browser: Browser, networks):
    with networks.serving_runs() as (server, address):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        rows = page.locator(".ag-center-cols-container [role=row]")
        expect(rows).to_have_count(len(NETWORKS), timeout=60_000)
        accuracies = page.locator(".ag-center-cols-container [col-id='metrics.`accuracy`']")
        cells = [cell.inner_text().rstrip("…") for cell in accuracies.all()]
        shown = [float(text) for text in cells if text not in ("", "-")]  # a multi-label model has none
        assert shown == sorted(shown, reverse=True)
        for column in ("accuracy", "f1_macro", "log_loss"):
            expect(page.get_by_role("columnheader").filter(has_text=column).first).to_be_in_viewport()
        for model in NETWORKS:
            expect(page.get_by_role("link", name=model, exact=True).first).to_be_visible()
        expect(page.get_by_role("link", name="Prompts")).to_have_count(0)  # of the tools for language models
        page.close()
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0
