"""The Cleveland Museum of Art."""

from pathlib import Path

from art_pipeline.errors import MuseumError, did_you_mean
from art_pipeline.museum.cleveland import PAGE, ClevelandClient, row_of
from art_pipeline.museum.harvest import listing_journal
from art_pipeline.museum.options import MuseumOptions
from art_pipeline.museum.sources.base import WholeRecords


class ClevelandSource(WholeRecords):
    """Pages of whole records: what has arrived of them is not asked for again."""

    def fetch_listings(self, folder: Path) -> None:
        """Ask for the pages that are not in the folder yet."""
        with ClevelandClient(self.options) as client, listing_journal(self.options, folder) as journal:
            known = {page["request"]: page["total"] for page in journal}
            skip, total = 0, 1
            while skip < total:
                request = _request(self.options, skip)
                if request not in known:
                    records, known[request] = client.page(self.options.query, skip)
                    objects = [_entry(record) for record in records]
                    journal.append({"request": request, "total": known[request], "objects": objects})
                total, skip = known[request], skip + PAGE

    def is_wanted(self, page: dict) -> bool:
        """A page of another search may stand beside."""
        return page["request"].startswith(_search(self.options))

    def wanted(self, lists: dict[str, list[int]]) -> dict[str, list[int]]:
        """The departments that are named, or all."""
        by_key = {name.casefold(): name for name in lists}
        for name in self.options.departments:
            if str(name).casefold() not in by_key:
                hint, all_there_are = did_you_mean(str(name), lists), ", ".join(sorted(lists))
                raise MuseumError(
                    f"museum.departments: the museum has no department {name!r}.{hint} It has: {all_there_are}."
                )
        chosen = [by_key[str(name).casefold()] for name in self.options.departments] or sorted(lists)
        return {name: lists[name] for name in chosen}

    def to_row(self, record: dict) -> dict:
        """See `cleveland.row_of`."""
        return row_of(record)


def _search(options: MuseumOptions) -> str:
    return f"search {options.query!r} "


def _request(options: MuseumOptions, skip: int) -> str:
    return f"{_search(options)}from {skip:06}"


def _entry(record: dict) -> dict:
    return {"object_id": record["id"], "listed_in": str(record.get("department") or ""), "record": record}
