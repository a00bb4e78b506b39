"""Reading one field of Mollie's JSON at a time: what is there, of the right kind, or `Malformed`.

Mollie leaves out what does not apply, or says null, and may add fields at any time; so an absent
optional field is None and an unknown one is ignored. What is there but makes no sense is malformed:
guessing at money is worse than asking again.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from linkpay.adapters.wire import storable
from linkpay.domain.money import Money, parse_amount
from linkpay.errors import Permanent

Json = Mapping[str, Any]

_ID = {kind: re.compile(rf"{kind}_[A-Za-z0-9]{{1,64}}") for kind in ("tr", "cst", "mdt", "re", "chb", "sub")}
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{8,30}", re.ASCII)
_LAST_FOUR = re.compile(r"[0-9]{4}\Z", re.ASCII)


class Malformed(ValueError):
    """An answer that cannot be read; the message names the field, never its value."""


def is_id(kind: str, value: object) -> bool:
    """Whether `value` is an id of this kind: ``tr cst mdt re chb sub``, then letters and digits only."""
    return isinstance(value, str) and _ID[kind].fullmatch(value) is not None


def checked_id(kind: str, value: str) -> str:
    """`value` if it may become part of an address.

    Raises Permanent otherwise: Mollie's client tests the prefix only, so ``tr_x/../../customers``
    would ask for something else (measured with mollie-api-python 4.0.0).
    """
    if not is_id(kind, value):
        raise Permanent(f"not a Mollie id of the kind {kind}_", field=kind)
    return value


def read_id(body: Json, name: str, kind: str) -> str:
    """A required id."""
    value = body.get(name)
    if not is_id(kind, value):
        raise Malformed(f"{name} is no {kind}_ id")
    return str(value)


def optional_id(body: Json, name: str, kind: str) -> str | None:
    """An id, or None when Mollie gives none."""
    return None if body.get(name) is None else read_id(body, name, kind)


def read_text(body: Json, name: str) -> str:
    """A required text that is not empty."""
    value = optional_text(body, name)
    if not value:
        raise Malformed(f"{name} is missing")
    return value


def optional_text(body: Json, name: str) -> str | None:
    """A text that any database can store (no NUL, no half surrogate pair), or None."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise Malformed(f"{name} is no text")
    return storable(value)


def read_money(body: Json, name: str) -> Money:
    """A required amount, ``{"currency": "EUR", "value": "10.00"}``."""
    value = optional_money(body, name)
    if value is None:
        raise Malformed(f"{name} is missing")
    return value


def optional_money(body: Json, name: str) -> Money | None:
    """An amount, or None. Of all Mollie's amounts only those of settlements can be negative."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise Malformed(f"{name} is no amount")
    number, currency = value.get("value"), value.get("currency")
    if not isinstance(number, str) or not isinstance(currency, str):
        raise Malformed(f"{name} is no amount")
    try:
        money = parse_amount(number, currency)
    except ValueError:
        raise Malformed(f"{name} is no amount") from None
    if money.cents < 0:
        raise Malformed(f"{name} is below zero")
    return money


def read_instant(body: Json, name: str) -> datetime:
    """A required point in time, in UTC. Mollie writes ``2024-03-20T09:13:37+00:00``."""
    value = optional_instant(body, name)
    if value is None:
        raise Malformed(f"{name} is missing")
    return value


def optional_instant(body: Json, name: str) -> datetime | None:
    """A point in time in UTC, or None."""
    value = body.get(name)
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError("no offset")
        return instant.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise Malformed(f"{name} is no point in time") from None


def day_if_any(body: Json, name: str) -> date | None:
    """A date such as ``2022-01-05``, or None for anything else: details are worded per method."""
    value = body.get(name)
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def text_if_any(body: Json, name: str) -> str | None:
    """A text that is not empty, or None for anything else."""
    value = body.get(name)
    return (storable(value) or None) if isinstance(value, str) else None


def part(body: Json, name: str) -> Json:
    """A nested object, empty when it is absent or anything else."""
    value = body.get(name)
    return value if isinstance(value, Mapping) else {}


def link(body: Json, name: str) -> str | None:
    """The web address of a link, or None. Only http and https: buyers are sent there."""
    address = text_if_any(part(part(body, "_links"), name), "href")
    return address if address and re.match(r"https?://", address) else None


def read_metadata(body: Json) -> dict[str, str]:
    """Our own str -> str metadata again; what others put there is left out.

    Mollie stores any JSON, so null, a list or a text can come back; a text is read as JSON (the
    specification's refund sample holds an object in a text).
    """
    value = body.get("metadata")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    if not isinstance(value, Mapping):
        return {}
    kept = {key: entry for key, entry in value.items() if isinstance(entry, (str, int))}
    return {storable(key): storable(str(entry)) for key, entry in kept.items() if not isinstance(entry, bool)}


def account_hint(details: Json) -> str | None:
    """The last four characters of the IBAN or card number, or None; PayPal gives an e-mail there."""
    iban = (text_if_any(details, "consumerAccount") or "").replace(" ", "")
    if _IBAN.fullmatch(iban):
        return iban[-4:]
    card = _LAST_FOUR.search(text_if_any(details, "cardNumber") or "")
    return card[0] if card else None


def failure_code(body: Json) -> str | None:
    """SEPA's reason code, else the card's failure reason, else a terminal's status reason."""
    details = part(body, "details")
    reason = text_if_any(details, "bankReasonCode") or text_if_any(details, "failureReason")
    return reason or text_if_any(part(body, "statusReason"), "code")
