"""Reads what Kajabi's outgoing webhooks say, whichever of their three shapes they have.

A: flat keys in `payload` (dashboard, purchase). B: `offer` and `member` objects (dashboard, payment).
C: JSON:API resources in a `payload` list (API hooks). See Kajabi's help on webhooks and its OpenAPI.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from linkpay.adapters.wire import storable
from linkpay.domain.email import normalise_email
from linkpay.errors import InputError
from linkpay.ports import Announcement

#: Events that tell of a purchase of an offer. All others are received and not used.
_PURCHASES = frozenset({"purchase.created", "purchase", "payment.succeeded", "payment_succeeded"})

_OFFER_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_LONGEST_ID = 254
_BRACKETED = re.compile(r"\[([^\[\]]*)\]")
_DEEPEST = 8


def read(content_type: str, body: bytes) -> Announcement:
    """What a message announces; `ignored` says why it is none of our business, if it is not.

    Raises InputError with a reason for what cannot be understood; the raw message is kept elsewhere.
    """
    message = _decode(content_type, body)
    event = message.get("event")
    if not isinstance(event, str):
        raise InputError("no_event", "The message has no event.", "event")
    if event not in _PURCHASES:
        return Announcement(ignored=f"event {event[:40]}")
    payload = message.get("payload")
    if isinstance(payload, list):
        found = _from_resources(payload)
    elif isinstance(payload, dict):
        found = _from_flat(payload) if "offer_id" in payload else _from_groups(payload)
    else:
        found = _from_groups(message)
    return _announcement(*found)


def _announcement(offer_id: str, email: str, name: str, external_user_id: str | None) -> Announcement:
    """What was found, once each part is something we can keep exactly as it came."""
    if offer_id == "0":
        # Kajabi's own test messages carry offer 0 and member 0.
        return Announcement(ignored="test message")
    if not _OFFER_ID.fullmatch(offer_id):
        raise InputError("no_offer", "The message names no offer.", "offer_id")
    if not email:
        raise InputError("no_email", "The message names no member e-mail.", "member_email")
    if external_user_id is not None and storable(external_user_id)[:_LONGEST_ID] != external_user_id:
        raise InputError("odd_external_id", "The member's external id cannot be kept.", "external_user_id")
    try:
        address = normalise_email(email)
    except InputError:
        # Its own message repeats what was sent, which may hold what no database takes.
        raise InputError("email_invalid", "The member's e-mail is no address.", "member_email") from None
    return Announcement(offer_id, address, storable(name)[:200], external_user_id)


def _decode(content_type: str, body: bytes) -> dict[str, Any]:
    try:
        text = body.decode("utf-8-sig")
        message = _unflatten(parse_qsl(text)) if "form" in content_type else json.loads(text)
    except (ValueError, RecursionError):
        raise InputError("unreadable", "The body is neither JSON nor a form.") from None
    if not isinstance(message, dict):
        raise InputError("unreadable", "The body is not an object.")
    if isinstance(message.get("payload"), str):
        try:
            message["payload"] = json.loads(message["payload"])
        except (ValueError, RecursionError):
            raise InputError("unreadable", "The payload is not JSON.", "payload") from None
    return message


def _unflatten(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """``payload[offer][id]=1`` as {"payload": {"offer": {"id": "1"}}}; numbers as keys make a list."""
    message: dict[str, Any] = {}
    for key, value in pairs:
        outer, bracket, inner = key.partition("[")
        _place(message, [outer, *_BRACKETED.findall(bracket + inner)], value)
    return {key: _listed(value) for key, value in message.items()}


def _place(group: dict[str, Any], path: list[str], value: str) -> None:
    """Put a value at its path; where the path runs into another value, the first one stays."""
    *way, last = path[:_DEEPEST]
    for name in way:
        inner: Any = group.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        group = inner
    group.setdefault(last, value)


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _listed(each) for key, each in value.items()}
    return list(inner.values()) if all(key.isdigit() for key in inner) else inner


_Found = tuple[str, str, str, str | None]


def _from_flat(payload: Mapping[str, Any]) -> _Found:
    return _text(payload, "offer_id"), _text(payload, "member_email"), _text(payload, "member_name"), None


def _from_groups(message: Mapping[str, Any]) -> _Found:
    offer, member = _group(message, "offer"), _group(message, "member")
    return _text(offer, "id"), _text(member, "email"), _text(member, "name"), None


def _from_resources(payload: list[Any]) -> _Found:
    by_type = {str(item.get("type")): item for item in reversed(payload) if isinstance(item, dict)}
    purchase = by_type.get("purchases") or by_type.get("transactions") or {}
    related = _group(_group(_group(purchase, "relationships"), "offer"), "data")
    offer_id = _text(related, "id") or _text(by_type.get("offers", {}), "id")
    customer = _group(by_type.get("customers", {}), "attributes")
    return (
        offer_id,
        _text(customer, "email"),
        _text(customer, "name"),
        _text(customer, "external_user_id") or None,
    )


def _group(mapping: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = mapping.get(key)
    return value if isinstance(value, dict) else {}


def _text(mapping: Mapping[str, Any], key: str) -> str:
    value = mapping.get(key)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()
