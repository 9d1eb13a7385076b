"""All tests of the web page, once more on MariaDB and an S3 server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.servers import mariadb, s3

ROOT = Path(__file__).parents[2]
# A worker inside of a test's transaction cannot lock rows of MariaDB; test_kills.py runs real workers there.
UPLOADS = ("test_artwork_jobs.py", "test_bulk.py", "test_predict.py", "test_upload.py")
WITH_WORKERS = ("jobs", "maps", *(f"uploads/{name}" for name in UPLOADS))


@pytest.mark.services
def test_the_tests_of_the_web_page_pass_on_mariadb_and_s3(tmp_path):
    for name in ("mariadb", "s3"):
        (tmp_path / name).mkdir()
    with mariadb(tmp_path / "mariadb") as database, s3(tmp_path / "s3") as bucket:
        environment = {**os.environ, **bucket, "DATABASE_URL": database.address, "PYTEST_ADDOPTS": ""}
        command = [sys.executable, "-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider", "tests/web"]
        command += [f"--ignore=tests/web/{name}" for name in WITH_WORKERS]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " skipped" not in done.stdout.splitlines()[-1]
