"""The addresses that programs use."""

from functools import partial
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from linkpay.domain.leaving import CancelMode
from linkpay.errors import InputError, NotFound
from linkpay.services import membership
from linkpay.store import api, sites
from linkpay.store.db import Tx
from linkpay.store.tables import ApiKey, Subscription
from linkpay.web.api import contract, gate
from linkpay.web.api.resources import RESOURCES, Resource
from linkpay.web.edge import parts
from linkpay.web.forms import tidy

bp = Blueprint("api", __name__, url_prefix="/api/v1")
_MOST = 100
_SUBSCRIPTIONS = RESOURCES["subscriptions"]


@bp.before_request
def enter() -> None:
    """Everything but the contract needs a key."""
    if request.endpoint != "api.openapi":
        gate.enter()


@bp.get("/openapi.json")
def openapi() -> Response:
    """What can be asked and what is answered, as OpenAPI 3.1."""
    return jsonify(contract.document(parts().base_url))


@bp.get("/site")
def site() -> Response:
    """The site that the key opens."""
    with parts().database.read() as tx:
        found = sites.get(tx, g.api_key.site_id)
        return jsonify(
            slug=found.slug, name=found.name, zone=found.zone, locale=found.locale, mode=found.mode
        )


def _listed(name: str) -> Response:
    """A page of things, by number; `next` is what to ask after, null at the end."""
    resource = RESOURCES[name]
    after, limit, where = _asked(resource)
    with parts().database.read() as tx:
        rows = api.page(tx, resource.table, g.api_key.site_id, where, after=after, limit=limit + 1)
        shown = [resource.shown(row) for row in rows[:limit]]
    return jsonify(data=shown, next=shown[-1]["id"] if len(rows) > limit else None)


def _one(name: str, number: int) -> Response:
    """One thing."""
    with parts().database.read() as tx:
        return jsonify(_find(tx, RESOURCES[name], number))


for _name in RESOURCES:
    bp.add_url_rule(f"/{_name}", f"list_{_name}", partial(_listed, _name))
    bp.add_url_rule(f"/{_name}/<int:number>", f"get_{_name}", partial(_one, _name))


@bp.post("/subscriptions/<int:number>/cancel")
def cancel(number: int) -> Response:
    """Cancel for the end of what is paid; `reason` is kept."""
    said = gate.body()
    reason = said.get("reason", "")
    if not isinstance(reason, str) or said.keys() - {"reason"}:
        raise InputError("body", "Send nothing, or a reason as text.", "reason")

    def act(tx: Tx, key: ApiKey) -> gate.Answer:
        _find(tx, _SUBSCRIPTIONS, number)
        membership.cancel(
            tx, number, mode=CancelMode.PERIOD_END, on=None, reason=tidy(reason), actor=_actor(key),
            now=parts().clock.now(),
        )  # fmt: skip
        tx.flush()
        return 200, _find(tx, _SUBSCRIPTIONS, number)

    return _once(act)


@bp.post("/subscriptions/<int:number>/undo-cancel")
def undo_cancel(number: int) -> Response:
    """Take a cancellation back before its day."""
    if gate.body():
        raise InputError("body", "Send no body.")

    def act(tx: Tx, key: ApiKey) -> gate.Answer:
        _find(tx, _SUBSCRIPTIONS, number)
        membership.undo_cancel(tx, number, _actor(key), parts().clock.now())
        tx.flush()
        return 200, _find(tx, _SUBSCRIPTIONS, number)

    return _once(act)


def _once(act: Any) -> Response:
    (status, answer), again = gate.once(act)
    response = jsonify(answer)
    response.status_code = status
    if again:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _actor(key: ApiKey) -> str:
    return f"api:{key.name}"[:60]


def _find(tx: Tx, resource: Resource, number: int) -> dict[str, Any]:
    found = api.one(tx, resource.table, g.api_key.site_id, number) if number < 2**63 else None
    if found is None:
        raise NotFound("unknown", "There is no such thing on this site.", "id")
    if isinstance(found, Subscription):
        tx.refresh(found)
    return resource.shown(found)


def _asked(resource: Resource) -> tuple[int, int, dict[str, Any]]:
    """(after, limit, columns) of a list. Raises InputError for anything else, and for a name given twice."""
    where: dict[str, Any] = {}
    known = {"after", "limit", *resource.filters}
    for name, values in request.args.lists():
        if name not in known or len(values) > 1 or "\0" in values[0]:
            raise InputError("query", f"Ask by {', '.join(sorted(known))}, each once.", name[:60])
    for name, by in resource.filters.items():
        if name in request.args:
            try:
                where[by.column] = by.read(request.args[name])
            except ValueError:
                raise InputError("query", f"{name} is a number above 0.", name) from None
    return _count("after", 0, least=0, most=2**63 - 1), _count("limit", 50, least=1, most=_MOST), where


def _count(name: str, default: int, *, least: int, most: int) -> int:
    text = request.args.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        raise InputError("query", f"{name} is a number from {least} to {most}.", name)
    return int(text)
