"""``kedro s3``: a development S3 server."""

import contextlib

import click

from art_pipeline.cli.common import PORT, project_here, with_clear_errors


@click.command()
@click.option("--port", default=8333, show_default=True, type=PORT, help="Port on 127.0.0.1.")
@with_clear_errors
def s3(port: int) -> None:
    """Start an S3 server on this machine as the DVC remote "local", until Ctrl-C. Data is stored in .s3."""
    from art_pipeline.dvc.s3_server import BUCKET, identity_of, serving, set_remote
    from art_pipeline.dvc.stages import require_repository

    project = project_here()
    require_repository(project)
    identity, address = identity_of(project / ".s3"), f"http://127.0.0.1:{port}"
    with contextlib.suppress(KeyboardInterrupt), serving(project / ".s3", port, [identity]) as server:
        set_remote(project, "local", address, identity)
        click.echo(f"S3 at {address}, bucket {BUCKET}. Try dvc push --remote local. (Ctrl-C stops it)")
        server.wait()
