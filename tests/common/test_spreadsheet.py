import csv

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from art_pipeline.common.spreadsheet import CLASS_COLUMNS, escape_formulas, unescape_formulas
from art_pipeline.kedro_ext.datasets import AtomicDataset

WIDE = "\uff1d\uff0b\uff0d\uff20"
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\n=1", "'=1", f"{WIDE}1", '=HYPERLINK("http://x","y")']
STARTS = tuple("=+-@\t\r\n" + WIDE)
TEXTS = st.text(max_size=8) | st.sampled_from(FORMULAS) | st.text("'=+-@ \t\r\n", max_size=4)


def as_saved(value):
    return value.replace("\r\n", "\n").replace("\r", "\n") if isinstance(value, str) else value


@settings(deadline=None, max_examples=100)
@given(st.lists(TEXTS, min_size=1, max_size=6))
@example(FORMULAS)
def test_no_text_is_a_formula_and_all_come_back(texts):
    table = pd.DataFrame({"class": texts, "share": -0.5}, index=pd.Index(texts, name="true"))
    square = pd.DataFrame([texts], columns=pd.Index(texts, name="predicted"))
    for one in (table, square.loc[:, ~square.columns.duplicated()]):
        safe = escape_formulas(one)
        cells = [*safe.index, *safe.columns, *safe.select_dtypes(object).to_numpy().ravel()]
        assert not [cell for cell in cells if isinstance(cell, str) and cell.startswith(STARTS)]
        saved = one.map(as_saved).rename(as_saved, axis=0).rename(as_saved, axis=1)
        pd.testing.assert_frame_equal(unescape_formulas(safe), saved)
    assert escape_formulas(table)["share"].tolist() == table["share"].tolist()


ODD = ["all", "class", "nan", "NA", "None", "null", "1850", "True", "1e3", "accuracy", "a,b", 'a"b', "a\nb", "a|b"]


@pytest.mark.parametrize("name", [*ODD, *FORMULAS])
def test_a_class_of_any_name_comes_back_from_the_table_of_classes(tmp_path, name):
    entry = {"type": "pandas.CSVDataset", "load_args": {"dtype": CLASS_COLUMNS, "keep_default_na": False}}
    dataset = AtomicDataset(f"{tmp_path}/per_class.csv", entry | {"save_args": {"index": False}}, spreadsheet=True)
    table = pd.DataFrame({"class": [name, "b"], "support": [1, 2], "most_confused_with": ["", name]})
    dataset.save(table)
    pd.testing.assert_frame_equal(dataset.load(), table)
    dataset.save(table.replace("b", "c\rd"))
    assert dataset.load()["class"].tolist() == [name, "c\nd"]
    with (tmp_path / "per_class.csv").open(newline="") as file:
        assert not any(cell.startswith(STARTS) for row in csv.reader(file) for cell in row)
