"""Import the findings of audits."""

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from art_pipeline.common.batches import batched
from art_pipeline.common.spreadsheet import unescape_formulas
from art_pipeline.discovery.audit.analysis import FACTS, SUSPECTS
from art_pipeline.lineage.digest import digest_file
from art_pipeline.web.audit.models import Finding
from art_pipeline.web.catalogue.importing.rows import BATCH, in_transaction
from art_pipeline.web.catalogue.models import NAME, Artwork

PREFIX = "audit_"
TEXTS = ("reasons", "evidence", "suggested")


def find_audits(data: Path) -> dict[str, Path]:
    """Return the folders of audits in a run's data folder, by name."""
    files = sorted(data.glob(f"08_reporting/{PREFIX}*/analysis/{SUSPECTS}"))
    return {file.parent.parent.name.removeprefix(PREFIX): file.parent for file in files}


def digest_of(folder: Path) -> str:
    """Return a digest of all that is imported of an audit."""
    return " ".join(digest_file(folder / name) for name in (SUSPECTS, FACTS))


def write(name: str, folder: Path) -> None:
    """Replace the findings of an audit by what a folder holds; works that are not imported are left out."""
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    table = unescape_formulas(pd.read_csv(folder / SUSPECTS, dtype=dict.fromkeys(TEXTS, "str"), keep_default_na=False))
    ids = dict(Artwork.objects.filter(object_id__in=table["object_id"].tolist()).values_list("object_id", "pk"))

    def replace() -> None:
        Finding.objects.filter(name=name).delete()
        for some in batched(_findings(name, facts["task"], table, ids), BATCH):
            Finding.objects.bulk_create(some)

    in_transaction(replace)


def remove_others(names: list[str]) -> bool:
    """Delete the findings of audits that a run no longer has; return whether there were any."""
    others = Finding.objects.exclude(name__in=names)
    return others.exists() and bool(others.delete())


def _findings(name: str, task: str, table: pd.DataFrame, ids: dict[int, int]) -> Iterator[Finding]:
    for row in table.to_dict(orient="records"):
        if row["object_id"] in ids:
            yield Finding(
                name=name,
                task=task,
                artwork_id=ids[row["object_id"]],
                score=row["score"],
                reasons=row["reasons"][:NAME],
                evidence=row["evidence"],
                suggested=row["suggested"],
            )
