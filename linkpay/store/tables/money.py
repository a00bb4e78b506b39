"""What we mean to collect, the attempts to do so, and the facts of what happened."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from linkpay.domain.charge import LET_GO, ChargeMoney, ChargeState
from linkpay.domain.ledger import EntryKind
from linkpay.domain.plan import TRIAL_PERIOD
from linkpay.domain.snapshots import FINAL, PaymentStatus, Sequence
from linkpay.store.tables.base import Base, choice


class Charge(Base):
    """An amount for one period of one subscription. Sums are copies of the ledger, in cents.

    `lines` say what the amount is made of (see `linkpay.domain.pricing`); they sum to it. Period -1 is a
    trial; a number below that is no period but the check of an account (`Renewal`). `failed_at` is when the
    present failure began and `dunning_round` counts failures, so that every step of a ladder has a name of
    its own.
    """

    __tablename__ = "charge"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    subscription_id: Mapped[int]
    token: Mapped[str] = mapped_column(String(43), unique=True)
    period: Mapped[int]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    due_on: Mapped[date]
    amount_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSON(), default=list)
    vat_basis_points: Mapped[int] = mapped_column(default=2100)
    state: Mapped[ChargeState] = mapped_column(choice(ChargeState, "state"))
    paid_cents: Mapped[int] = mapped_column(default=0)
    refunded_cents: Mapped[int] = mapped_column(default=0)
    charged_back_cents: Mapped[int] = mapped_column(default=0)
    # The part of `refunded_cents` that only gave back what had come in twice.
    surplus_refunded_cents: Mapped[int] = mapped_column(default=0)
    paid_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    failure_code: Mapped[str | None] = mapped_column(String(60))
    taken_back: Mapped[bool] = mapped_column(default=False)
    dunning_round: Mapped[int] = mapped_column(default=0)
    # What an owner decided about a failure: more time, or no more tries and mails.
    grace_until: Mapped[datetime | None]
    dunning_stopped_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("subscription_id", "period"),
        # Targets and sources of foreign keys that hold currencies equal along the chain.
        UniqueConstraint("id", "currency"),
        ForeignKeyConstraint(["subscription_id", "currency"], ["subscription.id", "subscription.currency"]),
        # A free trial, or a coupon that takes all off, leaves a period that costs nothing.
        CheckConstraint("amount_cents >= 0", name="amount_not_negative"),
        CheckConstraint("vat_basis_points BETWEEN 0 AND 10000", name="vat"),
        CheckConstraint("ends_on > starts_on", name="days"),
        CheckConstraint("paid_cents >= 0 AND refunded_cents >= 0 AND charged_back_cents >= 0", name="sums"),
        CheckConstraint("surplus_refunded_cents BETWEEN 0 AND refunded_cents", name="surplus"),
        # Nearly all charges are paid; what is summed up is the rest, and what ever failed.
        Index(
            "ix_charge_unsettled", "site_id", "state", "amount_cents", sqlite_where=text("state <> 'paid'"),
            postgresql_where=text("state <> 'paid'"),
        ),
        Index(
            "ix_charge_failed", "site_id", "state", "amount_cents", sqlite_where=text("dunning_round > 0"),
            postgresql_where=text("dunning_round > 0"),
        ),
    )  # fmt: skip

    @property
    def is_check(self) -> bool:
        """Whether it only proves an account, and is none of the periods of its subscription."""
        return self.period < TRIAL_PERIOD

    @property
    def money(self) -> ChargeMoney:
        """The sums as the rules see them."""
        return ChargeMoney(
            self.amount_cents, self.paid_cents, self.refunded_cents, self.charged_back_cents,
            self.surplus_refunded_cents,
        )  # fmt: skip

    @property
    def asked_cents(self) -> int:
        """What is still asked for: all that is owed, unless it was decided to let go of it."""
        return 0 if self.state in LET_GO else self.money.owed_cents


class Stroke(StrEnum):
    """How far one attempt got. prepared: row committed. sending: claimed, may be on the wire.
    unknown: sent, no answer. known: Mollie answered, `mollie_id` is set. refused: never happened."""

    PREPARED = "prepared"
    SENDING = "sending"
    UNKNOWN = "unknown"
    KNOWN = "known"
    REFUSED = "refused"


class Payment(Base):
    """One attempt at Mollie to collect a charge. `is_open` while it may still bring money.

    `uid` goes along as metadata and finds an attempt whose answer was lost. The key and the moment
    of its first use are committed before the call.
    """

    __tablename__ = "payment"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    charge_id: Mapped[int] = mapped_column(index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    sequence: Mapped[Sequence] = mapped_column(choice(Sequence, "sequence"))
    mandate_id: Mapped[int | None] = mapped_column(ForeignKey("mandate.id"))
    amount_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    stroke: Mapped[Stroke] = mapped_column(choice(Stroke, "stroke"), default=Stroke.PREPARED)
    is_open: Mapped[bool] = mapped_column(default=True)
    idempotency_key: Mapped[str] = mapped_column(String(36), unique=True)
    key_used_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    mollie_id: Mapped[str | None] = mapped_column(String(70))
    status: Mapped[PaymentStatus | None] = mapped_column(choice(PaymentStatus, "status"))
    method: Mapped[str | None] = mapped_column(String(24))
    checkout_url: Mapped[str | None] = mapped_column(String(1000))
    expires_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    # When Mollie says that it became what it is: an older sighting that comes late changes nothing.
    decided_at: Mapped[datetime | None]
    failure_code: Mapped[str | None] = mapped_column(String(60))

    __table_args__ = (
        UniqueConstraint("site_id", "mollie_id"),
        UniqueConstraint("id", "currency"),
        ForeignKeyConstraint(["charge_id", "currency"], ["charge.id", "charge.currency"]),
        # Mollie makes a mandate of a card without taking money; every other payment asks for some.
        CheckConstraint("amount_cents > 0 OR (amount_cents = 0 AND sequence = 'first')", name="amount"),
        CheckConstraint("sequence <> 'recurring' OR mandate_id IS NOT NULL", name="names_its_mandate"),
        CheckConstraint("stroke <> 'known' OR mollie_id IS NOT NULL", name="known_has_id"),
        Index(
            "uq_payment_open", "charge_id", unique=True,
            sqlite_where=text("is_open"), postgresql_where=text("is_open"),
        ),
    )  # fmt: skip

    @property
    def is_over(self) -> bool:
        """Whether Mollie has decided it."""
        return self.status in FINAL


class Refund(Base):
    """Money we send back, in the same three strokes as a payment."""

    __tablename__ = "refund"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    payment_id: Mapped[int] = mapped_column(index=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    reason: Mapped[str] = mapped_column(String(40))
    amount_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    stroke: Mapped[Stroke] = mapped_column(choice(Stroke, "stroke"), default=Stroke.PREPARED)
    idempotency_key: Mapped[str] = mapped_column(String(36), unique=True)
    key_used_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    mollie_id: Mapped[str | None] = mapped_column(String(70))

    __table_args__ = (
        UniqueConstraint("site_id", "mollie_id"),
        ForeignKeyConstraint(["payment_id", "currency"], ["payment.id", "payment.currency"]),
        # A payment is sent back once for one reason, however often the reason is noticed.
        UniqueConstraint("payment_id", "reason"),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
    )


class LedgerEntry(Base):
    """One money fact, written once. `amount_cents` is positive when it came in.

    Every fact names the payment that Mollie knows, except money that came outside of it.
    """

    __tablename__ = "ledger"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    charge_id: Mapped[int] = mapped_column(index=True)
    payment_id: Mapped[int | None] = mapped_column(index=True)
    kind: Mapped[EntryKind] = mapped_column(choice(EntryKind, "kind"))
    ref: Mapped[str] = mapped_column(String(100))
    amount_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    occurred_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("site_id", "ref"),
        ForeignKeyConstraint(["charge_id", "currency"], ["charge.id", "charge.currency"]),
        ForeignKeyConstraint(["payment_id", "currency"], ["payment.id", "payment.currency"]),
        CheckConstraint("amount_cents <> 0", name="amount_not_zero"),
        CheckConstraint(
            "(amount_cents > 0) = (kind IN ('payment', 'refund_undone', 'chargeback_undone', 'outside'))",
            name="sign_fits_kind",
        ),
        # What came in since a moment, from the index alone.
        Index("ix_ledger_summed", "site_id", "occurred_at", "amount_cents"),
        CheckConstraint(
            "(payment_id IS NULL) = (kind IN ('outside', 'outside_undone'))", name="payment_unless_outside"
        ),
    )


class Credit(Base):
    """What a member has in hand: positive when given, negative when a charge used it.

    Not money that moved: that is the ledger's. `ref` names the reason once.
    """

    __tablename__ = "credit"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    subscription_id: Mapped[int] = mapped_column(index=True)
    charge_id: Mapped[int | None] = mapped_column(ForeignKey("charge.id"))
    amount_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    reason: Mapped[str] = mapped_column(String(40))
    ref: Mapped[str] = mapped_column(String(100))

    __table_args__ = (
        UniqueConstraint("subscription_id", "ref"),
        ForeignKeyConstraint(["subscription_id", "currency"], ["subscription.id", "subscription.currency"]),
        CheckConstraint("amount_cents <> 0", name="amount_not_zero"),
    )
