"""A small result with a project around it: two nodes that pass on in memory, a folder, a large file, small ones."""

import json
import subprocess
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from art_pipeline.evaluation.metrics import compute_metrics
from art_pipeline.lineage.artifact_store import ArtifactStore
from art_pipeline.lineage.digest import digest_bytes, digest_file, measure
from art_pipeline.lineage.record import Artifact, Environment, Record, Source, Step
from art_pipeline.lineage.references import WorkspaceReference
from art_pipeline.lineage.verify import verify

CODE = "src/art_pipeline/pipelines/some/nodes.py"
REGISTRY = "src/art_pipeline/pipeline_registry.py"
SETTINGS = {
    "sources": [{"source": "met", "base_url": "sample://museum", "departments": [6, 11], "query": ""}],
    "download": {"public_domain_only": True},
    "tasks": {"department": {"label": "department", "kind": "multiclass", "near_duplicates": {"action": "drop"}}},
    "small": {"kind": "bow_svm", "task": "department", "C": 0.5, "folds": None, "fast": True},
    "evaluate": {"bootstrap": 10, "seed": 0},
}
PREDICTIONS = pd.DataFrame(
    {
        "object_id": range(7),
        "label": ["Prints"] * 4 + ["Arms"] * 3,
        "split": ["test"] * 5 + ["validation"] * 2,
        "origin": "held_out",
        "p:Arms": [0.1, 0.2, 0.3, 0.9, 0.8, 0.7, 0.2],
        "p:Prints": [0.9, 0.8, 0.7, 0.1, 0.2, 0.3, 0.8],
    }
)
LABEL_PREDICTIONS = PREDICTIONS.assign(
    **{"label": ["Prints"] * 4 + ["Arms|Prints", "Arms", ""], "min_labels": 0, "max_labels": 2},
    **{"t:Arms": 0.4, "t:Prints": 0.5},
)
METRICS = compute_metrics(PREDICTIONS, bootstrap=10, seed=0)
PER_CLASS = pd.DataFrame(
    {
        "class": ["Arms | Armor", "Prints"],
        "support": [4, 3],
        "predicted": [6, 1],
        "precision": [0.5, 1.0],
        "recall": [0.75, 0.25],
        "roc_auc": [0.8, float("nan")],
    }
)
DATA = {
    "data/01_raw/source_images/1.jpg": b"one",
    "data/01_raw/source_images/2.jpg": b"another",
    "data/03_primary/department/manifest.parquet": b"a table",
    "data/04_feature/words.npy": bytes(1_000_001),
    "data/06_models/small/model.json": b"{}",
    "data/07_model_output/small/predictions.parquet": PREDICTIONS.to_parquet(),
    "data/08_reporting/small/metrics.json": json.dumps(METRICS).encode(),
    "data/08_reporting/small/per class.csv": PER_CLASS.to_csv(index=False).encode(),
}


@dataclass(frozen=True)
class Result:
    """A record, and the project that it is of."""

    project: Path
    record: Record

    def open(self, artifact):
        return nullcontext(self.project / artifact.path)

    def verify(self, record=None, run=None):
        """Every check of the workspace, by name."""
        search = Future()
        search.set_result(run)
        reference = self.reference(record)
        return {check.name.partition(" (")[0]: check for check in verify(reference, search)}

    def reference(self, record=None):
        """What the checks compare a record with."""
        return WorkspaceReference(record or self.record, self.project, ArtifactStore(self.project, remote=False))


@pytest.fixture
def label_result(result) -> Result:
    """The same of a multi-label task."""
    metrics = compute_metrics(LABEL_PREDICTIONS, bootstrap=10, seed=0)
    files = {
        "data/07_model_output/small/predictions.parquet": LABEL_PREDICTIONS.to_parquet(),
        "data/08_reporting/small/metrics.json": json.dumps(metrics).encode(),
    }
    write(result.project, files)
    return Result(result.project, result.record.model_copy(update={"steps": steps(result.project)}))


@pytest.fixture
def result(tmp_path) -> Result:
    project = tmp_path / "project"
    files = {
        CODE: b"def take(): ...\n",
        REGISTRY: b"def register_pipelines(): ...\n",
        "LICENSE": b"Apache\n",
        "params.yaml": json.dumps(SETTINGS).encode(),
        "requirements.lock": b"kedro==1.7.0\n",
    }
    write(project, files)
    commit = commit_all(project)
    write(project, DATA)
    environment = Environment(
        lock=digest_bytes(files["requirements.lock"]),
        python="3.11.7",
        platform="linux-x86_64",
        cpu=("AVX",),
        packages={"kedro": "1.7.0", "numpy": "2.4.6"},
    )
    return Result(
        project,
        Record(
            version=1,
            result="small",
            museum="sample://museum",
            source=Source(commit=commit, changes=None),
            environment=environment,
            overrides={},
            steps=steps(project),
        ),
    )


@pytest.fixture
def commit():
    """To call for a commit of all that is there."""
    return commit_all


def lookup(parameters, key):
    for part in key.split("."):
        parameters = parameters[part]
    return parameters


def steps(project):
    def step(name, keys, reads, writes):
        return Step(
            stage=name.partition(".")[0],
            function=f"art_pipeline.pipelines.some.nodes.{name.rpartition('.')[2]}",
            code={CODE: digest_file(project / CODE)},
            parameters={key: lookup(SETTINGS, key) for key in keys},
            reads=reads,
            writes=writes,
        )

    images = {"images": artifact(project, "data/01_raw/source_images")}
    manifest = {"department.manifest": artifact(project, "data/03_primary/department/manifest.parquet")}
    words = {"words": artifact(project, "data/04_feature/words.npy")}
    model = {"small.model": artifact(project, "data/06_models/small")}
    predictions = {"small.predictions": artifact(project, "data/07_model_output/small/predictions.parquet")}
    figures = {
        "small.metrics": artifact(project, "data/08_reporting/small/metrics.json"),
        "small.per_class": artifact(project, "data/08_reporting/small/per class.csv"),
    }
    return {
        "take": step("take", ["sources", "download"], {}, images),
        "split": step("split", ["tasks.department"], images, {"divided": None}),
        "check": step("check", [], {"divided": None}, manifest),
        "sift": step("sift", [], {**images, **manifest}, words),
        "small.train": step("small.train", ["small"], {**words, **manifest}, model),
        "small.predict": step("small.predict", [], model, predictions),
        "small.measure": step("small.measure", ["evaluate"], predictions, figures),
    }


def artifact(project, path):
    return Artifact(path=path, **measure(project / path)._asdict())


def write(folder, files):
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def commit_all(project):
    """A commit by nobody, at noon of a day in a time zone that is not to be told."""
    date = "2026-03-04T12:00:00+09:00"
    who = {f"GIT_{role}_{what}": "nobody" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**who, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date, "HOME": str(project)}
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        subprocess.run(["git", *command], cwd=project, env={**environment, "PATH": "/usr/bin:/bin"}, check=True)
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=project, capture_output=True, check=True, text=True
    ).stdout.strip()
