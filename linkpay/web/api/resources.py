"""What a program can read: each kind of thing with its fields, for the answers and for the contract."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from linkpay.store.api import Thing
from linkpay.store.tables import Charge, Grant, Member, Payment, Subscription

_NUMBER = {"type": "integer"}
_TEXT = {"type": "string"}
_MOMENT = {"type": "string", "format": "date-time"}
_DAY = {"type": "string", "format": "date"}
_YES_NO = {"type": "boolean"}


def _or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}


@dataclass(frozen=True, slots=True)
class Filter:
    """A column by which a list can be asked, under a name of its own."""

    column: str
    schema: Mapping[str, Any]
    read: Callable[[str], Any]


#: Numbers of rows, and what a database can look for in its texts.
_ID = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
_ASKED_TEXT = {"type": "string", "pattern": r"^[^\u0000]*$"}


def _number(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    if not 0 < number < 2**63:
        raise ValueError(text)
    return number


def _email(text: str) -> str:
    return text.strip().lower()


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of thing. `fields` are columns by name, with what they are."""

    table: type[Thing]
    about: str
    fields: Mapping[str, Mapping[str, Any]]
    filters: Mapping[str, Filter]

    def shown(self, row: Any) -> dict[str, Any]:
        """A row as it is told."""
        return {name: _plain(getattr(row, name)) for name in self.fields}


_BY_EMAIL = Filter("email", _ASKED_TEXT, _email)


def _by(column: str) -> Filter:
    return Filter(column, _ID, _number)


RESOURCES: dict[str, Resource] = {
    "members": Resource(
        Member,
        "Who is let in.",
        {
            "id": _NUMBER, "email": _TEXT, "name": _TEXT, "external_user_id": _TEXT,
            "blocked_at": _or_null(_MOMENT), "created_at": _MOMENT,
        },
        {"email": _BY_EMAIL},
    ),
    "subscriptions": Resource(
        Subscription,
        "Customers on a plan. Amounts are cents of the currency; `cancel_on` is the first day without.",
        {
            "id": _NUMBER, "member_id": _NUMBER, "customer_id": _NUMBER, "offer_id": _NUMBER,
            "plan_id": _NUMBER, "state": _TEXT, "kind": _TEXT, "amount_cents": _NUMBER, "currency": _TEXT,
            "interval_unit": _TEXT, "interval_count": _NUMBER, "started_at": _or_null(_MOMENT),
            "next_charge_on": _or_null(_DAY), "cancel_on": _or_null(_DAY), "ended_at": _or_null(_MOMENT),
            "created_at": _MOMENT,
        },
        {"member": _by("member_id"), "customer": _by("customer_id")},
    ),
    "charges": Resource(
        Charge,
        "What is meant to be collected for one period. Sums are cents, all positive.",
        {
            "id": _NUMBER, "subscription_id": _NUMBER, "period": _NUMBER, "starts_on": _DAY, "ends_on": _DAY,
            "due_on": _DAY, "state": _TEXT, "amount_cents": _NUMBER, "currency": _TEXT, "paid_cents": _NUMBER,
            "refunded_cents": _NUMBER, "charged_back_cents": _NUMBER, "paid_at": _or_null(_MOMENT),
            "failed_at": _or_null(_MOMENT), "failure_code": _or_null(_TEXT), "created_at": _MOMENT,
        },
        {"subscription": _by("subscription_id")},
    ),
    "payments": Resource(
        Payment,
        "Attempts at Mollie to collect a charge.",
        {
            "id": _NUMBER, "charge_id": _NUMBER, "mollie_id": _or_null(_TEXT), "sequence": _TEXT,
            "status": _or_null(_TEXT), "method": _or_null(_TEXT), "amount_cents": _NUMBER, "currency": _TEXT,
            "is_open": _YES_NO, "paid_at": _or_null(_MOMENT), "failure_code": _or_null(_TEXT),
            "created_at": _MOMENT,
        },
        {"charge": _by("charge_id")},
    ),
    "grants": Resource(
        Grant,
        "Access of members to offers: as it should be (`wanted`), and as Kajabi confirmed it (`applied`).",
        {
            "id": _NUMBER, "member_id": _NUMBER, "offer_id": _NUMBER, "wanted": _TEXT, "reason": _TEXT,
            "until": _or_null(_MOMENT), "applied": _TEXT, "applied_at": _or_null(_MOMENT),
            "created_at": _MOMENT,
        },
        {"member": _by("member_id")},
    ),
}  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value
