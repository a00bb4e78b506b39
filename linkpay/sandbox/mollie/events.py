"""Next-generation webhooks: an event per change, signed, to every webhook that asked for it."""

import hashlib
import hmac

from linkpay.sandbox import ids
from linkpay.sandbox.moments import stamp
from linkpay.sandbox.records import Delivery, Event, Hook, Json
from linkpay.sandbox.web import encode
from linkpay.sandbox.world import World


def publish(world: World, scope: str, kind: str, entity_id: str) -> None:
    """Record the event and send it to the webhooks of this scope that listen for `kind`."""
    hooks = [
        hook
        for hook in world.books.hooks.where("scope", scope)
        if hook.status == "enabled" and wants(hook, kind)
    ]
    if not hooks:
        return
    event = record(world, scope, kind, entity_id, world.render(world, scope, entity_id))
    for hook in hooks:
        deliver(world, hook, event)


def wants(hook: Hook, kind: str) -> bool:
    """Whether the hook asked for `kind` or for everything."""
    return "*" in hook.event_types or kind in hook.event_types


def record(world: World, scope: str, kind: str, entity_id: str, entity: Json) -> Event:
    event = Event(
        id=ids.fresh("event", 22),
        created_at=world.now(),
        scope=scope,
        type=kind,
        entity_id=entity_id,
        entity=entity,
    )
    return world.books.events.add(event)


def view(event: Event, base: str) -> Json:
    """The event as it is sent and as ``GET /v2/events/{id}`` shows it."""
    links: Json = {
        "self": {"href": f"{base}/v2/events/{event.id}", "type": "application/hal+json"},
        "documentation": {"href": "https://docs.mollie.com/reference/get-webhook-event", "type": "text/html"},
    }
    own = event.entity.get("_links", {}).get("self")
    if own is not None:
        links["entity"] = own
    return {
        "resource": "event",
        "id": event.id,
        "type": event.type,
        "entityId": event.entity_id,
        "createdAt": stamp(event.created_at),
        "_embedded": {"entity": event.entity},
        "_links": links,
    }


def deliver(world: World, hook: Hook, event: Event) -> None:
    """Send one event to one webhook, signed with its secret."""
    body = encode(view(event, world.base))
    signature = hmac.new(hook.secret.encode(), body, hashlib.sha256).hexdigest()
    world.courier.send(
        Delivery(
            id=ids.fresh("dlv", 12),
            created_at=world.now(),
            kind="event",
            url=hook.url,
            subject=event.entity_id,
            body=body.decode(),
            content_type="application/json",
            headers={"User-Agent": "Mollie HTTP client/1.0", "X-Mollie-Signature": f"sha256={signature}"},
            source=hook.id,
        )
    )
