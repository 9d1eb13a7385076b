"""A head on a frozen base: features computed once against plain Keras with the base in the loop, in one run.

    python benchmarks/transfer.py MODEL [--project FOLDER] [--rounds N] [--epochs N]

MODEL is a head of the project on the features of one network, which has been trained once, so that its
weights are there. Both read the same images, start from the same weights, and train the head for the
same number of epochs, each in its own process, alternating. The pipeline's time includes Kedro, MLflow,
the extraction of features and the stored model.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from comparison import score_peer, score_pipeline, show, timed

HERE = Path(__file__).parent


def main() -> None:
    """Run both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="name of its block in params.yaml")
    parser.add_argument("--project", type=Path, default=HERE.parent, help="project whose data is used")
    parser.add_argument("--rounds", type=int, default=1, help="times that each side runs")
    parser.add_argument("--epochs", type=int, default=20, help="epochs that each side trains")
    options = parser.parse_args()
    project, model = options.project.resolve(), options.model
    with tempfile.TemporaryDirectory() as folder:
        peer_file = Path(folder) / "predictions.csv"
        times = {"pipeline": [], "plain script": []}
        for _ in range(options.rounds):
            times["plain script"].append(timed(peer_command(project, model, options.epochs, peer_file), project))
            features = json.loads((project / "data" / "06_models" / model / "model.json").read_text())["options"][
                "features"
            ]
            shutil.rmtree(project / "data" / "04_feature" / features[0])  # so that they are extracted
            times["pipeline"].append(timed(pipeline_command(model, features[0], options.epochs), project))
        predictions = project / "data" / "07_model_output" / model / "predictions.parquet"
        scores = {"pipeline": score_pipeline(predictions), "plain script": score_peer(peer_file)}
    show(times, scores)


def settings_of(project: Path, model: str) -> dict:
    """The options of a trained model."""
    return json.loads((project / "data" / "06_models" / model / "model.json").read_text())["options"]


def peer_command(project: Path, model: str, epochs: int, predictions: Path) -> list[str]:
    """The plain script on the project's images, split and weights, with the model's settings."""
    data = project / "data"
    settings = settings_of(project, model)
    settings["training"]["epochs"] = epochs
    extractor = data / "06_models" / model / "features" / settings["features"][0]
    config = json.loads((extractor / "extractor.json").read_text())
    settings |= {"kind": config["extractor"], "image_size": config["options"]["image_size"]}
    places = [
        data / "02_intermediate" / "images",
        data / "03_primary" / "department" / "manifest.parquet",
        extractor / "weights" / "base.weights.h5",
        predictions,
    ]
    return [sys.executable, str(HERE / "peers" / "transfer.py"), json.dumps(settings), *map(str, places)]


def pipeline_command(model: str, features: str, epochs: int) -> list[str]:
    """The same work by the pipeline, and no figures."""
    wanted = ["--pipelines", f"features_{features},{model}", "--to-outputs", f"{model}.predictions"]
    length = f"{model}.training.epochs={epochs},{model}.training.patience={epochs}"
    return [sys.executable, "-m", "kedro", "run", *wanted, "--params", length]


if __name__ == "__main__":
    main()
