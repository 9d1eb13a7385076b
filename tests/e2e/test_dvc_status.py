"""Which stages are out of date after which change: derived from ``dvc.yaml``, and for some cases asked of DVC.

The stages' outputs are invented: DVC compares digests and does not read the files.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo

ROOT = Path(__file__).parents[2]
NETWORKS = {"alexnet", "inception_v3"}
TRANSFER = {"inception_v3_transfer", "inception_v3_transfer_augmented"}
HEADS = {*TRANSFER, "tags_head"}
ON_FEATURES = {"classification_svm", "tags_svm"}
MODELS = {"bow_svm", "bow_svm_dense", *NETWORKS, *HEADS, *ON_FEATURES}
OF_DEPARTMENT = MODELS - {"classification_svm", "tags_svm", "tags_head"}
SUBSETS = {"subset_department", "subset_classification", "subset_tags"}
FROZEN = {"features_inception_v3", "features_inception_v3_augmented_department"}
FEATURES = {"features_sift", "features_colour_moments", "features_gist", *FROZEN}
ON_IMAGES = {"similar_works", "audit_department"}
ANALYSES = {"maps_alexnet", "discovery_looks", *ON_IMAGES}
ALL = {"scrape", "download", *SUBSETS, "augment_department", *FEATURES, *MODELS, *ANALYSES, "report"}

# The report shows all parameters.
PARAMETERS = {
    "sources.0.seed": {"scrape", "download", "report"},
    "download.min_side": {"download", "report"},
    "download.max_side": {"download", *MODELS, "report"},
    "tasks.department.seed": {"subset_department", *OF_DEPARTMENT, "audit_department", "report"},
    "tasks.tags.label": {"subset_tags", "tags_svm", "tags_head", "report"},
    "augment.seed": {"augment_department", "report"},
    "features.sift.sigma": {"features_sift", "bow_svm", "report"},
    "compute_features.engine": {*FEATURES - {"features_inception_v3_augmented_department"}, "report"},
    "maps.alexnet.threshold": {"maps_alexnet", "report"},
    "discovery.looks.seed": {"discovery_looks", "report"},
    "similar.works.seed": {"similar_works", "report"},
    "audit.department.seed": {"audit_department", "report"},
    "generate": {"report"},
    "search": {"report"},
    "searched": {"report"},
    "compute.threads": {"augment_department", *FROZEN, *NETWORKS, *HEADS, "maps_alexnet", "report"},
    "evaluate.seed": {*MODELS, "report"},
    "bow_svm.svm.seed": {"bow_svm", "report"},
    "bow_svm_dense.colour.words": {"bow_svm_dense", "report"},
    "alexnet.units": {"alexnet", "report"},
    "inception_v3.training.seed": {"inception_v3", "report"},
    "inception_v3_transfer.dropout": {"inception_v3_transfer", "report"},
    "inception_v3_transfer_augmented.dropout": {"inception_v3_transfer_augmented", "report"},
    "classification_svm.kernel": {"classification_svm", "report"},
    "tags_svm.svm.seed": {"tags_svm", "report"},
    "tags_head.dropout": {"tags_head", "report"},
}
CODE = {
    "errors.py": ALL,
    "common/files.py": ALL,
    "kedro_ext/datasets.py": ALL,
    "sources/http/client.py": {"scrape", "download"},
    "sources/sample/catalogue.words.toml": {"scrape", "download"},
    "images/standardize.py": ALL - {"scrape"},
    "features/sift.py": {"features_sift", "bow_svm", "report"},
    "images/near_duplicates.py": {"download", *SUBSETS, *ON_IMAGES, "report"},
    "images/augmentation.py": {"augment_department", "report"},
    "tasks/splits.py": SUBSETS,
    "tasks/groups.py": {*SUBSETS, "bow_svm", "bow_svm_dense", *ON_FEATURES, *ON_IMAGES, "report"},
    "models/svm/encoding.py": {"bow_svm_dense", "report"},
    "models/svm/options.py": {"bow_svm", "bow_svm_dense", *ON_FEATURES, "report"},
    "models/training/loop.py": {*NETWORKS, *HEADS, "maps_alexnet", "report"},
    "models/networks/alexnet.py": {"alexnet", "report"},
    "models/networks/inception_v3.py": {"inception_v3", "report"},
    "models/networks/mobilenet_v2.py": set(),
    "evaluation/metrics.py": MODELS,
    "evaluation/report/page.html.j2": {"report"},
    "models/training/fingerprint.py": {"bow_svm", "bow_svm_dense", *NETWORKS, *HEADS, "maps_alexnet", "report"},
    "discovery/clustering.py": {"discovery_looks", "report"},
    "discovery/nearest.py": {"discovery_looks", *ON_IMAGES, "report"},
    "discovery/audit/analysis.py": {"audit_department", "report"},
    "explain/maps.py": {"maps_alexnet", "report"},
    "generate/run.py": {"report"},
    "detection/detect.py": set(),
    "lineage/digest.py": set(),
    "pipelines/subset/nodes.py": SUBSETS,
    "models/svm/bow_svm_steps.py": {"bow_svm", "report"},
    "models/family.py": {*MODELS, *ANALYSES, "report"},
    "hooks/parameters.py": set(),
    "tracking/runs.py": set(),
    "distributed/options.py": {*FEATURES, "report"},
    "web/urls.py": set(),
    "cli/__init__.py": set(),
    "dvc/stages.py": set(),
}
OTHERS = {
    "requirements.lock": ALL,
    "conf/base/catalog/04_feature.yml": FEATURES,
    "conf/met/parameters.yml": set(),
    "README.md": set(),
}


@pytest.fixture(scope="module")
def project(project_at, tmp_path_factory):
    """What is here, with outputs that are made up and committed to DVC."""
    project = project_at(tmp_path_factory.mktemp("stages") / "project")
    here = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in here.splitlines():
        if (ROOT / name).is_file() and name != "dvc.lock":
            (project.path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, project.path / name)
    project.git("init", "--quiet")
    for path in map(project.path.joinpath, outputs(project)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(path.relative_to(project.path)))
    project.do("dvc", "commit", "--force", "--quiet")
    assert project.status() == {}
    return project


def outputs(project):
    for stage in yaml.safe_load((project.path / "dvc.yaml").read_text())["stages"].values():
        for output in (*stage["outs"], *stage.get("metrics", ())):
            yield output if isinstance(output, str) else next(iter(output))


def stages_after(project, name, change):
    """Those that DVC names when a file is changed for a moment."""
    file = project.path / name
    before, times = file.read_bytes(), file.stat()
    file.write_bytes(change(before))
    try:
        with Repo(str(project.path)) as repo:
            return {stage.rpartition(":")[2] for stage in repo.status()}
    finally:
        file.write_bytes(before)
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def with_a_line(content):
    return content + b"\n#\n"


@pytest.fixture(scope="module")
def stages():
    return yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]


def is_within(name, whole, separator):
    return name == whole or name.startswith(whole + separator)


def parameters_of(stage):
    """Yield the groups of params.yaml that a stage depends on."""
    for one in stage.get("params", ()):
        yield from [one] if isinstance(one, str) else one.get("params.yaml", ())


def changed_by_parameter(stages, key):
    return {name for name, stage in stages.items() if any(is_within(key, one, ".") for one in parameters_of(stage))}


def changed_by_file(stages, file):
    return {name for name, stage in stages.items() if any(is_within(file, one, "/") for one in stage["deps"])}


@pytest.mark.parametrize(("key", "expected"), PARAMETERS.items())
def test_after_a_change_of_a_parameter(stages, key, expected):
    assert changed_by_parameter(stages, key) == expected


@pytest.mark.parametrize(("file", "expected"), CODE.items())
def test_after_a_change_of_code(stages, file, expected):
    assert changed_by_file(stages, f"src/art_pipeline/{file}") == expected


@pytest.mark.parametrize(("file", "expected"), OTHERS.items())
def test_after_another_change(stages, file, expected):
    assert changed_by_file(stages, file) == expected


@pytest.mark.parametrize("key", ["augment.seed", "alexnet.units"])
def test_dvc_agrees_about_a_parameter(project, stages, key):
    def change(content):
        parameters = yaml.safe_load(content)
        block, _, last = key.rpartition(".")
        parameters[block][last] += 1
        return yaml.safe_dump(parameters, sort_keys=False).encode()

    assert stages_after(project, "params.yaml", change) == changed_by_parameter(stages, key) != set()


# A file of its own, one in a folder that a stage depends on, and one that no stage depends on.
@pytest.mark.parametrize(
    "file", ["requirements.lock", "src/art_pipeline/pipelines/subset/nodes.py", "conf/met/parameters.yml"]
)
def test_dvc_agrees_about_a_file(project, stages, file):
    assert stages_after(project, file, with_a_line) == changed_by_file(stages, file)


def test_every_group_of_parameters_and_every_room_of_the_code_is_tried():
    groups = yaml.safe_load((ROOT / "params.yaml").read_text())
    assert {key.partition(".")[0] for key in PARAMETERS} == groups.keys()
    package = ROOT / "src" / "art_pipeline"
    rooms = {file.parent.name for file in package.glob("*/__init__.py")}
    assert {file.partition("/")[0] for file in CODE if "/" in file} == rooms
