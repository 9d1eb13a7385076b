import socket
import sys
from pathlib import Path

import pandas as pd
import pytest

from art_pipeline.distributed import job, session
from art_pipeline.distributed.database import Database
from art_pipeline.distributed.job import main, read_addresses, read_blocks
from art_pipeline.distributed.session import spark_errors, start_spark
from art_pipeline.errors import DistributedError

EXAMPLE = "mysql://user:password@host:port/name"
PARAMS = Path(__file__).parents[2] / "params.yaml"


def test_without_pyspark_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(DistributedError, match=r"pyspark is not installed. Install it: make spark."):
        start_spark("local[1]")


def test_without_java_the_remedy_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyspark", object())
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(DistributedError, match=r"Spark needs Java 17 or later, which is not installed"):
        start_spark("local[1]")


def test_a_jar_that_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(session, "_require_spark", lambda: None)
    with pytest.raises(DistributedError, match=r"driver.jar is missing. On Debian: apt-get install libmariadb-java"):
        start_spark("local[1]", [tmp_path / "driver.jar"])


@pytest.mark.parametrize(
    "master", ["spark://127.0.0.1:9", "spark://127.0.0.1:9,127.0.0.1:7", "k8s://https://127.0.0.1:9"]
)
def test_a_master_that_does_not_answer_is_named_at_once(monkeypatch, master):
    monkeypatch.setattr(session, "_require_spark", lambda: None)
    with pytest.raises(DistributedError, match=rf"Spark cannot use {master}: no master answers there\."):
        start_spark(master)


def test_a_master_of_which_one_host_answers_is_used():
    with socket.create_server(("127.0.0.1", 0)) as server:
        session._require_answer(f"spark://127.0.0.1:9,127.0.0.1:{server.getsockname()[1]}")
    for other in ("", "local[2]", "yarn"):
        session._require_answer(other)


def test_an_error_of_a_task_is_its_last_line_and_other_errors_stay():
    text = "Job aborted\nTraceback (most recent call last):\nart_pipeline.errors.DistributedError: no bucket\n at java"
    error = type("SparkException", (Exception,), {"__module__": "pyspark.errors"})(text)
    with pytest.raises(DistributedError, match=r"Spark cannot use local: .*no bucket.$"), spark_errors("local"):
        raise error
    with pytest.raises(KeyError), spark_errors("local"):
        raise KeyError("a bug")


@pytest.mark.parametrize("address", ["", "sqlite:///x", "mysql://host", "mysql:///name", "postgresql://u@h/n", EXAMPLE])
def test_an_address_of_no_mysql_database_is_refused(address):
    with pytest.raises(DistributedError, match=EXAMPLE):
        Database.of(address)


def test_a_password_may_hold_anything_and_is_never_shown():
    database = Database.of("mysql://art:a%40b%2Fc@host/my%20name")
    assert (database.password, database.port, database.name) == ("a@b/c", 3306, "my name")
    assert "a@b" not in database.shown + database.jdbc + repr(database)


def test_blocks_of_features_without_weights_are_read_from_the_parameters():
    assert set(read_blocks(PARAMS, [])) == {"sift", "colour_moments", "gist"}
    assert set(read_blocks(PARAMS, ["gist"])) == {"gist"}
    with pytest.raises(DistributedError, match=r"no features 'gits' without weights.*Did you mean 'gist'"):
        read_blocks(PARAMS, ["gits"])


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (None, r"params.yaml cannot be read: there is no such file\. Name params.yaml by --params\."),
        ("a: [", r"params.yaml cannot be read: while parsing a flow node.*Name params.yaml"),
        ("tasks: {}", r"params.yaml has no blocks of features\. Name params.yaml by --params\."),
        ("features: {a: {}}", r"params.yaml: features\.a\.extractor is missing\. Name an extractor"),
        ("features: {a: {extractor: sift, images: none}}", r"features\.a\.images cannot be 'none': .*'selected'\. See"),
    ],
)
def test_parameters_that_cannot_be_used_are_one_line(tmp_path, capsys, written, message):
    if written is not None:
        (tmp_path / "params.yaml").write_text(written)
    with pytest.raises(SystemExit, match=rf"^Error: [^\n]*{message}[^\n]*$"):
        main(["--params", str(tmp_path / "params.yaml"), "--images", "images.parquet"])
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (None, r"images.parquet cannot be read: there is no such file\. Give a Parquet table"),
        ({"object_id": [1]}, r"images.parquet has no column address\. Give a Parquet table"),
        ({"object_id": [1, None], "address": ["a", "b"]}, r"whose object_id is not an integer\. Give"),
        ({"object_id": [1], "address": [None]}, r"has a row without an address"),
        (
            {"object_id": [1, 2, 1], "address": ["a", "b", "c"]},
            r"several rows of object_id 1\. Give one for each object",
        ),
    ],
)
def test_a_table_of_images_that_cannot_be_used_is_one_line(tmp_path, columns, message):
    if columns:
        pd.DataFrame(columns).to_parquet(tmp_path / "images.parquet")
    with pytest.raises(SystemExit, match=rf"^Error: [^\n]*{message}[^\n]*$"):
        main(["--params", str(PARAMS), "--images", str(tmp_path / "images.parquet")])


@pytest.mark.parametrize("index", ["title", "object_id"])
def test_a_table_of_images_may_have_further_columns_and_any_index(tmp_path, index):
    table = pd.DataFrame({"title": ["x", "y"], "object_id": [2, 1], "address": ["a", "b"]})
    table.set_index(index).to_parquet(tmp_path / "images.parquet")
    assert read_addresses(tmp_path / "images.parquet") == {2: "a", 1: "b"}


def test_a_wrong_address_of_the_database_is_named_before_spark_starts(monkeypatch):
    monkeypatch.setattr(job, "start_spark", lambda *_: pytest.fail("Spark was started"))
    with pytest.raises(SystemExit, match=r"mysql://user:password@host:port/name"):
        main(["--params", str(PARAMS), "--database", "mysql://host"])
