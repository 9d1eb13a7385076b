"""Settings of DVC, by its own command."""

import os
import subprocess
import sys
from pathlib import Path

from art_pipeline.errors import DvcError


def configure(project: Path, *arguments: str) -> None:
    """Run ``dvc`` with these arguments in a project.

    Raises:
        DvcError: It fails; with what it says.
    """
    command = [sys.executable, "-m", "dvc", *arguments]
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    answer = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise DvcError(f"dvc {' '.join(arguments[:3])} failed: {answer.stderr.strip()}")
