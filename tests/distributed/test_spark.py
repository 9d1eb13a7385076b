"""Spark, S3 and MariaDB; make test-services installs them."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import psutil
import pytest

from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.distributed import features as distributed
from art_pipeline.distributed import job, reading
from art_pipeline.distributed.database import STAGING, Database, open_table
from art_pipeline.distributed.job import extract_to_database
from art_pipeline.distributed.options import FeatureEngineOptions, SparkOptions, on_engine
from art_pipeline.distributed.predict import predict_folder_on_spark
from art_pipeline.dvc.s3_server import BUCKET, free_ports
from art_pipeline.errors import DistributedError
from art_pipeline.evaluation.costs import Costs
from art_pipeline.features.colour_moments import ColourMomentsOptions
from art_pipeline.features.gist import GistOptions
from art_pipeline.features.image_metadata import ImageMetadataOptions
from art_pipeline.features.networks.mobilenet_v2 import FrozenMobileNetV2Options
from art_pipeline.features.sift import SiftOptions
from art_pipeline.features.store import FeatureStore
from art_pipeline.features.update import update_store
from art_pipeline.models.decided import CostlyClassifier
from art_pipeline.models.predict import predict_folder
from art_pipeline.models.registry import load_classifier

pytestmark = pytest.mark.services

ROOT = Path(__file__).parents[2]
JOB = ROOT / "src/art_pipeline/distributed/job.py"
EXTRACTORS = {
    "sift": SiftOptions(),
    "colours": ColourMomentsOptions(),
    "gist": GistOptions(),
    "metadata": ImageMetadataOptions(),
    "net": FrozenMobileNetV2Options(image_size=32, weights="random"),
}
KERAS = ComputeOptions()
WAIT = 600  # seconds; a busy computer takes minutes to start a cluster
MILLION = 1_000_000


def spark_engine(**options):
    return FeatureEngineOptions(engine="spark", spark=options)


def store(folder, images, options, engine=None, weights=None):
    """Make a feature store."""
    folder.mkdir(parents=True)
    extractor = options.create(weights, KERAS if options.IS_NETWORK else None)
    update_store(folder, images, on_engine(extractor, options, engine or FeatureEngineOptions(), KERAS))
    return folder


def assert_same(one, other):
    files = [file.relative_to(one) for file in one.rglob("*") if file.is_file()]
    assert len(files) >= 3
    assert {str(file) for file in files if (one / file).read_bytes() != (other / file).read_bytes()} == set()


@pytest.fixture
def chunks_of_ten(monkeypatch):
    monkeypatch.setattr(distributed, "CHUNK", 10)
    monkeypatch.setattr(job, "CHUNK", 10)
    monkeypatch.setattr(job, "PARTITION", 1)


@pytest.mark.usefixtures("spark", "chunks_of_ten")
@pytest.mark.parametrize("name", EXTRACTORS)
def test_a_store_is_that_of_the_local_engine(images, tmp_path, name):
    options, weights = EXTRACTORS[name], None
    if options.IS_NETWORK:
        weights = tmp_path / "weights"
        weights.mkdir()
        options.fetch(weights, KERAS)
    local = store(tmp_path / "local", images, options, weights=weights)
    assert_same(local, store(tmp_path / "spark", images, options, spark_engine(), weights))


@pytest.mark.usefixtures("spark")
def test_images_come_from_s3_although_each_tenth_request_fails(images, tmp_path, bucket, s3):
    s3.requests = s3.failed = 0
    options = EXTRACTORS["sift"]
    found = store(tmp_path / "spark", images, options, spark_engine(images=bucket))
    assert_same(store(tmp_path / "local", images, options), found)
    different = len({file.read_bytes() for file in images.values() if file.exists()})
    assert s3.failed > 0
    assert s3.requests - s3.failed == different  # once for each image


@contextmanager
def refused(**environment):
    """With another environment, in which S3 is used from this process."""
    reading._client.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield
    reading._client.cache_clear()


def test_wrong_credentials_a_missing_bucket_and_a_silent_server_are_named(s3):
    with refused(AWS_SECRET_ACCESS_KEY="wrong"), pytest.raises(DistributedError, match="S3 refuses the credentials"):
        reading.read_image(f"s3://{BUCKET}/key")
    with refused(AWS_ENDPOINT_URL=s3.target):
        with pytest.raises(DistributedError, match=r"There is no bucket 'nowhere'|S3 refuses the credentials"):
            reading.read_image("s3://nowhere/key")
        assert reading.read_image(f"s3://{BUCKET}/key").status == "missing"
    with pytest.MonkeyPatch.context() as patch, refused(AWS_ENDPOINT_URL="http://127.0.0.1:9"):
        patch.setattr(reading, "ATTEMPTS", 2)
        with pytest.raises(DistributedError, match=r"http://127.0.0.1:9 does not answer"):
            reading.read_image(f"s3://{BUCKET}/key")


class Gate:
    """An image file whose reader waits until the test writes it."""

    def __init__(self, path, body):
        self.path, self.body = path, body
        path.unlink(missing_ok=True)
        os.mkfifo(path)

    def wait(self):
        """Return a handle when a process has opened the file."""
        for _ in range(WAIT * 100):
            try:
                return os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                time.sleep(0.01)
        raise TimeoutError("no task has opened the file")

    def open(self, handle):
        """Let the reader go on, and others find a plain file."""
        os.set_blocking(handle, True)
        temporary = self.path.with_suffix(".part")
        temporary.write_bytes(self.body)
        temporary.replace(self.path)
        with suppress(BrokenPipeError):  # of a reader that was killed too
            os.write(handle, self.body)
        os.close(handle)


@pytest.fixture
def gated(images, tmp_path):
    """Copies of the images, of which the 25th waits."""
    folder = tmp_path / "gated"
    shutil.copytree(images[0].parent, folder)
    copies = {number: folder / file.name for number, file in images.items()}
    return copies, Gate(copies[25], images[25].read_bytes())


@contextmanager
def meanwhile(function):
    """Run a function in a thread during the block."""
    errors = []

    def work():
        try:
            function()
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    thread.join(WAIT)
    assert not errors and not thread.is_alive()


def is_worker(process):
    """Return whether a process computes tasks: pyspark's daemon starts it as a copy of itself."""
    try:
        return all("pyspark.daemon" in " ".join(one.cmdline()) for one in (process, process.parent()))
    except psutil.Error:  # it has ended
        return False


def kill_workers():
    workers = [one for one in psutil.Process().children(recursive=True) if is_worker(one)]
    assert workers
    for one in workers:
        one.kill()


@pytest.mark.usefixtures("spark")
def test_a_killed_worker_leaves_no_gap(images, gated, tmp_path):
    copies, gate = gated

    def kill_then_open():
        handle = gate.wait()
        kill_workers()
        os.close(handle)
        gate.open(gate.wait())

    with meanwhile(kill_then_open):
        work = distributed.Work.of({"features": EXTRACTORS["colours"]}, 600)
        session = distributed.start_spark("local[2]")
        table = distributed.compute_features(session, work, {one: str(file) for one, file in copies.items()})
    local = FeatureStore(store(tmp_path / "local", images, EXTRACTORS["colours"]))
    assert table.column("status").to_pylist() == local.index["status"].tolist()
    rows = [values for _, values in distributed.rows_of(table, "features", 9, np.dtype(np.float32))]
    np.testing.assert_array_equal(np.concatenate(rows), local.values)


@pytest.mark.usefixtures("spark")
def test_an_image_that_hangs_costs_no_other(images, gated):
    copies, _ = gated
    work = distributed.Work.of({"features": EXTRACTORS["colours"]}, 2)
    session = distributed.start_spark("local[2]")
    hung, plain = (
        distributed.compute_features(session, work, {one: str(file) for one, file in files.items()}).to_pandas()
        for files in (copies, images)
    )
    assert hung["status"][25] == "timed_out"
    pd.testing.assert_frame_equal(hung.drop(25), plain.drop(25))


TABLES = """
CREATE DATABASE {name} CHARACTER SET utf8mb4;
CREATE TABLE {name}.catalogue_image (id BIGINT AUTO_INCREMENT PRIMARY KEY, digest VARCHAR(64) NOT NULL UNIQUE);
CREATE TABLE {name}.catalogue_feature (
    id BIGINT AUTO_INCREMENT PRIMARY KEY, image_id BIGINT NOT NULL, kind VARCHAR(64) NOT NULL,
    version INT UNSIGNED NOT NULL, dtype VARCHAR(8) NOT NULL, `rows` INT UNSIGNED NOT NULL,
    length INT UNSIGNED NOT NULL, data LONGBLOB NOT NULL, UNIQUE (image_id, kind),
    FOREIGN KEY (image_id) REFERENCES {name}.catalogue_image (id) ON DELETE CASCADE)
"""
BLOCKS = {"sift": SiftOptions(), "colours": ColourMomentsOptions()}


@pytest.fixture
def catalogue(mariadb, images, tmp_path, request):
    """A function that creates a database of the web page with all images, and returns its address."""
    media, name = tmp_path / "media", f"test_{abs(hash(request.node.name))}"
    mariadb.run(*TABLES.format(name=name).split(";"))
    for number, file in images.items():
        digest = f"{number:064x}"
        target = media / job.ARTWORK_KEY.format(start=digest[:2], digest=digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            shutil.copy(file, target)
        mariadb.run(f"INSERT INTO {name}.catalogue_image (id, digest) VALUES ({number + 1}, '{digest}')")
    yield f"mysql://art:secret@127.0.0.1:{mariadb.port}/{name}", str(media), name
    mariadb.run(f"DROP DATABASE {name}")


def in_database(mariadb, name):
    fields = "image_id, kind, version, dtype, `rows`, length, data"
    return mariadb.run(f"SELECT {fields} FROM {name}.catalogue_feature ORDER BY image_id, kind")


def expected(images):
    """Return the rows of the local engine."""
    files, rows = [*images.values()], []
    for name, options in sorted(BLOCKS.items()):
        extractor = options.create()
        for number, (status, values) in enumerate(extractor.extract(files)):
            if status == "ok":
                facts = (np.dtype(extractor.dtype).name, len(values), extractor.length)
                rows.append((number + 1, name, options.VERSION, *facts, values.astype(extractor.dtype).tobytes()))
    return sorted(rows)


@pytest.mark.usefixtures("chunks_of_ten")
def test_the_database_gets_what_it_lacks_and_nothing_twice(spark, mariadb, catalogue, images):
    address, media, name = catalogue
    arguments = spark, Database.of(address), BLOCKS, media, 60
    receipt = extract_to_database(*arguments)
    assert in_database(mariadb, name) == expected(images)
    usable = len(expected(images)) // len(BLOCKS)
    assert receipt["images"] == {"ok": usable, "undecodable": 2, "missing": 1}
    assert {kind: one["rows"] for kind, one in receipt["kinds"].items()} == dict.fromkeys(BLOCKS, usable)
    again = extract_to_database(*arguments)  # only what has no features is tried again
    assert again["images"] == {"undecodable": 2, "missing": 1}
    assert again["kinds"] == receipt["kinds"]
    mariadb.run(f"UPDATE {name}.catalogue_feature SET version = 99 WHERE kind = 'sift' AND image_id < 5")
    mariadb.run(f"DELETE FROM {name}.catalogue_image WHERE id = 40")
    changed = extract_to_database(*arguments)
    assert changed["images"]["ok"] == 4
    assert in_database(mariadb, name) == [row for row in expected(images) if row[0] != 40]
    assert changed["kinds"]["sift"]["checksum"] != receipt["kinds"]["sift"]["checksum"]


def test_jobs_of_two_databases_of_a_server_do_not_wait_for_each_other(mariadb):
    names = ["test_one", "other" * 12]
    mariadb.run(*(statement for name in names for statement in TABLES.format(name=name).split(";")))
    one, other = (Database.of(f"mysql://art:secret@127.0.0.1:{mariadb.port}/{name}") for name in names)
    with open_table(one), open_table(other), pytest.raises(DistributedError, match="Another job"), open_table(other):
        pytest.fail("two jobs have one table")
    mariadb.run(*(f"DROP DATABASE {name}" for name in names))


def test_of_a_million_images_none_is_new(mariadb):
    name = "test_million"
    numbers = f"SELECT seq, LPAD(seq, 64, '0') FROM {name}.seq_1_to_{MILLION}"
    features = "(image_id, kind, version, dtype, `rows`, length, data) SELECT id, 'colours', 1, 'float32', 1, 9"
    mariadb.run(
        *TABLES.format(name=name).split(";"),
        f"INSERT INTO {name}.catalogue_image {numbers}",
        f"INSERT INTO {name}.catalogue_feature {features}, REPEAT('x', 36) FROM {name}.catalogue_image",
    )
    without_jobs = SimpleNamespace(sparkContext=SimpleNamespace(defaultParallelism=2))
    database = Database.of(f"mysql://art:secret@127.0.0.1:{mariadb.port}/{name}")
    receipt = extract_to_database(without_jobs, database, {"colours": BLOCKS["colours"]}, "media", 60)
    assert (receipt["images"], receipt["kinds"]["colours"]["rows"]) == ({}, MILLION)
    mariadb.run(f"DROP DATABASE {name}")


@pytest.mark.usefixtures("chunks_of_ten")
def test_a_database_that_is_killed_during_a_write_has_all_after_the_next_run(spark, mariadb, catalogue, images):
    address, media, name = catalogue
    digest = f"{25:064x}"
    gate = Gate(Path(media) / job.ARTWORK_KEY.format(start=digest[:2], digest=digest), images[25].read_bytes())

    def kill_then_open():
        handle = gate.wait()
        while not mariadb.run(f"SELECT 1 FROM {name}.{STAGING} LIMIT 1"):
            time.sleep(0.01)
        mariadb.kill()  # some rows of the chunk are written, and others are not
        gate.open(handle)

    arguments = spark, Database.of(address), BLOCKS, media, 600
    try:
        with meanwhile(kill_then_open), pytest.raises(DistributedError, match="cannot"):
            extract_to_database(*arguments)
    finally:
        mariadb.kill()
        mariadb.start()
    before = in_database(mariadb, name)
    assert 0 < len(before) < len(expected(images))
    extract_to_database(*arguments)
    assert in_database(mariadb, name) == expected(images)


def test_a_deleted_image_is_left_out_and_a_table_of_another_version_refused(spark, mariadb, catalogue, images):
    address, media, name = catalogue
    digest = f"{25:064x}"
    gate = Gate(Path(media) / job.ARTWORK_KEY.format(start=digest[:2], digest=digest), images[25].read_bytes())

    def delete_then_open():
        handle = gate.wait()
        mariadb.run(f"DELETE FROM {name}.catalogue_image WHERE id = 1")
        gate.open(handle)

    arguments = spark, Database.of(address), BLOCKS, media, 600
    with meanwhile(delete_then_open):
        extract_to_database(*arguments)
    assert in_database(mariadb, name) == [row for row in expected(images) if row[0] != 1]
    mariadb.run(f"ALTER TABLE {name}.catalogue_feature DROP COLUMN dtype")
    with pytest.raises(DistributedError, match=r"catalogue_feature .* has no column 'dtype'"):
        extract_to_database(*arguments)
    with pytest.raises(DistributedError, match="Access denied for user 'art'"):
        extract_to_database(spark, Database.of(address.replace("secret", "wrong")), BLOCKS, media, 60)


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("decides", [False, True])
def test_predictions_are_those_of_one_process(images, tmp_path, save_svm, decides):
    model = save_svm(tmp_path / "model", ["blue", "green", "red"] * 6)
    folder = images[0].parent
    plain = predict_folder(load_classifier(tmp_path / "model"), folder)["label"]
    if decides:  # whatever is red and not predicted costs most
        values = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [99.0, 99.0, 0.0]])
        shutil.rmtree(tmp_path / "model")
        (tmp_path / "model").mkdir()
        CostlyClassifier(model, Costs(model.classes, values)).save(tmp_path / "model")
    local = predict_folder(load_classifier(tmp_path / "model"), folder)
    found = predict_folder_on_spark(tmp_path / "model", folder, SparkOptions(), KERAS)
    pd.testing.assert_frame_equal(found, local)
    assert found["label"].equals(plain) != decides
    assert ("expected_cost" in found) == decides


def run_job(program, *arguments):
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable, "PYTHONPATH": os.pathsep.join(sys.path)}
    environment["SPARK_LOCAL_IP"] = "127.0.0.1"
    command = [*program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=ROOT)


def test_spark_submit_fills_the_stores_of_several_features(images, tmp_path):
    import pyspark

    table = pd.DataFrame({"object_id": [*images], "address": [str(file) for file in images.values()]})
    table.sample(frac=1, random_state=0).to_parquet(tmp_path / "images.parquet")
    submit = [str(Path(pyspark.__file__).parent / "bin" / "spark-submit"), "--master", "local[2]"]
    output = ["--output", tmp_path / "out", "--features", "sift", "colour_moments"]
    result = run_job([*submit, str(JOB)], "--images", tmp_path / "images.parquet", *output)
    assert result.returncode == 0, result.stderr[-3000:]
    for name, options in {"sift": SiftOptions(), "colour_moments": ColourMomentsOptions()}.items():
        assert_same(store(tmp_path / f"local-{name}", images, options), tmp_path / "out" / name)
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["colour_moments", "sift"]


def test_a_wrong_master_is_one_line(images, tmp_path):
    pd.DataFrame({"object_id": [0], "address": [str(images[0])]}).to_parquet(tmp_path / "images.parquet")
    module = [sys.executable, "-m", "art_pipeline.distributed.job"]
    result = run_job(module, "--master", "nonsense", "--images", tmp_path / "images.parquet")
    assert result.returncode == 1
    assert (
        "Error: Spark cannot use nonsense: Java stopped; its message is above. If it is about the master"
        in result.stderr
    )
    assert "Traceback" not in result.stderr


@pytest.fixture
def cluster(tmp_path):
    """The address of a cluster of two executors on this machine, and its processes."""
    import pyspark

    spark_class = [str(Path(pyspark.__file__).parent / "bin" / "spark-class")]
    host, (port, page) = "127.0.0.1", free_ports(2)
    address, environment = f"spark://{host}:{port}", {**os.environ, "SPARK_LOCAL_IP": host}
    deploy = "org.apache.spark.deploy"
    commands = [
        [f"{deploy}.master.Master", "--host", host, "--port", str(port), "--webui-port", str(page)],
        [f"{deploy}.worker.Worker", "--cores", "2", "--memory", "2g", "--webui-port", "0", "--work-dir", tmp_path],
    ]
    processes = []
    for command in commands:
        last = [address] if processes else []
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        processes.append(subprocess.Popen([*spark_class, *map(str, command), *last], env=environment, **quiet))
        wait_for(lambda: answers(host, port))
    yield address, processes
    for one in processes[::-1]:
        one.terminate()
        one.wait()


def wait_for(condition):
    for _ in range(WAIT * 10):
        if condition():
            return
        time.sleep(0.1)
    raise TimeoutError


def answers(host, port):
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def executors(processes):
    children = [one for process in processes for one in psutil.Process(process.pid).children(recursive=True)]
    return [one for one in children if one.name() == "java" and "Executor" in " ".join(one.cmdline())]


def test_a_killed_executor_of_a_cluster_leaves_no_gap(images, gated, tmp_path, cluster):
    copies, gate = gated
    address, processes = cluster
    killed = []

    def kill_then_open():
        handle = gate.wait()
        killed.extend(executors(processes))
        for one in killed:
            one.kill()
        os.close(handle)
        gate.open(gate.wait())

    table = pd.DataFrame({"object_id": [*copies], "address": [str(file) for file in copies.values()]})
    table.to_parquet(tmp_path / "images.parquet")
    submit = [str(Path(sys.executable).with_name("spark-submit")), "--master", address]
    submit += ["--conf", "spark.executor.cores=1", "--conf", "spark.executor.memory=512m"]
    arguments = ["--images", tmp_path / "images.parquet", "--output", tmp_path / "out", "--timeout", "900"]
    with meanwhile(kill_then_open):
        result = run_job([*submit, str(JOB)], *arguments, "--features", "colour_moments")
    assert result.returncode == 0, result.stderr[-3000:]
    assert len(killed) == 2
    assert_same(store(tmp_path / "local", images, ColourMomentsOptions()), tmp_path / "out" / "colour_moments")
