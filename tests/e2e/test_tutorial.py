"""The tutorial's commands print what it shows. ``UPDATE_TUTORIAL=1`` writes what they print into the page."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorial.md"
# A command, and its output: all of it, or its last lines.
STEP = re.compile(
    r"```(?P<language>bash|python)\n(?P<code>.*?)```\n\n"
    r"(?:<!-- last (?P<last>\d+) lines -->\n)?```text\n(?P<shown>.*?)```",
    re.DOTALL,
)
# Differs between runs: times, MLflow's ids, seconds.
VOLATILE = re.compile(r"\d\d:\d\d:\d\d|\bm-[0-9a-f]{32}| *\d+\.\d+(?=  m-)")
# Differs a little between processors, whose last digits are not the same.
FRACTION = re.compile(r"\d+\.\d{2,}")

pytestmark = pytest.mark.services


@pytest.fixture
def project(project_at, tmp_path):
    """A clone of the project as it is here, with the commands of this environment."""
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    project = project_at(tmp_path / "project")
    for name in filter(lambda name: (ROOT / name).is_file(), files.splitlines()):
        (project.path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, project.path / name)
    (project.path / ".venv").mkdir()
    (project.path / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    project.git("init", "--quiet")
    project.commit("The project")
    return project


def output_of(project, step):
    # Not to set up again; and within another make, as make test-services is, it would add lines about its folder.
    code = step["code"].replace("make ", "make --old-file=.venv/ready --no-print-directory ")
    environment = project.environment({"ART_PIPELINE_TRACKING": "on"})
    command = [sys.executable, "-"] if step["language"] == "python" else ["bash", "-"]
    options = {"input": code, "cwd": project.path, "env": environment, "capture_output": True, "text": True}
    done = subprocess.run(command, **options, check=False)
    if done.returncode == -signal.SIGABRT:  # pyarrow's threads, when Python ends: about once in eighty times under load
        done = subprocess.run(command, **options, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines(keepends=True)
    return "".join(lines[-int(step["last"]) :] if step["last"] else lines)


def test_the_commands_print_what_the_tutorial_shows(project):
    text = PAGE.read_text(encoding="utf-8")
    steps = list(STEP.finditer(text))
    assert len(steps) == text.count("```text")
    outputs = [output_of(project, step) for step in steps]
    if "UPDATE_TUTORIAL" in os.environ:
        remaining = iter(outputs)
        PAGE.write_text(STEP.sub(lambda step: replace_shown(step, next(remaining)), text), encoding="utf-8")
    else:
        printed, shown = ("\n".join(map(stable, texts)) for texts in (outputs, [step["shown"] for step in steps]))
        assert FRACTION.sub("0.…", printed) == FRACTION.sub("0.…", shown)
        assert fractions(printed) == pytest.approx(fractions(shown), abs=0.03)


def stable(text):
    return VOLATILE.sub("…", text)


def fractions(text):
    return [float(one) for one in FRACTION.findall(text)]


def replace_shown(step, output):
    start, end = step.start("shown") - step.start(), step.end("shown") - step.start()
    return step[0][:start] + output + step[0][end:]
