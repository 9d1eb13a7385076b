"""``kedro serve``, with the examples of docs/serving.md."""

import base64
import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
import requests

from art_pipeline.dvc.s3_server import free_ports

pytestmark = pytest.mark.services

PAGE = Path(__file__).parents[2] / "docs" / "serving.md"
WAIT = 600


@contextmanager
def serve(project, workers=1):
    """Yield the address of ``kedro serve bow_svm``."""
    (port,) = free_ports(1)
    command = ["serve", "bow_svm", "--env", "test", "--port", str(port), "--workers", str(workers)]
    with project.telling(sys.executable, "-m", "kedro", *command) as line:
        assert re.match(rf"bow_svm \(m-[0-9a-f]{{32}}\): http://127.0.0.1:{port}/invocations", line)
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def address(finished):
    with serve(finished, workers=2) as address:
        yield address


@pytest.fixture
def images(finished):
    return sorted((finished.data / "02_intermediate" / "images").iterdir())


def ask(address, rows):
    body = {"dataframe_records": [{"image": row} for row in rows]}
    answer = requests.post(f"{address}/invocations", json=body, timeout=WAIT)
    answer.raise_for_status()
    return json.loads(answer.content, parse_constant=pytest.fail)["predictions"]  # NaN is no JSON


def encode(file):
    return base64.b64encode(file.read_bytes()).decode()


def test_answers_are_those_of_the_pipeline_and_of_its_thresholds(address, finished, images):
    answers = pd.DataFrame(ask(address, [encode(file) for file in images]))
    predictions = pd.read_parquet(finished.data / "07_model_output/bow_svm/predictions.parquet").set_index("object_id")
    held_out = predictions[predictions["split"] == "test"]
    answers.index = [int(file.stem) for file in images]
    columns = list(held_out.filter(like="p:"))
    pd.testing.assert_frame_equal(answers.loc[held_out.index, columns], held_out[columns], check_names=False)
    threshold = pd.read_csv(finished.data / "08_reporting/bow_svm/selective.csv")["threshold"].iloc[0]
    assert answers["accepted"].tolist() == (answers["probability"].round(6) >= threshold).tolist()


def test_a_bad_image_costs_its_own_row(address, images):
    good = encode(images[0])
    rows = ask(address, [good, "", good[:-1], encode(images[0])[:400], None, 7, good])
    statuses = [row["status"] for row in rows]
    assert statuses == ["ok", "empty", "not_base64", "truncated", "not_bytes", "not_bytes", "ok"]
    assert rows[0] == rows[-1]
    assert all(value is None for row in rows[1:-1] for key, value in row.items() if key != "status")


@pytest.mark.parametrize("body", ["", "{}", "[]", json.dumps({"dataframe_records": [{"picture": ""}]})])
def test_a_request_without_a_table_of_images_is_refused(address, body):
    answer = requests.post(
        f"{address}/invocations", data=body, headers={"Content-Type": "application/json"}, timeout=WAIT
    )
    assert answer.status_code == 400


def test_clients_at_the_same_time_get_what_one_gets(address, images):
    bodies = [encode(file) for file in images]
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(lambda body: ask(address, [body])[0], bodies))
    assert together == [ask(address, [body])[0] for body in bodies]


def test_the_examples_of_the_page_work(address, images, tmp_path):
    (tmp_path / "photos").mkdir()
    shutil.copy(images[0], tmp_path / "painting.jpg")
    for file in images[:3]:
        shutil.copy(file, tmp_path / "photos")
    text = PAGE.read_text(encoding="utf-8").replace("http://127.0.0.1:5000", address)
    examples = re.findall(r"```(bash|python)\n(.*?)```", text, re.DOTALL)
    outputs = []
    for language, code in examples:
        if "kedro serve" not in code:
            command = [sys.executable, "-c", code] if language == "python" else ["bash", "-c", code]
            outputs.append(subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout)
    in_bash, in_python = outputs
    assert json.loads(in_bash)["predictions"][0]["status"] == "ok"
    assert [line.split()[:2] for line in in_python.splitlines()[1:]] == [[file.name, "ok"] for file in images[:3]]


def test_a_model_that_mlflow_has_not_is_named(finished):
    result = subprocess.run(
        [sys.executable, "-m", "kedro", "serve", "bow_svn", "--env", "test"],
        cwd=finished.path,
        env=finished.environment({}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "MLflow has no model 'bow_svn'. Did you mean 'bow_svm'?" in result.stderr
