"""Controls over the whole sandbox: state, reset, clock, faults, log, mail, deliveries."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from linkpay.errors import InputError, NotFound
from linkpay.sandbox import faults, ids, mail
from linkpay.sandbox.control import views
from linkpay.sandbox.control.desk import Order
from linkpay.sandbox.kajabi import people
from linkpay.sandbox.mollie.catalogue import METHODS
from linkpay.sandbox.records import Client, Fault
from linkpay.sandbox.web import Json
from linkpay.sandbox.world import World

MOST_SECONDS = 40 * 366 * 86_400


def state(order: Order) -> tuple[int, object]:
    """A summary; ``?include=payments,customers,...`` adds the books themselves, ``?organization=`` (a key
    or an id) narrows them to one organisation."""
    order.narrow("include", "organization")
    with order.world.books.lock:
        return 200, summary(order.world) | _included(order)


def summary(world: World) -> Json:
    """Small whatever the sandbox holds, so that it can be polled."""
    books = world.books
    timer = books.next_event()
    payments = Counter(payment.status for payment in books.payments)
    ready, open_deliveries = world.courier.waiting(), len(world.courier.open)
    return {
        "now": world.now().isoformat(),
        "next_event_at": timer.due_at.isoformat() if timer is not None else None,
        "deliveries": {
            "waiting": open_deliveries,
            "ready": ready,
            "retrying": max(0, open_deliveries - ready),
            "given_up": sum(each.state == "given_up" for each in books.deliveries),
            "lost": sum(each.state == "lost" for each in books.deliveries),
        },
        "counts": {name.lower(): len(table) for name, table in books.tables().items()},
        "payments_by_status": dict(payments),
        "organizations": [
            {"id": each.id, "credential": each.credential, "name": each.name} for each in books.organizations
        ],
        "faults": [fault_view(fault) for fault in books.faults],
    }


def _included(order: Order) -> Json:
    books, wanted = order.world.books, order.query.get("include", "")
    kinds: dict[str, tuple[Iterable[Any], Callable[[Any], Json]]] = {
        "payments": (books.payments, views.payment_view),
        "customers": (books.customers, views.customer_view),
        "mandates": (books.mandates, views.mandate_view),
        "refunds": (books.refunds, views.refund_view),
        "chargebacks": (books.chargebacks, views.chargeback_view),
        "deliveries": (books.deliveries, views.delivery_view),
        "members": (books.members, lambda member: people.view(order.world, member)),
    }
    organization = _organization(order)
    included: Json = {}
    for name in filter(None, wanted.split(",")):
        if name not in kinds:
            raise InputError("invalid", f"include is one or more of {', '.join(kinds)}", "include")
        rows, view = kinds[name]
        included[name] = [view(row) for row in rows if organization is None or _belongs(row, organization)]
    return included


def _organization(order: Order) -> str | None:
    """The id of the organisation that the query names by its id or by one of its keys."""
    named = order.query.get("organization")
    if named is None or named.startswith("org_"):
        return named
    found = order.world.books.organizations.first("credential", named.partition("_")[2])
    if found is None:
        raise NotFound("not_found", "There is no such organisation", "organization")
    return found.id


def _belongs(row: object, organization: str) -> bool:
    scope = getattr(row, "scope", None)
    return scope is None or str(scope).startswith(f"{organization}:")


def change_organization(order: Order) -> tuple[int, object]:
    """Suspend an organisation, name it, or switch its payment methods off (`disabled_methods`)."""
    order.allow("suspended", "disabled_methods", "name")
    with order.world.books.lock:
        named = order.params["organization"]
        found = order.world.books.organizations.get(named)
        if found is None and named.partition("_")[0] in ("test", "live", "access"):
            found = order.world.organization(named.partition("_")[2])
        if found is None:
            raise NotFound("not_found", f"There is no organisation {named}")
        methods = order.body.get("disabled_methods", found.disabled_methods)
        if not isinstance(methods, list) or not all(each in METHODS for each in methods):
            message = f"disabled_methods is a list out of {', '.join(METHODS)}"
            raise InputError("invalid", message, "disabled_methods")
        found.disabled_methods = methods
        found.suspended = order.flag("suspended", found.suspended)
        found.name = order.text("name", found.name)
        order.world.books.organizations.save(found)
        return 200, {
            "id": found.id,
            "name": found.name,
            "suspended": found.suspended,
            "disabled_methods": found.disabled_methods,
        }


def add_client(order: Order) -> tuple[int, object]:
    """Register an OAuth app; answers with its client id and secret."""
    order.allow("name", "redirect_url")
    with order.world.books.lock:
        client = Client(
            id=ids.fresh("app", 20),
            created_at=order.world.now(),
            secret=ids.word(40),
            name=order.text("name"),
            redirect_url=order.address("redirect_url"),
        )
        order.world.books.clients.add(client)
    return 201, {"client_id": client.id, "client_secret": client.secret, "redirect_url": client.redirect_url}


def reset(order: Order) -> tuple[int, object]:
    """Forget everything; time keeps its place."""
    order.allow()
    order.world.reset()
    return 200, {"now": order.world.now().isoformat()}


def get_clock(order: Order) -> tuple[int, object]:
    return 200, {"now": order.world.now().isoformat()}


def move_clock(order: Order) -> tuple[int, object]:
    """Move time forward; returns when all that became due is final."""
    order.allow("advance_seconds")
    seconds = order.number("advance_seconds")
    if not 0 <= seconds <= MOST_SECONDS:
        raise InputError(
            "invalid", "advance_seconds is from 0 to 40 years; time only moves forward", "advance_seconds"
        )
    return 200, {"now": order.life.advance(timedelta(seconds=seconds)).isoformat()}


def fault_view(fault: Fault) -> Json:
    return {
        "id": fault.id,
        "target": fault.target,
        "match": fault.match,
        "kind": fault.kind,
        "count": fault.remaining,
        "probability": fault.probability,
        "seed": fault.seed,
        "hits": fault.hits,
    }


def add_fault(order: Order) -> tuple[int, object]:
    order.allow("target", "match", "kind", "count", "probability", "seed")
    fault = faults.new(
        order.world.now(),
        target=order.text("target"),
        kind=order.text("kind"),
        match=order.text("match", ""),
        count=order.whole("count", 1),
    )
    fault.probability = order.number("probability", 1.0)
    fault.seed = _seed(order)
    with order.world.books.lock:
        return 201, fault_view(faults.plan(order.world.books, fault))


def _seed(order: Order) -> str:
    """What decides the dice: a text or a number."""
    seed = order.body.get("seed") or ""
    if not isinstance(seed, str | int | float):
        raise InputError("invalid", "seed is a text or a number", "seed")
    return str(seed)


def drop_faults(order: Order) -> tuple[int, object]:
    """Stop all disturbances; what a reordering held goes out."""
    order.allow()
    with order.world.books.lock:
        dropped = list(order.world.books.faults)
        for fault in dropped:
            order.world.books.faults.drop(fault)
        order.world.courier.release()
    return 200, {"dropped": len(dropped)}


def list_mail(order: Order) -> tuple[int, object]:
    """All mail, oldest first; ``?to=`` keeps what went to one address."""
    order.narrow("to")
    to = order.query.get("to", "").strip().lower()
    with order.world.books.lock:
        return 200, [
            mail.view(each) for each in order.world.books.mails if not to or each.recipient.lower() == to
        ]


def list_log(order: Order) -> tuple[int, object]:
    """The request log; ``?path=``, ``?method=`` and ``?status=`` narrow it."""
    order.narrow("path", "method", "status")
    narrowed = {key: value for key, value in order.query.items() if key in ("path", "method", "status")}
    return 200, views.log_view(order.world, **narrowed)


def list_deliveries(order: Order) -> tuple[int, object]:
    """Outgoing webhooks with their attempts; ``?subject=tr_..`` keeps those about one payment."""
    order.narrow("subject")
    books, subject = order.world.books, order.query.get("subject")
    with books.lock:
        rows = list(books.deliveries) if subject is None else books.deliveries.where("subject", subject)
        return 200, [views.delivery_view(each) for each in rows]
