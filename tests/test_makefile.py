"""The targets of the Makefile."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
KEPT_BY_ALL = [
    "data/00_external/mine/05_mine.jpg",
    "data/00_external/02_mine.jpg",
    "data/met/00_external/04_mine.jpg",
    "data/02_intermediate/.gitkeep",
    "data/08_reporting/museum_changes/0001.json",
    "data/met/08_reporting/museum_changes/0001.json",
    "data/08_reporting/bow_svm/lineage/signature.json",
    "mlruns/.gitkeep",
]
ASKED_FOR = [
    "data/01_raw/source_images/here/02_image.jpg",
    "data/met/01_raw/records/there/objects.jsonl",
    "mlruns/mlflow.db",
]
SET_UP_FROM = [
    "Makefile",
    "pyproject.toml",
    "requirements.lock",
    "requirements-headless.lock",
    "tests/services/crate_validator.lock",
    "tests/services/iiif_validator.lock",
]
MADE = [
    "data/02_intermediate/objects.parquet",
    "data/02_intermediate/images/7.jpg",
    "data/met/08_reporting/report.html",
    "data/08_reporting/bow_svm/lineage/lineage.json",
]


@pytest.fixture
def project(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in KEPT_BY_ALL + ASKED_FOR + MADE:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    return tmp_path


def files_after(target, project):
    subprocess.run(["make", target], cwd=project, check=True, capture_output=True)
    return sorted(str(file.relative_to(project)) for top in ("data", "mlruns") for file in files_of(project / top))


def files_of(folder):
    return [file for file in folder.rglob("*") if file.is_file()]


def test_clean_keeps_what_was_asked_for(project):
    assert files_after("clean", project) == sorted(KEPT_BY_ALL + ASKED_FOR)
    assert not (project / "data/02_intermediate/images").exists()


def test_reset_keeps_what_no_run_makes(project):
    assert files_after("reset", project) == sorted(KEPT_BY_ALL)


@pytest.mark.parametrize("target", ["clean", "reset"])
def test_there_may_be_nothing(target, tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    assert files_after(target, tmp_path) == []


def commands_of(target):
    """Return the commands of a target, without set-up."""
    said = subprocess.run(
        ["make", "--dry-run", "--old-file=.venv/ready", target], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return said.stdout


def test_the_quick_run_is_of_stages_that_there_are_and_ends_with_the_report():
    stages = re.search(r"kedro run --env quick --pipelines (\S+)", commands_of("quick"))[1].split(",")
    assert set(stages) <= yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].keys()
    assert stages[-1] == "report"


@pytest.mark.parametrize(
    "target", ["quick", "run", "repro", "test", "test-slow", "test-services", "lint", "docs", "ui", "viz", "s3"]
)
def test_every_target_sets_up_first_and_prints_its_steps(target, bare_project):
    whole = subprocess.run(["make", "--dry-run", target], cwd=bare_project, check=True, capture_output=True, text=True)
    assert re.findall(r"echo \"(\d)/4 ", whole.stdout) == ["1", "2", "3", "4"]


@pytest.fixture
def bare_project(tmp_path):
    """The files that set-up reads, and no .venv."""
    for name in SET_UP_FROM:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_packages_are_installed_again_only_where_a_lock_changed(bare_project):
    def steps():
        said = subprocess.run(["make", "-n", "setup"], cwd=bare_project, check=True, capture_output=True, text=True)
        return re.findall(r"echo \"(\d)/4 ", said.stdout)

    (bare_project / ".venv").mkdir()
    locks = ("requirements.lock", "requirements-headless.lock")
    sums = subprocess.run(["cksum", *locks], cwd=bare_project, check=True, capture_output=True, text=True).stdout
    (bare_project / ".venv/packages").write_text(sums.rstrip("\n"))
    os.utime(bare_project / ".venv/packages", (0, 0))
    assert steps() == ["4"]
    (bare_project / "requirements.lock").write_text("changed==1\n")
    assert steps() == ["1", "2", "3", "4"]


PYTHON = """#!/bin/bash
[[ "$*" == "-c import cv2" ]] && exec test -e "$0.cv2"
"""
UV = """#!/bin/bash
echo "$*" >> "$0.log"
touch "$(dirname "$0")/python.cv2"
"""


@pytest.fixture
def fake_venv(tmp_path):
    """A Makefile with a fake uv, and a fake Python that imports OpenCV once uv has installed something."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    packages = tmp_path / ".venv/lib/python3.11/site-packages"
    for name in ("cv2", "opencv_python.libs", "opencv_python-1.dist-info"):
        (packages / name).mkdir(parents=True)
    (tmp_path / ".venv/bin").mkdir()
    for name, script in {"python": PYTHON, "uv": UV}.items():
        (tmp_path / ".venv/bin" / name).write_text(script)
        (tmp_path / ".venv/bin" / name).chmod(0o755)
    return tmp_path / ".venv"


def test_opencv_stays_where_it_can_be_imported(fake_venv):
    (fake_venv / "bin/python.cv2").touch()
    subprocess.run(["make", "opencv"], cwd=fake_venv.parent, check=True)
    assert not (fake_venv / "bin/uv.log").exists()


def test_the_headless_build_replaces_an_opencv_that_finds_no_system_library(fake_venv):
    subprocess.run(["make", "opencv"], cwd=fake_venv.parent, check=True, capture_output=True)
    said = (fake_venv / "bin/uv.log").read_text()
    assert "--require-hashes" in said and "-r requirements-headless.lock" in said
    left = [path.name for path in (fake_venv / "lib/python3.11/site-packages").iterdir()]
    assert left == ["opencv_python-1.dist-info"]  # records name the pinned package


def test_an_opencv_that_still_fails_ends_make(fake_venv):
    (fake_venv / "bin/uv").write_text("#!/bin/bash\n")
    assert subprocess.run(["make", "opencv"], cwd=fake_venv.parent, check=False, capture_output=True).returncode


def test_the_headless_build_is_pinned_at_the_same_version():
    pinned = re.search(r"^opencv-python==(\S+)", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE)[1]
    headless = (ROOT / "requirements-headless.lock").read_text()
    assert headless.startswith(f"opencv-python-headless=={pinned} \\\n")
    assert "--hash=sha256:" in headless and "==" not in headless.partition("\n")[2]
