"""Kajabi's public API at the wire: JSON:API bodies, bearer tokens, paging, errors and the rate limit."""

import json
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

from linkpay.sandbox.faults import through
from linkpay.sandbox.kajabi.records import Site
from linkpay.sandbox.records import Record
from linkpay.sandbox.web import REASONS, Json, Request, Response, Router, encode, nest
from linkpay.sandbox.world import World

JSON_API = "application/vnd.api+json"
PREFIX = "/kajabi"
R = TypeVar("R", bound=Record)


class ApiError(Exception):
    """The call is refused with JSON:API's error body."""

    def __init__(self, status: int, detail: str, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.pointer = pointer


def refusal(error: ApiError) -> Response:
    line: Json = {"status": str(error.status), "title": REASONS[error.status], "detail": error.detail}
    if error.pointer is not None:
        line["source"] = {"pointer": error.pointer}
    response = Response(error.status, encode({"errors": [line]}), JSON_API)
    if error.status == 429:
        response.headers["Retry-After"] = "1"
    return response


@dataclass(slots=True)
class ApiCall:
    """A call by a site's API user."""

    world: World
    request: Request
    site: Site
    params: dict[str, str]
    query: Json
    body: Json

    def filters(self, *known: str) -> dict[str, str]:
        """The ``filter[...]`` parameters; 400 for one that does not exist."""
        found = self.query.get("filter", {})
        for name in found:
            if name not in known:
                raise ApiError(400, f"{name} is not a filter of this resource")
        return {name: str(value) for name, value in found.items()}

    def check_site(self, site_id: str | None) -> None:
        """403 for a site of another owner."""
        if site_id is not None and site_id != self.site.id:
            raise ApiError(403, "This API user has no access to that site")


Handler = Callable[[ApiCall], tuple[int, Json | None]]


class ApiDesk:
    """Answers everything below ``/kajabi/v1``, but for the token endpoints."""

    def __init__(self, world: World, routes: Router[Handler]) -> None:
        self._world = world
        self._routes = routes
        self._recent: dict[str, deque[float]] = {}

    def answer(self, request: Request) -> Response:
        return through(
            self._world.books, "kajabi", request, lambda delay: self._safely(request, delay), problem
        )

    def _safely(self, request: Request, delay: float) -> Response:
        if delay:
            time.sleep(delay)
        try:
            with self._world.books.lock:
                status, body = self._handle(request)
        except ApiError as error:
            return refusal(error)
        return Response(status, b"" if body is None else encode(body), JSON_API)

    def _handle(self, request: Request) -> tuple[int, Json | None]:
        site = self._authenticate(request)
        found = self._routes.find(request.path.removeprefix(PREFIX))
        if found is None:
            raise ApiError(404, "The resource could not be found")
        handlers, params = found
        handler = handlers.get(request.method)
        if handler is None:
            raise ApiError(404, "The resource does not support this method")
        self._limit(site)
        query = nest(request.pairs())
        return handler(ApiCall(self._world, request, site, params, query, _body(request)))

    def _authenticate(self, request: Request) -> Site:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        token = self._world.books.tokens.get(text.strip())
        valid = token is not None and token.kind == "kajabi_access" and scheme.lower() == "bearer"
        if token is None or not valid or (token.expires_at and token.expires_at <= self._world.now()):
            raise ApiError(401, "The access token is missing, invalid or expired")
        return self._world.books.sites.rows[token.organization_id]

    def _limit(self, site: Site) -> None:
        """At most `rate_limit` calls in any minute of real time."""
        if site.rate_limit is None:
            return
        recent, now = self._recent.setdefault(site.id, deque()), time.monotonic()
        while recent and recent[0] <= now - 60:
            recent.popleft()
        if len(recent) >= site.rate_limit:
            raise ApiError(429, "Too many requests")
        recent.append(now)


def problem(status: int) -> Response:
    """The answer of a fault."""
    return refusal(ApiError(status, "This answer was asked for"))


def _body(request: Request) -> Json:
    if not request.body:
        return {}
    if request.content_type not in ("application/json", JSON_API):
        raise ApiError(415, f"The content type should be {JSON_API}")
    try:
        body = json.loads(request.body)
    except ValueError:
        raise ApiError(400, "The body is not valid JSON") from None
    if not isinstance(body, dict):
        raise ApiError(400, "The body should be a JSON:API document")
    return body


def data_of(call: ApiCall, kind: str) -> Json:
    """The one resource of the body. 400 when it is missing, 422 for another type."""
    data = call.body.get("data")
    if not isinstance(data, dict):
        raise ApiError(400, "The body should have data", "/data")
    if data.get("type") != kind:
        raise ApiError(422, f"The type should be {kind}", "/data/type")
    return data


def page(call: ApiCall, rows: Sequence[R], view: Callable[[ApiCall, R], Json]) -> Json:
    """One page of `rows`, sorted and with sparse fields when the query asks so."""
    asked = call.query.get("page", {})
    size, number = _whole(asked.get("size"), 10), _whole(asked.get("number"), 1)
    if size > 200:
        raise ApiError(400, "page[size] is at most 200")
    ordered = _sorted(call, rows)
    pages = max(1, -(-len(ordered) // size))
    shown = [view(call, row) for row in ordered[(number - 1) * size : number * size]]
    return {
        "data": [_sparse(call, item) for item in shown],
        "links": {
            "self": _address(call, number),
            "first": _address(call, 1),
            "prev": _address(call, number - 1) if number > 1 else None,
            "next": _address(call, number + 1) if number < pages else None,
            "last": _address(call, pages),
        },
        "meta": {"total_pages": pages, "total_count": len(ordered), "current_page": number},
    }


def _whole(text: object, default: int) -> int:
    if text is None:
        return default
    if isinstance(text, str) and text.isdigit() and int(text) > 0:
        return int(text)
    raise ApiError(400, "page[size] and page[number] are numbers from 1")


def _sorted(call: ApiCall, rows: Sequence[R]) -> list[R]:
    wanted = str(call.query.get("sort", "created_at"))
    name = wanted.removeprefix("-")
    if name not in ("created_at", "email", "name", "title", "id"):
        raise ApiError(400, f"{name} is not something to sort by")
    return sorted(rows, key=lambda row: str(getattr(row, name, "")), reverse=wanted.startswith("-"))


def _sparse(call: ApiCall, item: Json) -> Json:
    """Only the attributes that ``fields[type]`` names."""
    wanted = call.query.get("fields", {}).get(item["type"])
    if wanted is None:
        return item
    names = str(wanted).split(",")
    return item | {"attributes": {key: item["attributes"][key] for key in names if key in item["attributes"]}}


def _address(call: ApiCall, number: int) -> str:
    pairs = [pair for pair in call.request.pairs() if pair[0] != "page[number]"]
    return f"{call.request.base}{call.request.path}?{urlencode([*pairs, ('page[number]', number)])}"


def related(kind: str, record_id: str | None) -> Json:
    """A JSON:API relationship to one resource or to none."""
    return {"data": {"type": kind, "id": record_id} if record_id is not None else None}
