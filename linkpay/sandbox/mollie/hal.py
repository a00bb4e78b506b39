"""Lists as Mollie pages them: `from` inclusive, newest first, links that keep the query."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from linkpay.sandbox.mollie.call import Call, MollieError, documentation
from linkpay.sandbox.records import Record
from linkpay.sandbox.web import Json

R = TypeVar("R", bound=Record)
PAGING = ("from", "limit", "sort")


def page(call: Call, rows: Sequence[R], name: str, view: Callable[[Call, R], Json]) -> Json:
    """The page of `rows` (oldest first) that the query asks for. 400 for a bad cursor or limit."""
    limit = _limit(call.query.get("limit"))
    ordered = rows if call.query.get("sort") == "asc" else rows[::-1]
    if call.query.get("sort") not in (None, "asc", "desc"):
        raise MollieError(400, "The sort parameter should be asc or desc", "sort")
    start = _start(call.query.get("from"), ordered)
    shown = ordered[start : start + limit]
    links: Json = {
        "self": _link(call, {}),
        "previous": _link(call, {"from": ordered[max(0, start - limit)].id}) if start else None,
        "next": _link(call, {"from": ordered[start + limit].id}) if start + limit < len(ordered) else None,
        "documentation": documentation(f"list-{name}"),
    }
    return {"count": len(shown), "_embedded": {name: [view(call, row) for row in shown]}, "_links": links}


def whole(call: Call, name: str, items: list[Json], docs: str) -> Json:
    """A list that is never paged."""
    links = {"self": _link(call, {}), "documentation": documentation(docs)}
    return {"count": len(items), "_embedded": {name: items}, "_links": links}


def _limit(text: object) -> int:
    if text is None:
        return 50
    if isinstance(text, str) and text.isdigit() and 1 <= int(text) <= 250:
        return int(text)
    raise MollieError(400, "The limit should be a number from 1 to 250", "limit")


def _start(cursor: object, ordered: Sequence[Record]) -> int:
    if cursor is None:
        return 0
    for index, record in enumerate(ordered):
        if record.id == cursor:
            return index
    raise MollieError(400, "Invalid cursor value", "from")


def _link(call: Call, changes: dict[str, str]) -> Json:
    pairs = dict(call.request.pairs()) | changes
    if changes and "limit" not in pairs:
        pairs["limit"] = "50"
    query = f"?{urlencode(pairs)}" if pairs else ""
    return {"href": f"{call.request.base}{call.request.path}{query}", "type": "application/hal+json"}
