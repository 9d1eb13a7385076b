"""Import the spaces of analyses of similar works."""

from pathlib import Path

import numpy as np

from art_pipeline.discovery.similar.collection import OPTIONS, ROWS, WORKS, SimilarWorks
from art_pipeline.lineage.digest import digest_file
from art_pipeline.web.catalogue.importing.rows import in_transaction
from art_pipeline.web.catalogue.models import Artwork
from art_pipeline.web.similar.models import SpacePart

PREFIX = "similar_"
PART = 2048  # works of a part, whose rows take 2 MB where they have 256 values


def find_spaces(data: Path) -> dict[str, Path]:
    """Return the folders of analyses of similar works in a run's data folder, by name."""
    files = sorted(data.glob(f"08_reporting/{PREFIX}*/analysis/{ROWS}"))
    return {file.parent.parent.name.removeprefix(PREFIX): file.parent for file in files}


def digest_of(folder: Path) -> str:
    """Return a digest of all that is imported of an analysis."""
    return " ".join(digest_file(folder / name) for name in (ROWS, WORKS, OPTIONS))


def write(name: str, folder: Path) -> None:
    """Replace a space by what a folder holds, in one transaction; works that are not imported are left out."""
    collection = SimilarWorks.load(folder)
    ids = dict(Artwork.objects.filter(object_id__isnull=False).values_list("object_id", "pk"))
    artworks = np.array([ids.get(one, 0) for one in collection.works.index], np.uint32)
    in_transaction(lambda: _write(name, artworks[artworks > 0], collection.rows[artworks > 0]))


def remove_others(names: list[str]) -> bool:
    """Delete the spaces that a run no longer has; return whether there were any."""
    others = SpacePart.objects.exclude(name__in=names)
    return others.exists() and bool(others.delete())


def _write(name: str, artworks: np.ndarray, rows: np.ndarray) -> None:
    SpacePart.objects.filter(name=name).delete()
    for number, start in enumerate(range(0, len(artworks), PART)):
        some = slice(start, start + PART)
        SpacePart.objects.create(
            name=name,
            number=number,
            length=rows.shape[1],
            artworks=artworks[some].tobytes(),
            rows=np.ascontiguousarray(rows[some], np.float32).tobytes(),
        )
