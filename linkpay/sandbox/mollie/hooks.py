"""The next-generation webhooks API: webhooks, pings and events, for access tokens only.

Facts: docs.mollie.com/reference/webhooks-new. The secret is shown once, when the webhook is made.
"""

from linkpay.sandbox import ids
from linkpay.sandbox.mollie import events, fields, hal
from linkpay.sandbox.mollie.call import Call, MollieError, documentation, invalid, missing
from linkpay.sandbox.moments import stamp
from linkpay.sandbox.records import Hook
from linkpay.sandbox.web import Json

_FAMILIES = {
    "payment": ("paid", "authorized", "failed", "canceled", "expired", "pending"),
    "refund": ("queued", "pending", "processing", "refunded", "failed", "canceled"),
    "chargeback": ("received", "reversed"),
    "capture": ("succeeded", "failed"),
    "payment-link": ("paid",),
    "balance-transaction": ("created",),
    "payout": ("initiated", "processing-at-bank", "completed", "canceled", "failed"),
    "sales-invoice": ("created", "issued", "canceled", "paid", "e-invoice-failed", "e-invoice-issued"),
}
EVENT_TYPES = frozenset({f"{family}.{deed}" for family, deeds in _FAMILIES.items() for deed in deeds} | {"*"})
_KEYS = ("name", "url", "eventTypes")


def _needs_access(call: Call) -> None:
    if call.who.kind != "access":
        raise MollieError(403, "Webhooks need an organization access token or an OAuth access token")


def view(call: Call, hook: Hook) -> Json:
    return {
        "resource": "webhook",
        "id": hook.id,
        "url": hook.url,
        "profileId": None,
        "createdAt": stamp(hook.created_at),
        "name": hook.name,
        "eventTypes": hook.event_types,
        "status": hook.status,
        "mode": hook.scope.split(":")[1],
        "_links": {
            "self": call.link(f"/v2/webhooks/{hook.id}"),
            "documentation": documentation("get-webhook"),
        },
    }


def _types(call: Call) -> list[str]:
    """One type, several with commas, or a list."""
    value = call.body.get("eventTypes")
    wanted = value.split(",") if isinstance(value, str) else value
    if not isinstance(wanted, list) or not wanted:
        raise invalid("The 'eventTypes' field is missing", "eventTypes")
    for each in wanted:
        if each not in EVENT_TYPES:
            raise invalid(f"The event type {each} does not exist", "eventTypes")
    return wanted


def create(call: Call) -> tuple[int, Json]:
    _needs_access(call)
    call.allow_body(*_KEYS)
    hook = Hook(
        id=ids.fresh("hook", 20),
        created_at=call.now,
        scope=call.scope,
        name=fields.required_text(call.body, "name", 255),
        url=fields.address(call.body, "url", required=True) or "",
        event_types=_types(call),
        secret=ids.word(40),
    )
    call.world.books.hooks.add(hook)
    return 201, view(call, hook) | {"webhookSecret": hook.secret}


def find(call: Call) -> Hook:
    _needs_access(call)
    hook = call.world.books.hooks.get(call.params["webhook"])
    if hook is None or hook.scope != call.scope or hook.status == "deleted":
        raise missing("webhook", call.params["webhook"])
    return hook


def get(call: Call) -> tuple[int, Json]:
    call.allow_query()
    return 200, view(call, find(call))


def listing(call: Call) -> tuple[int, Json]:
    _needs_access(call)
    call.allow_query(*hal.PAGING, "eventTypes")
    rows = [each for each in call.world.books.hooks.where("scope", call.scope) if each.status != "deleted"]
    return 200, hal.page(call, rows, "webhooks", view)


def update(call: Call) -> tuple[int, Json]:
    """A changed webhook is enabled again."""
    call.allow_body(*_KEYS)
    hook = find(call)
    hook.name = fields.text(call.body, "name", limit=255) or hook.name
    hook.url = fields.address(call.body, "url") or hook.url
    hook.event_types = _types(call) if "eventTypes" in call.body else hook.event_types
    hook.status, hook.failures = "enabled", 0
    call.world.books.hooks.save(hook)
    return 200, view(call, hook)


def delete(call: Call) -> tuple[int, None]:
    call.allow_body()
    hook = find(call)
    hook.status = "deleted"
    call.world.books.hooks.save(hook)
    return 204, None


def ping(call: Call) -> tuple[int, None]:
    """Send a test event; 202, whatever the receiver will say."""
    call.allow_body()
    hook = find(call)
    entity = view(call, hook)
    event = events.record(call.world, hook.scope, "hook.ping", hook.id, entity)
    events.deliver(call.world, hook, event)
    return 202, None


def get_event(call: Call) -> tuple[int, Json]:
    _needs_access(call)
    call.allow_query()
    event = call.world.books.events.get(call.params["event"])
    if event is None or event.scope != call.scope:
        raise missing("event", call.params["event"])
    return 200, events.view(event, call.request.base)
