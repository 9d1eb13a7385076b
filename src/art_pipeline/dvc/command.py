"""Run DVC's own command."""

import os
import subprocess
import sys
from pathlib import Path

from art_pipeline.errors import DvcError


def run_dvc(project: Path, *arguments: str) -> None:
    """Run ``dvc`` with these arguments in a project.

    Raises:
        DvcError: The command fails; with DVC's message.
    """
    command = [sys.executable, "-m", "dvc", *arguments]
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DvcError(f"dvc {' '.join(arguments[:3])} failed: {done.stderr.strip()}")
