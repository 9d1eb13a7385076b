"""Find the paintings in all photographs of a folder: tables, straightened crops and a contact sheet."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from PIL import Image

from art_pipeline.common.concurrency import cpu_count, map_ordered, one_thread_each
from art_pipeline.common.files import replace_folder
from art_pipeline.common.progress import progress
from art_pipeline.common.spreadsheet import escape_formulas
from art_pipeline.detection.contact_sheet import Entry, write_contact_sheets
from art_pipeline.detection.detect import Painting, find_paintings, straighten
from art_pipeline.detection.labels import Label, labels_of
from art_pipeline.errors import StorageError
from art_pipeline.images.decoding import ImageError
from art_pipeline.images.standardize import decode_upright, encode_jpeg
from art_pipeline.models.classifier import Classifier
from art_pipeline.models.predict import list_files, read_file, with_files

PAINTINGS, FILES, CROPS = "paintings.csv", "files.csv", "crops"
MAX_PIXELS = 1e8
MAX_WORKERS = 2  # photographs in memory at once
LONGEST_NAME = 255  # of a file, in bytes
CROP_SIDE = 2048  # longest side of a crop, in pixels
COLUMNS = ("file", "left", "top", "right", "bottom", "score", "corners")


@dataclass(frozen=True)
class Found:
    """What was found in a file.

    Attributes:
        status: ``ok``, or the reason why the file cannot be used.
        size: Width and height of the photograph, upright, in pixels; 0 without one.
        paintings: The most certain first.
        crops: A JPEG file per painting.
        thumbnail: Thumbnail of the photograph, for the contact sheet; None without one.
    """

    status: str
    size: tuple[int, int] = (0, 0)
    paintings: Sequence[Painting] = ()
    crops: Sequence[bytes] = ()
    thumbnail: Image.Image | None = None


@dataclass(frozen=True)
class Tables:
    """The tables that `find_in_folder` writes.

    Attributes:
        paintings: A row per painting: `COLUMNS`, and with a classifier ``label`` and ``probability``.
        files: A row per file: ``file``, ``status``, ``width``, ``height``, ``paintings``.
    """

    paintings: pd.DataFrame
    files: pd.DataFrame


def find_in_folder(folder: Path, output: Path, min_score: float, classifier: Classifier | None = None) -> Tables:
    """Find the paintings in each photograph of a folder and its subfolders, and write what was found.

    Hidden and system files, and files in ``output``, are skipped. A file that is not a usable image is a row with a
    status. The same photographs give the same bytes.

    Args:
        folder: Folder of image files in any format that Pillow reads.
        output: Folder to write: ``paintings.csv``, ``files.csv``, ``crops/`` and ``contact_sheet.jpg``. An earlier
            result is replaced.
        min_score: Paintings with a lower score are left out.
        classifier: A trained model that predicts the label of each painting; None for no labels.

    Raises:
        ModelError: The folder does not exist.
        StorageError: The folder is empty, or ``output`` holds other files, or cannot be written.
    """
    check_output(output)
    own = output.resolve()
    files = [file for file in list_files(folder) if own not in file.resolve().parents]
    if not files:
        raise StorageError(f"There are no files in {folder} except hidden ones. Give a folder of photographs.")
    names = with_files(pd.DataFrame(index=range(len(files))), files, folder)["file"].tolist()
    output.parent.mkdir(parents=True, exist_ok=True)
    with replace_folder(output) as temporary, one_thread_each():
        entries = _write_crops(_search(files, min_score), names, temporary / CROPS, classifier)
        rows, statuses = list[dict[str, object]](), list[dict[str, object]]()
        write_contact_sheets(_tabulated(entries, rows, statuses), temporary)
        columns = [*COLUMNS, *(("label", "probability") if classifier else ())]
        tables = Tables(pd.DataFrame(rows, columns=columns), pd.DataFrame(statuses))
        _write_table(tables.paintings, temporary / PAINTINGS)
        _write_table(tables.files, temporary / FILES)
    return tables


def check_output(output: Path) -> None:
    """Check that a folder is new, empty, or an earlier result.

    Raises:
        StorageError: It is none of these.
    """
    if output.exists() and not output.is_dir():
        raise StorageError(f"{output} is a file. Give a folder that is new, empty, or an earlier result.")
    if output.is_dir() and any(output.iterdir()) and not (output / PAINTINGS).is_file():
        raise StorageError(f"{output} holds other files. Give a folder that is new, empty, or an earlier result.")


def _search(files: Sequence[Path], min_score: float) -> Iterator[Found]:
    workers = min(MAX_WORKERS, cpu_count())
    found = map_ordered(partial(search_file, min_score=min_score), files, workers)
    return progress(found, total=len(files), what="Photographs")


def search_file(file: Path, min_score: float) -> Found:
    """Find the paintings in one file."""
    status, body = read_file(file)
    if status != "ok":
        return Found(status)
    try:
        return search_image(decode_upright(body, MAX_PIXELS), min_score)
    except ImageError as error:
        return Found(error.status)


def search_image(pixels: np.ndarray, min_score: float) -> Found:
    """Find the paintings in a (height, width, 3) uint8 RGB photograph."""
    paintings = find_paintings(pixels, min_score)
    crops = [encode_jpeg(Image.fromarray(straighten(pixels, one, CROP_SIDE))) for one in paintings]
    return Found("ok", (pixels.shape[1], pixels.shape[0]), paintings, crops, Entry.thumbnail_of(pixels))


def _write_crops(
    found: Iterator[Found], names: Sequence[str], folder: Path, classifier: Classifier | None
) -> Iterator[Entry]:
    """Write the crops of each file, and yield what the tables and the contact sheet show of it."""
    for name, one in zip(names, found, strict=True):
        for number, crop in enumerate(one.crops, start=1):
            path = folder / crop_name(name, number)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(crop)
        labels = labels_of(classifier, one.crops) if classifier else [Label() for _ in one.crops]
        yield Entry.of(name, one.status, one.size, one.paintings, labels, one.crops, one.thumbnail)


def crop_name(name: str, number: int) -> str:
    """Return the path of a crop: the photograph's and a number; a name that is too long for files ends in a digest.

    >>> crop_name("hall/north.jpg", 2)
    'hall/north.jpg-2.jpg'
    """
    path, end = PurePosixPath(name), f"-{number}.jpg"
    encoded = os.fsencode(path.name)
    if len(encoded) + len(end) > LONGEST_NAME:
        digest = hashlib.sha256(encoded).hexdigest()[:8]
        start = encoded[: LONGEST_NAME - len(end) - len(digest) - 1].decode(errors="ignore")
        path = path.with_name(f"{start}-{digest}")
    return f"{path}{end}"


def _tabulated(
    entries: Iterator[Entry], rows: list[dict[str, object]], statuses: list[dict[str, object]]
) -> Iterator[Entry]:
    """Yield the entries, and append their rows to both tables."""
    for entry in entries:
        rows += [_row(entry.file, one, label) for one, label in zip(entry.paintings, entry.labels, strict=True)]
        facts = {"width": entry.size[0], "height": entry.size[1], "paintings": len(entry.paintings)}
        statuses.append({"file": entry.file, "status": entry.status, **facts})
        yield entry


def _row(file: str, painting: Painting, label: Label) -> dict[str, object]:
    box = dict(zip(("left", "top", "right", "bottom"), (round(value, 1) for value in painting.box), strict=True))
    corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in painting.corners)
    named = {"label": label.label, "probability": label.probability}
    return {"file": file, **box, "score": round(painting.score, 4), "corners": corners, **named}


def _write_table(table: pd.DataFrame, path: Path) -> None:
    escape_formulas(table).to_csv(path, index=False, lineterminator="\n", float_format="%.10g")
