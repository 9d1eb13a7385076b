"""Latency and throughput of served models, against the same models in one process.

    python benchmarks/serving.py IMAGES [MODEL …] [--workers N …] [--clients N …] [--seconds N]

``MODEL`` is the folder of a trained model. Without one, an SVM on features of a MobileNetV2 of 224 pixels with
random weights is trained on random labels of 60 of the images: times do not depend on them. Each model is logged to
a temporary MLflow store and served by ``kedro serve``'s own function. Each client sends one image per request, the
next one after the answer. ``plain`` predicts the same images one after the other without a server.
"""

import argparse
import base64
import json
import tempfile
import threading
import time
from contextlib import nullcontext
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import requests

from art_pipeline.common.concurrency import one_thread_each
from art_pipeline.common.keras_runtime import ComputeOptions, environment_of, prepare_keras
from art_pipeline.dvc.s3_server import free_ports
from art_pipeline.features.networks.mobilenet_v2 import FrozenMobileNetV2Options
from art_pipeline.features.store import FeatureStore
from art_pipeline.features.update import update_store
from art_pipeline.models.features import StoredExtractors
from art_pipeline.models.pyfunc import _load_pyfunc
from art_pipeline.models.registry import uses_keras
from art_pipeline.models.svm.feature_svm import FeatureSvmOptions, train_feature_svm
from art_pipeline.tracking.models import log_model
from art_pipeline.tracking.serving import LoggedModel, serve_model

TRAINED_ON = 60


class MeasuredError(Exception):
    """Ends the server after the measurement."""


def main() -> None:
    """Measure each model, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path, help="folder of image files")
    parser.add_argument("models", type=Path, nargs="*", help="folders of trained models")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--seconds", type=float, default=15)
    options = parser.parse_args()
    prepare_keras(ComputeOptions())
    files = sorted(options.images.iterdir())[:500]
    print("| model | workers | clients | requests a second | median, ms | 95th percentile, ms |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        folders = options.models or [train_mobilenet(files[:TRAINED_ON], Path(temporary))]
        for folder in folders:
            show(folder.name, "plain", 1, measure_plain(folder, files, options.seconds))
            for workers in options.workers:
                logged = log(folder, files[0], Path(temporary))
                for clients, times in measure_served(logged, files, workers, options).items():
                    show(folder.name, workers, clients, times)


def show(model: str, workers: object, clients: int, times: tuple[list[float], float]) -> None:
    """Print a row."""
    milliseconds, seconds = 1000 * np.array(times[0]), times[1]
    rate = f"{len(milliseconds) / seconds:.1f}"
    median, high = (f"{np.percentile(milliseconds, share):.0f}" for share in (50, 95))
    print(f"| {model} | {workers} | {clients} | {rate} | {median} | {high} |", flush=True)


def train_mobilenet(files: list[Path], temporary: Path) -> Path:
    """Train an SVM on a MobileNetV2 with random weights."""
    weights, store, folder = (temporary / name for name in ("weights", "store", "mobilenet_v2_svm"))
    for one in (weights, store, folder):
        one.mkdir()
    extractor = FrozenMobileNetV2Options(weights="random")
    extractor.fetch(weights)
    update_store(store, dict(enumerate(files)), extractor.create(weights))
    labels = [f"class {one}" for one in np.random.default_rng(0).integers(0, 6, len(files))]
    options = FeatureSvmOptions(task="any", features=["network"], svm={"C": [1.0], "folds": 2})
    features = FeatureStore(store).of(range(len(files)))
    train_feature_svm(features, labels, options, StoredExtractors({"network": store}), 400).save(folder)
    return folder


def log(folder: Path, example: Path, temporary: Path) -> LoggedModel:
    """Log a model to a temporary store."""
    address = f"sqlite:///{temporary}/mlflow.db"
    mlflow.set_tracking_uri(address)
    if mlflow.get_experiment_by_name("serving") is None:
        mlflow.create_experiment("serving", (temporary / "artifacts").as_uri())
    mlflow.set_experiment("serving")
    with mlflow.start_run():
        return LoggedModel(address, log_model(folder.name, folder, example, {}))


def measure_plain(folder: Path, files: list[Path], seconds: float) -> tuple[list[float], float]:
    """Return the times of single predictions in this process."""
    model = _load_pyfunc(str(folder))
    bodies = [file.read_bytes() for file in files]
    with nullcontext() if uses_keras(folder) else one_thread_each():
        return clock(lambda number: model.predict(pd.DataFrame({"image": [bodies[number % len(bodies)]]})), 1, seconds)


def measure_served(
    logged: LoggedModel, files: list[Path], workers: int, options: argparse.Namespace
) -> dict[int, tuple[list[float], float]]:
    """Return the times of requests by number of clients."""
    bodies = [json_body(file) for file in files]
    found = {}

    def measure(address: str) -> None:
        session = threading.local()

        def ask(number: int) -> None:
            if not hasattr(session, "it"):
                session.it = requests.Session()
            headers = {"Content-Type": "application/json"}
            body = bodies[number % len(bodies)]
            answer = session.it.post(f"{address}/invocations", data=body, headers=headers, timeout=120)
            assert answer.json()["predictions"][0]["status"] == "ok", answer.text

        for clients in options.clients:
            found[clients] = clock(ask, clients, options.seconds)
        raise MeasuredError

    (port,) = free_ports(1)
    try:
        serve_model(logged, port, workers, environment_of(ComputeOptions()), measure)
    except MeasuredError:
        return found
    raise RuntimeError("The server has ended.")


def json_body(file: Path) -> bytes:
    """Return a request with one image."""
    return json.dumps({"dataframe_records": [{"image": base64.b64encode(file.read_bytes()).decode()}]}).encode()


def clock(call, clients: int, seconds: float) -> tuple[list[float], float]:
    """Call a function in several threads for some seconds; return the time of each call, and the time of all."""
    times: list[float] = []
    start = time.perf_counter()

    def work(client: int) -> None:
        number = client
        while time.perf_counter() - start < seconds:
            began = time.perf_counter()
            call(number)
            times.append(time.perf_counter() - began)
            number += clients

    threads = [threading.Thread(target=work, args=(client,)) for client in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, time.perf_counter() - start


if __name__ == "__main__":
    main()
