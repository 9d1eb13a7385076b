"""A finished run whose model of departments is sometimes wrong."""

import pandas as pd
import pytest
from tests.web.run_folder import DEPARTMENTS, write_run

WRONG = 4  # each fourth prediction


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """As that of the other tests, but each fourth prediction of ``first_svm`` is of another class than the record."""
    data = write_run(tmp_path_factory.mktemp("project") / "data")
    file = data / "07_model_output/first_svm/predictions.parquet"
    table, names = pd.read_parquet(file), [*DEPARTMENTS]
    for row in table.index[::WRONG]:
        true = table.loc[row, "label"]
        columns = [f"p:{true}", f"p:{names[(names.index(true) + 1) % len(names)]}"]
        table.loc[row, columns] = table.loc[row, columns].to_numpy()[::-1]
    table.to_parquet(file)
    return data
