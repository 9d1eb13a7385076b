"""The report and MLflow's page in a real browser."""

import json
import re
import signal

import pytest
from playwright.sync_api import Browser, Page, expect

MODELS = {"department": ("alexnet", "both", "mobilenet_head", "mobilenet_svm"), "tags": ("tags_svm",)}

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


def test_the_mlflow_page_opens_on_the_models_of_a_task_the_best_first(browser: Browser, networks):
    with networks.serving_runs("department") as (server, address):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        check_models(page, address, "department", ("accuracy", "f1_macro", "log_loss"))
        (other,) = re.findall(r"Models of tags: (\S+)", server.stdout.readline())
        check_models(page, other, "tags", ("f2_samples", "average_precision_macro", "f1_macro"))
        expect(page.get_by_role("link", name="Prompts")).to_have_count(0)  # of the tools for language models
        page.close()
        server.send_signal(signal.SIGINT)
        assert server.wait(300) == 0


def check_models(page: Page, address: str, task: str, metrics: tuple[str, ...]) -> None:
    """Open the page of a task, and find its models in order, with their metrics."""
    models = MODELS[task]
    page.goto(address)
    page.reload()  # another fragment of the same address loads nothing
    expect(page.locator(".ag-center-cols-container [role=row]")).to_have_count(len(models))
    cells = page.locator(f".ag-center-cols-container [col-id='metrics.`{metrics[0]}`']")
    expect(cells).to_have_text([re.compile(r"\d")] * len(models))  # they come after the rows
    shown = [float(text.rstrip("…")) for text in cells.all_inner_texts()]
    assert shown == sorted(shown, reverse=True) and len(shown) == len(models)
    for column in metrics:
        expect(page.get_by_role("columnheader").filter(has_text=column).first).to_be_in_viewport()
    for model in models:
        expect(page.get_by_role("link", name=model, exact=True).first).to_be_visible()
