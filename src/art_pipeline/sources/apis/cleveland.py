"""The Cleveland Museum of Art."""

from pathlib import Path

from art_pipeline.errors import MuseumError, did_you_mean
from art_pipeline.sources.apis import cleveland_records as cleveland
from art_pipeline.sources.apis.json_values import is_object_id
from art_pipeline.sources.base import WholeRecords
from art_pipeline.sources.fetch import listing_journal
from art_pipeline.sources.names import number_of
from art_pipeline.sources.options import MuseumOptions


class ClevelandSource(WholeRecords):
    """Pages of whole records: what has arrived of them is not asked for again."""

    def fetch_listings(self, folder: Path) -> None:
        """Ask for the pages that are not in the folder yet."""
        with cleveland.ClevelandClient(self.options) as client, listing_journal(self.options, folder) as journal:
            known = {page["request"]: (page["total"], len(page["objects"])) for page in journal}
            skip, total = 0, 1
            while skip < total:
                request = _request(self.options, skip)
                if request not in known:
                    records, total = client.page(self.options.query, skip)
                    objects = [_entry(record, f"{request}: {place}") for place, record in enumerate(records)]
                    journal.append({"request": request, "total": total, "objects": objects})
                    known[request] = (total, len(objects))
                total, number = known[request]
                if not number:  # whatever the total says
                    break
                skip += cleveland.PAGE

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
        return cleveland.row_of(record)


def _search(options: MuseumOptions) -> str:
    return f"search {options.query!r} "


def _request(options: MuseumOptions, skip: int) -> str:
    return f"{_search(options)}from {skip:06}"


def _entry(record: object, place: str) -> dict:
    """What the list keeps of a record; one without an id gets a number from its place on the page."""
    if isinstance(record, dict) and is_object_id(record.get("id")):
        return {"object_id": record["id"], "listed_in": cleveland.department_of(record), "record": record}
    return {"object_id": number_of(place), "listed_in": "", "record": None, "status": "unexpected: id"}
