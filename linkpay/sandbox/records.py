"""Everything the sandbox remembers, one dataclass per kind.

Fields that end in ``_at`` are instants (UTC), in ``_on`` days, in ``_cents`` integers in the currency's
smallest unit; all others hold plain JSON. That rule is what the codec below stands on.
"""

import dataclasses
import json
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

Json = dict[str, Any]
R = TypeVar("R", bound="Record")


@dataclass(slots=True, kw_only=True)
class Record:
    id: str
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class Organization(Record):
    """A merchant. `credential` is what follows ``test_``, ``live_`` or ``access_`` in its keys."""

    credential: str
    name: str
    suspended: bool = False
    disabled_methods: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Profile(Record):
    organization_id: str
    name: str
    website: str
    email: str
    phone: str = "+31201234567"
    business_category: str = "OTHER_MERCHANDISE"
    status: str = "verified"


@dataclass(slots=True, kw_only=True)
class Client(Record):
    """An OAuth app; `id` is its client id."""

    secret: str
    name: str
    redirect_url: str


@dataclass(slots=True, kw_only=True)
class Token(Record):
    """An OAuth code, access or refresh token; `id` is its secret text."""

    kind: str
    organization_id: str
    client_id: str
    scope: str
    expires_at: datetime | None = None
    redirect_url: str = ""


@dataclass(slots=True, kw_only=True)
class Customer(Record):
    scope: str
    name: str | None = None
    email: str | None = None
    locale: str | None = None
    metadata: Any = None
    deleted_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Mandate(Record):
    scope: str
    customer_id: str
    status: str
    method: str
    details: Json
    reference: str
    signature_on: date
    payment_id: str | None = None
    revoked_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Payment(Record):
    scope: str
    profile_id: str
    amount_cents: int
    currency: str
    description: str
    sequence_type: str
    status: str
    checkout_token: str
    method: str | None = None
    methods: list[str] = field(default_factory=list)
    preset_method: bool = False
    metadata: Any = None
    locale: str | None = None
    redirect_url: str | None = None
    cancel_url: str | None = None
    webhook_url: str | None = None
    customer_id: str | None = None
    mandate_id: str | None = None
    subscription_id: str | None = None
    expires_at: datetime | None = None
    authorized_at: datetime | None = None
    paid_at: datetime | None = None
    canceled_at: datetime | None = None
    expired_at: datetime | None = None
    failed_at: datetime | None = None
    due_on: date | None = None
    details: Json = field(default_factory=dict)
    fate: Json | None = None
    refunded_cents: int = 0
    charged_back_cents: int = 0
    captured_cents: int | None = None
    capture_mode: str = "automatic"
    extra: Json = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Refund(Record):
    scope: str
    payment_id: str
    amount_cents: int
    currency: str
    description: str
    status: str
    metadata: Any = None


@dataclass(slots=True, kw_only=True)
class Chargeback(Record):
    scope: str
    payment_id: str
    amount_cents: int
    currency: str
    reason: Json | None
    reversed_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Capture(Record):
    scope: str
    payment_id: str
    amount_cents: int
    currency: str
    description: str
    metadata: Any = None


@dataclass(slots=True, kw_only=True)
class Subscription(Record):
    """`next_on` is `steps` intervals after `anchor_on`; so short months shorten one charge, not all later."""

    scope: str
    customer_id: str
    profile_id: str
    amount_cents: int
    currency: str
    interval: str
    description: str
    status: str
    start_on: date
    next_on: date | None
    anchor_on: date
    steps: int = 0
    charged: int = 0
    times: int | None = None
    method: str | None = None
    mandate_id: str | None = None
    metadata: Any = None
    webhook_url: str | None = None
    canceled_at: datetime | None = None
    application_fee: Json | None = None


@dataclass(slots=True, kw_only=True)
class Replay(Record):
    """The remembered answer to an idempotency key."""

    fingerprint: str
    status: int
    body: str


@dataclass(slots=True, kw_only=True)
class Fate(Record):
    """What the bank will answer to the next debits of a customer (``cst_..``) or an account (IBAN)."""

    outcome: Json
    remaining: int


@dataclass(slots=True, kw_only=True)
class Timer(Record):
    """Something that happens by itself at `due_at`: `kind` says what, `ref` to which record."""

    due_at: datetime
    kind: str
    ref: str
    note: Json = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Delivery(Record):
    """One outgoing webhook call and its attempts. `state` is waiting, delivered, given_up or lost."""

    kind: str
    url: str
    subject: str
    body: str
    content_type: str
    headers: Json = field(default_factory=dict)
    state: str = "waiting"
    attempts: list[Json] = field(default_factory=list)
    copies: int = 1
    held: bool = False
    source: str = ""


@dataclass(slots=True, kw_only=True)
class Fault(Record):
    """A disturbance still to come. `seed` and `draws` make its probability repeatable."""

    target: str
    match: str
    kind: str
    remaining: int
    probability: float = 1.0
    seed: str = ""
    draws: int = 0
    hits: int = 0


@dataclass(slots=True, kw_only=True)
class Hook(Record):
    """A next-generation Mollie webhook."""

    scope: str
    name: str
    url: str
    event_types: list[str]
    secret: str
    status: str = "enabled"
    failures: int = 0


@dataclass(slots=True, kw_only=True)
class Event(Record):
    scope: str
    type: str
    entity_id: str
    entity: Json


@dataclass(slots=True, kw_only=True)
class Mail(Record):
    recipient: str
    sender: str
    subject: str
    text: str
    html: str
    headers: Json = field(default_factory=dict)


_names: dict[type, tuple[str, ...]] = {}


def to_text(record: Record) -> str:
    """The record as stored text."""
    kind = type(record)
    if kind not in _names:
        _names[kind] = tuple(each.name for each in dataclasses.fields(kind))
    plain = {name: getattr(record, name) for name in _names[kind]}
    return json.dumps(plain, default=_iso, ensure_ascii=False, separators=(",", ":"))


def _iso(value: date | datetime) -> str:
    return value.isoformat()


def from_text(kind: type[R], text: str) -> R:
    """The record that `to_text` wrote."""
    plain: Json = json.loads(text)
    for name, value in plain.items():
        if value is None:
            continue
        if name.endswith("_at"):
            plain[name] = datetime.fromisoformat(value)
        elif name.endswith("_on"):
            plain[name] = date.fromisoformat(value)
    return kind(**plain)
