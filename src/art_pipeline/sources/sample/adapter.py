"""The sample museum's service: a transport of `requests` that responds from memory."""

import io
import json
import re
from datetime import timedelta
from functools import cached_property
from http.client import responses
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse

from art_pipeline.sources.sample.catalogue import Work, find_work, has_trap, object_ids
from art_pipeline.sources.sample.images import image_file
from art_pipeline.sources.sample.records import ADDRESS, department_list, make_record

BASE_URL = f"{ADDRESS}/public/collection/v1"
_API = urlsplit(BASE_URL).path
_HTML = "text/html; charset=utf-8"


class _Answer(NamedTuple):
    status: int
    content_type: str
    body: bytes


_NOT_FOUND = _Answer(
    404,
    _HTML,
    b"<!DOCTYPE html><html><head><title>404 - Not Found</title></head><body>Page not found</body></html>",
)
_PAGE = _Answer(
    200,
    _HTML,
    b"<html><head><title>Request unsuccessful</title></head><body>Sample incident ID: 0-0</body></html>",
)


class SampleMuseumAdapter(BaseAdapter):
    """Responds to requests to ``sample://museum`` from a seed, without state.

    Threads may call `send` concurrently. Redirects, authentication, timeouts,
    certificates and proxies do not apply. `requests` drops ``params=`` of URLs
    that do not begin with ``http``: callers write the query into the URL.

    Args:
        seed: 0 or greater; another seed gives another museum with the same ids.
    """

    def __init__(self, seed: int = 0):
        super().__init__()
        self.seed = seed

    def send(self, request: requests.PreparedRequest, *_args: object, **_kwargs: object) -> requests.Response:
        """Respond to a prepared request; an unknown URL gives a 404, never an exception."""
        parts = urlsplit(str(request.url))
        response: requests.Response = _respond(self, request, self._answer(unquote(parts.path), parse_qs(parts.query)))
        return response

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def _answer(self, path: str, query: dict[str, list[str]]) -> _Answer:
        if path.startswith("/images/"):
            return self._image(path)
        if path == f"{_API}/departments":
            return _as_json(department_list())
        if path == f"{_API}/objects":
            return _as_json(self._list_objects(query))
        if path == f"{_API}/search":
            return _as_json(self._search(query))
        if path.startswith(f"{_API}/objects/"):
            return self._object(path.rpartition("/")[2])
        return _NOT_FOUND

    def _object(self, number: str) -> _Answer:
        work = self._find(number)
        if work is None:
            return _as_json({"message": "ObjectID not found"}, 404)
        return _as_json(make_record(self.seed, work))

    def _list_objects(self, query: dict[str, list[str]]) -> dict[str, Any]:
        numbers = "|".join(query.get("departmentIds", [])).split("|")
        wanted = {_as_id(number) for number in numbers if number.isdecimal()}
        since = _first(query, "metadataDate")
        ids = [
            one
            for one in object_ids()
            if (not wanted or one % 100 in wanted) and (not since or self._changed(one) >= since)
        ]
        return {"total": len(ids), "objectIDs": ids}

    def _changed(self, object_id: int) -> str:
        """Return the day of a record's last change; ``""`` for objects that no longer exist."""
        return self._records[object_id]["metadataDate"][:10] if object_id in self._records else ""

    def _search(self, query: dict[str, list[str]]) -> dict[str, Any]:
        words, department = _first(query, "q").casefold(), _first(query, "departmentId")
        shown = _first(query, "hasImages").casefold() == "true"
        ids = [
            one
            for one, record in self._records.items()
            if _mentions(record, words) and department in ("", str(one % 100)) and (record["primaryImage"] or not shown)
        ]
        return {"total": len(ids), "objectIDs": ids or None}  # null, as in the real service

    def _image(self, path: str) -> _Answer:
        found = re.search(r"([0-9]+)\.jpg$", path)
        work = self._find(found[1]) if found else None
        if work is None or not self._is_address(path, work) or has_trap(work.object_id, "missing"):
            return _NOT_FOUND
        if has_trap(work.object_id, "page"):
            return _PAGE
        return _Answer(200, "image/jpeg", image_file(self.seed, work.object_id))

    def _is_address(self, path: str, work: Work) -> bool:
        record = make_record(self.seed, work)
        return f"{ADDRESS}{path}" in (record["primaryImage"], record["primaryImageSmall"])

    def _find(self, number: str) -> Work | None:
        object_id = _as_id(number)
        return None if object_id is None else find_work(self.seed, object_id)

    @cached_property
    def _records(self) -> dict[int, dict[str, Any]]:
        """All records by id; concurrent threads may compute them twice."""
        works = (find_work(self.seed, one) for one in object_ids())
        return {work.object_id: make_record(self.seed, work) for work in works if work}


def _as_id(text: str) -> int | None:
    """Return the id in a text; None for anything else, or more than 9 digits."""
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else None


def _first(query: dict[str, list[str]], name: str) -> str:
    return query.get(name, [""])[0]


def _mentions(record: dict[str, Any], words: str) -> bool:
    told = json.dumps([record[name] for name in ("title", "tags", "artistDisplayName")], ensure_ascii=False)
    return words == "*" or bool(words and words in told.casefold())


def _as_json(content: dict[str, Any], status: int = 200) -> _Answer:
    body = json.dumps(content, ensure_ascii=False).encode()
    return _Answer(status, "application/json; charset=UTF-8", body)


def _respond(adapter: SampleMuseumAdapter, request: requests.PreparedRequest, answer: _Answer) -> Any:
    """Return a response that is read from memory instead of a socket."""
    response: Any = requests.Response()
    response.status_code, response.reason = answer.status, responses[answer.status]
    response.headers = CaseInsensitiveDict(
        {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body))}
    )
    response.raw = HTTPResponse(
        io.BytesIO(answer.body),
        dict(response.headers),
        answer.status,
        reason=response.reason,
        preload_content=False,
    )
    response.url, response.request, response.connection = request.url, request, adapter
    response.encoding = requests.utils.get_encoding_from_headers(response.headers)
    response.elapsed = timedelta(0)
    return response
