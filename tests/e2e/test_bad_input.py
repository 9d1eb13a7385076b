"""A mistake of the user ends in one clear message without a traceback."""

import os

import pytest

from art_pipeline.common.run_lock import only_run

CASES = {
    "misspelt key": (
        "tasks.department.images_per_clas=3",
        "tasks.department.images_per_clas is not known. Did you mean 'images_per_class'?",
    ),
    "misspelt block": ("suorces.base_url=x", "suorces is not known. Did you mean 'sources'?"),
    "out of range": (
        "tasks.department.split.test=1.5",
        "tasks.department.split.test cannot be 1.5: Input should be less than 1",
    ),
    "no address": ("sources.0.base_url=metmuseum.org", "'metmuseum.org' is not a URL"),
    "unknown department": ("sources.0.departments=[Asian Arts]", "no department 'Asian Arts'. Did you mean 'Asian"),
    "unknown label": ("tasks.department.label=artists", "no column 'artists'. Did you mean 'artist'?"),
    "class too small": ("tasks.department.images_per_class=500", "Cannot sample 500 images from each class"),
    "nothing found": ("sources.0.query=zzzz", "lists no object that its query finds"),
    "unreachable": (
        "sources.0.base_url=http://127.0.0.1:9/v1,sources.0.attempts=1",
        "http://127.0.0.1:9/v1 gave no usable response for /departments in 1 attempts",
    ),
}


def test_a_stage_that_is_not_there_is_told_with_the_nearest(project):
    result = project.run_here("--pipelines", "sucset")
    assert result.returncode == 1
    assert "Failed to find the pipeline named 'sucset'" in result.stderr
    assert "subset" in result.stderr
    assert "Traceback" not in result.stderr + result.stdout


def test_the_process_ends_without_a_traceback(project):
    parameters, message = CASES["misspelt key"]
    with project.running("--params", parameters) as process:
        said, errors = process.communicate()
    assert process.returncode == 1
    assert message in errors
    assert "Traceback" not in errors + said


@pytest.mark.parametrize("case", CASES)
def test_the_message_names_what_and_what_to_do(project, case):
    parameters, message = CASES[case]
    result = project.run_here("--params", parameters)
    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr + result.stdout


def test_what_would_write_to_data_of_another_run_is_refused_at_once(project):
    with only_run(project.data):
        second = project.run("--pipelines", "scrape")
        refresh = project.ask("museum", "refresh", "--env", "test", check=False)
        assert "tasks.department.images_per_class" in project.ask("parameters")
    assert second.returncode == 1
    for said in (second.stderr, refresh):
        assert f"Another run is using {project.data}: process {os.getpid()}, " in said
        assert "Traceback" not in said
    assert not project.files()
    assert project.run_here("--pipelines", "scrape").returncode == 0
    assert not (project.data / ".running").exists()
