"""Images to predictions: the pipeline against a plain OpenCV and scikit-learn script, in one run.

    python benchmarks/bow_svm.py [--project FOLDER] [--rounds N]

The project needs its ``images`` and ``manifest`` (``kedro run --to-outputs manifest``). Both
read the same images and train on the same split (train and validation), each in its own process,
alternating. The pipeline's time includes Kedro, MLflow and the stored descriptors and model.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from comparison import score_peer, score_pipeline, show, timed

HERE = Path(__file__).parent
OUTPUT = "data/07_model_output/bow_svm/predictions.parquet"


def main() -> None:
    """Run both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, default=HERE.parent, help="project whose data is used")
    parser.add_argument("--rounds", type=int, default=1, help="times that each side runs")
    options = parser.parse_args()
    project = options.project.resolve()
    with tempfile.TemporaryDirectory() as folder:
        peer_file = Path(folder) / "predictions.csv"
        times = {"pipeline": [], "plain script": []}
        for _ in range(options.rounds):
            times["plain script"].append(timed(peer_command(project, peer_file), project))
            times["pipeline"].append(timed(pipeline_command(), project))
        scores = {"pipeline": score_pipeline(project / OUTPUT), "plain script": score_peer(peer_file)}
    show(times, scores)


def peer_command(project: Path, predictions: Path) -> list[str]:
    """The plain script on the project's images and split."""
    data = project / "data"
    script, images = HERE / "peers" / "bow_svm.py", data / "02_intermediate" / "images"
    return [
        sys.executable,
        str(script),
        str(images),
        str(data / "03_primary" / "department" / "manifest.parquet"),
        str(predictions),
    ]


def pipeline_command() -> list[str]:
    """The same work by the pipeline, and no figures."""
    wanted = ["--pipelines", "features_sift,bow_svm", "--to-outputs", "bow_svm.predictions"]
    return [sys.executable, "-m", "kedro", "run", *wanted]


if __name__ == "__main__":
    main()
