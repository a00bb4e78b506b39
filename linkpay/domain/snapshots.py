"""What the payment provider says something is now, in our words. Frozen; adapters build them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from linkpay.domain.calendar import Interval
from linkpay.domain.money import Money


class PaymentStatus(StrEnum):
    """Mollie's payment statuses, plus `unknown` for a value this version has never heard of."""

    OPEN = "open"
    PENDING = "pending"
    AUTHORIZED = "authorized"
    PAID = "paid"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


#: What a payment stays, but for a debit that fails after it was paid.
FINAL = frozenset({PaymentStatus.PAID, PaymentStatus.FAILED, PaymentStatus.CANCELED, PaymentStatus.EXPIRED})


class Sequence(StrEnum):
    """How a payment relates to a mandate: makes one, uses one, or neither."""

    ONEOFF = "oneoff"
    FIRST = "first"
    RECURRING = "recurring"


class MandateStatus(StrEnum):
    """Mollie's mandate statuses; `revoked` is ours for one that is gone (404 or 410)."""

    PENDING = "pending"
    VALID = "valid"
    INVALID = "invalid"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class RefundSnapshot:
    """Money we sent back. `status`: queued pending processing refunded failed canceled."""

    id: str
    amount: Money
    status: str
    created_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChargebackSnapshot:
    """Money a bank took back. `reversed_at` is set when it came to us again."""

    id: str
    amount: Money
    reason_code: str | None
    created_at: datetime
    reversed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MandateSnapshot:
    """A permission to collect. `account_hint` shows at most the last four digits.

    One that is gone has an empty `method` and no `created_at`: Mollie tells nothing more about it.
    """

    id: str
    status: MandateStatus
    method: str
    account_hint: str | None
    reference: str | None
    signed_on: date | None
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class PaymentSnapshot:
    """One attempt at Mollie to collect a charge, with all that has happened to its money since.

    `refunded_cents` and `charged_back_cents` are Mollie's own totals; `failure_code` is a card
    failure reason or a SEPA reason code, whichever the method gives. `ended_at` is when it failed, expired
    or was canceled.
    """

    id: str
    status: PaymentStatus
    mode: str
    amount: Money
    sequence: Sequence
    created_at: datetime
    method: str | None = None
    customer_id: str | None = None
    mandate_id: str | None = None
    description: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    paid_at: datetime | None = None
    ended_at: datetime | None = None
    expires_at: datetime | None = None
    due_on: date | None = None
    checkout_url: str | None = None
    refunded_cents: int = 0
    charged_back_cents: int = 0
    refunds: tuple[RefundSnapshot, ...] = ()
    chargebacks: tuple[ChargebackSnapshot, ...] = ()
    failure_code: str | None = None
    account_hint: str | None = None
    creditor_id: str | None = None

    @property
    def decided_at(self) -> datetime | None:
        """When it became what it is now; None while nothing is decided, or where Mollie does not say."""
        return self.paid_at if self.status is PaymentStatus.PAID else self.ended_at


@dataclass(frozen=True, slots=True)
class CustomerSnapshot:
    """Somebody who pays, as the provider knows her. Mollie asks for neither a name nor an e-mail."""

    id: str
    name: str | None
    email: str | None
    locale: str | None


class SubscriptionStatus(StrEnum):
    """Mollie's subscription statuses, plus `unknown` for a value this version has never heard of."""

    PENDING = "pending"
    ACTIVE = "active"
    CANCELED = "canceled"
    SUSPENDED = "suspended"
    COMPLETED = "completed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SubscriptionSnapshot:
    """A subscription that the provider charges by itself.

    `remaining` is how many charges are still to come, None without an end; `next_on` is the day of the
    next one, None when none will come. `interval` is None when we do not know how to count it. It stands
    on `mandate_id`, or on whatever valid mandate there is (of `method`, when that is given).
    """

    id: str
    customer_id: str
    mode: str
    status: SubscriptionStatus
    amount: Money
    interval: Interval | None
    description: str
    created_at: datetime
    started_on: date
    next_on: date | None = None
    remaining: int | None = None
    mandate_id: str | None = None
    method: str | None = None
