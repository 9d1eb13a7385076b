"""A site in its own processes: ``serve_site.py PROJECT PORT``. Prints the password of ``ada``, and ``ready``."""

import contextlib
import signal
import sys
from pathlib import Path

from run_folder import TASKS

from art_pipeline.web.command import collect_static, prepare, serve

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    project = Path(sys.argv[1])
    prepare(project)
    from art_pipeline.web.accounts.create import set_account
    from art_pipeline.web.catalogue.importer import import_run
    from art_pipeline.web.catalogue.run_folder import RunFolder

    import_run(RunFolder(project / "data", TASKS, is_sample=True))
    collect_static()
    print(set_account("ada", "cataloguer"), flush=True)  # noqa: T201
    with contextlib.suppress(KeyboardInterrupt):
        serve("127.0.0.1", int(sys.argv[2]), 2, 1, lambda: print("ready", flush=True))  # noqa: T201
