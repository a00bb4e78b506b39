"""What the Kajabi side remembers. See `linkpay.sandbox.records` for the rule of the field names."""

from dataclasses import dataclass, field
from datetime import datetime

from linkpay.sandbox.records import Json, Record


@dataclass(slots=True, kw_only=True)
class Site(Record):
    """A Kajabi site with its API client."""

    name: str
    client_id: str
    client_secret: str
    regrant_refused: bool = False
    rate_limit: int | None = None


@dataclass(slots=True, kw_only=True)
class Offer(Record):
    site_id: str
    title: str
    products: list[str]
    token: str
    public_token: str
    price_cents: int = 0
    currency: str = "EUR"
    log: list[Json] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Product(Record):
    site_id: str
    title: str


@dataclass(slots=True, kw_only=True)
class Member(Record):
    """A person at a Kajabi site: the contact, and once she has an offer also the customer.

    `grants` maps an offer id to ``{"state", "granted_at", "revoked_at", "times"}``, `products`
    are those she can open now, `calls` are what the offer addresses received about her.
    """

    site_id: str
    email: str
    name: str
    customer_id: str | None = None
    external_id: str | None = None
    grants: Json = field(default_factory=dict)
    products: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    calls: list[Json] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Purchase(Record):
    site_id: str
    member_id: str
    offer_id: str
    amount_cents: int
    currency: str
    payment_type: str = "single"
    deactivated_at: datetime | None = None
    deactivation_reason: str | None = None


@dataclass(slots=True, kw_only=True)
class KajabiHook(Record):
    site_id: str
    target_url: str
    event: str
    resource_id: str | None = None
    shape: str = "C"


@dataclass(slots=True, kw_only=True)
class Tag(Record):
    site_id: str
    name: str
