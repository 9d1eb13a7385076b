"""What a model learns before its SVM: kept as long as nothing changes on which it depends.

A change of the SVM's grid fits no codebook and encodes no image again.
"""

import logging
from collections.abc import Callable
from pathlib import Path

from art_pipeline.common.files import clear_folder, write_atomically
from art_pipeline.common.progress import titled

log = logging.getLogger(__name__)

FINGERPRINT = "fingerprint.txt"


def keep_while(fingerprint: str, save: Callable[[Path], None]) -> Callable[[Path], None]:
    """Return a function that fills a folder, unless it has been filled with the same fingerprint.

    Args:
        fingerprint: Fingerprint of all inputs; see `art_pipeline.models.training.fingerprint`.
        save: Computes and writes into an empty folder.
    """

    def fill(folder: Path) -> None:
        if fingerprint_of(folder) == fingerprint:
            log.info("%s", titled(f"{folder.name} are kept, as nothing has changed on which they depend."))
            return
        clear_folder(folder)
        save(folder)
        write_atomically(folder / FINGERPRINT, f"{fingerprint}\n".encode())

    return fill


def fingerprint_of(folder: Path) -> str:
    """Return the fingerprint with which a folder was filled; "" for none."""
    file = folder / FINGERPRINT
    return file.read_text(encoding="utf-8").strip() if file.exists() else ""
