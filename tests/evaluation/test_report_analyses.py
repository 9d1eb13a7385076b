"""Sections of the report about analyses."""

import json

import pytest

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.report.analyses import analysis_section

TABLE = {"caption": "Works", "file": "works.csv", "rows": 1}


@pytest.fixture
def folder(tmp_path):
    """The folder of an analysis with a table of two works."""
    (tmp_path / "works.csv").write_text("object_id,label_name,share,year\n12345,007,0.25,1850.5\n9,x,0.5,\n")
    return tmp_path


def shown(folder, **own):
    section = {"title": "Works", "text": [], "tables": [TABLE | own], "figures": []}
    (folder / "section.json").write_text(json.dumps(section))
    return analysis_section("audit_works", folder, "analysis-1")["tables"][0]


def texts(cells):
    return [cell["text"] for cell in cells]


def test_ids_and_years_are_no_counts(folder):
    table = shown(folder, texts=["label_name"])
    assert texts(table["data"]["heads"]) == ["object id", "label name", "share", "year"]
    assert [texts(row) for row in table["data"]["rows"]] == [["12345", "007", "0.250", "1850.5"]]
    assert table["left_out"] == 1


def test_a_table_can_name_its_columns(folder):
    data = shown(folder, columns={"share": "of all", "object_id": "work"})["data"]
    assert texts(data["heads"]) == ["of all", "work"]
    assert texts(data["rows"][0]) == ["0.250", "12345"]


def test_a_section_that_does_not_fit_says_how_to_compute_it_again(folder):
    with pytest.raises(EvaluationError, match=r"audit_works cannot be shown.*kedro run --pipelines audit_works"):
        shown(folder, columns={"shares": "of all"})
