"""A customer on a plan, and what was decided about it since."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, validates

from linkpay.domain.subscription import SubscriptionState
from linkpay.store.tables.base import Base, choice
from linkpay.store.tables.terms import Agreed, checks


class Subscription(Agreed, Base):
    """The terms are frozen here when it starts: a plan may change afterwards, a promise may not.

    Period `anchor_index` starts on `anchor_on`; all other days follow from these two. `next_index`
    is the first period without a charge and `next_charge_on` the day on which it becomes due.
    """

    __tablename__ = "subscription"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    token: Mapped[str] = mapped_column(String(43), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"))
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"), index=True)
    mandate_id: Mapped[int | None] = mapped_column(ForeignKey("mandate.id"))
    state: Mapped[SubscriptionState] = mapped_column(choice(SubscriptionState, "state"))
    origin: Mapped[str] = mapped_column(String(12))
    # An order bump is paid within the charge of what it was added to, and stands and falls with it.
    paid_within_id: Mapped[int | None] = mapped_column(
        ForeignKey("charge.id", use_alter=True, name="fk_subscription_paid_within_id"), index=True
    )
    # The browser that ordered, by a name that only its signed cookie holds; NULL: none did, or more than one.
    ordered_by: Mapped[str | None] = mapped_column(String(22))
    started_at: Mapped[datetime | None]
    anchor_on: Mapped[date | None]
    anchor_index: Mapped[int] = mapped_column(default=0)
    next_index: Mapped[int] = mapped_column(default=0)
    next_charge_on: Mapped[date | None]
    last_raised_on: Mapped[date | None]
    signup_ends_at: Mapped[datetime | None]
    # The first day after the minimum term, NULL without one.
    bound_until: Mapped[date | None]
    cancel_on: Mapped[date | None]
    cancel_asked_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None] = mapped_column(String(300))
    canceled_by: Mapped[str | None] = mapped_column(String(60))
    # Access ends here whatever was paid: stopped at once, or withdrawn from.
    access_ends_at: Mapped[datetime | None]
    pause_on: Mapped[date | None]
    resume_on: Mapped[date | None]
    pause_keeps_access: Mapped[bool] = mapped_column(default=False)
    # The plan that begins with the next period, once that was chosen.
    next_plan_id: Mapped[int | None] = mapped_column(ForeignKey("plan.id"))
    # Nothing is sent before this day: a pre-notification has to be in time.
    not_before_on: Mapped[date | None]
    # When its next pre-notification is looked at again; NULL means now (`_look_at_notices`).
    notice_look_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    # Of who buys for a business, as she gave them; shown on her receipts.
    company: Mapped[str | None] = mapped_column(String(200))
    vat_number: Mapped[str | None] = mapped_column(String(20))

    __table_args__ = (
        UniqueConstraint("id", "currency"),
        CheckConstraint(
            "origin IN ('checkout', 'kajabi', 'import', 'upsell', 'bump')", name="origin"
        ),
        CheckConstraint("(origin = 'bump') = (paid_within_id IS NOT NULL)", name="bump_is_paid_within"),
        CheckConstraint("resume_on IS NULL OR pause_on IS NOT NULL", name="resume_after_pause"),
        *checks(),
        # One sign-up at a time: the second tab finds the first one's.
        Index(
            "uq_subscription_pending", "customer_id", "offer_id", unique=True,
            sqlite_where=text("state = 'pending'"), postgresql_where=text("state = 'pending'"),
        ),
        # The list of members, newest first: of a site, and of a site in one state.
        Index(
            "ix_subscription_listed", "site_id", "id", sqlite_where=text("origin <> 'bump'"),
            postgresql_where=text("origin <> 'bump'"),
        ),
        Index(
            "ix_subscription_listed_state", "site_id", "state", "id",
            sqlite_where=text("origin <> 'bump'"), postgresql_where=text("origin <> 'bump'"),
        ),
        # How many run by each plan, and what is due when: from the index alone.
        Index("ix_subscription_by_plan", "site_id", "plan_id", "state"),
        Index(
            "ix_subscription_due_sums", "site_id", "next_charge_on", "amount_cents",
            sqlite_where=text("next_charge_on IS NOT NULL"),
            postgresql_where=text("next_charge_on IS NOT NULL"),
        ),
        Index(
            "ix_subscription_due", "next_charge_on", "id",
            sqlite_where=text("next_charge_on IS NOT NULL"),
            postgresql_where=text("next_charge_on IS NOT NULL"),
        ),
        Index(
            "ix_subscription_notice", "notice_look_at", "id",
            sqlite_where=text("next_charge_on IS NOT NULL"),
            postgresql_where=text("next_charge_on IS NOT NULL"),
        ),
        Index(
            "ix_subscription_resume", "resume_on",
            sqlite_where=text("resume_on IS NOT NULL"), postgresql_where=text("resume_on IS NOT NULL"),
        ),
    )  # fmt: skip

    @validates(
        "amount_cents", "cancel_on", "mandate_id", "next_charge_on", "next_plan_id", "pause_on", "resume_on"
    )
    def _look_at_notices(self, _name: str, value: Any) -> Any:
        """Whoever changes what will be collected, or when, need not remember that it has to be told."""
        self.notice_look_at = None
        return value


class Redemption(Base):
    """A coupon as one subscription uses it, frozen. `counted_at` is set when it was paid with."""

    __tablename__ = "redemption"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    coupon_id: Mapped[int] = mapped_column(ForeignKey("coupon.id"), index=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"), unique=True)
    kind: Mapped[str] = mapped_column(String(8))
    value: Mapped[int]
    duration: Mapped[str] = mapped_column(String(8))
    periods: Mapped[int | None]
    counted_at: Mapped[datetime | None]


class PriceChange(Base):
    """A new price for a running subscription, from the first charge on or after `effective_on`.

    It counts once it was `told_at`; `batch` names the decision that it belongs to.
    """

    __tablename__ = "price_change"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"), index=True)
    batch: Mapped[str] = mapped_column(String(36), index=True)
    amount_cents: Mapped[int]
    effective_on: Mapped[date]
    told_at: Mapped[datetime | None]
    applied_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(String(60))

    __table_args__ = (
        UniqueConstraint("subscription_id", "batch"),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
    )


class WorthChange(Base):
    """A running membership brings another amount from now on: a new price, or another plan.

    Both amounts are what it comes to in a month, rounded to cents.
    """

    __tablename__ = "worth_change"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"), index=True)
    before_cents: Mapped[int]
    after_cents: Mapped[int]


class Notice(Base):
    """A pre-notification: this amount will be collected on this day. Kept as proof.

    A mail of ours told it, or a page on which its payer agreed to just this, or (neither) whoever collected
    before a take-over. `series` says that it told of every later debit of the same amount as well, every
    `interval_count` `interval_unit`. It counts from `sent_at`.
    """

    __tablename__ = "notice"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"), index=True)
    mandate_id: Mapped[int | None] = mapped_column(ForeignKey("mandate.id"))
    mail_id: Mapped[int | None] = mapped_column(ForeignKey("mail.id"))
    consent_id: Mapped[int | None] = mapped_column(ForeignKey("consent.id"))
    amount_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    due_on: Mapped[date]
    series: Mapped[bool] = mapped_column(default=False)
    interval_unit: Mapped[str | None] = mapped_column(String(8))
    interval_count: Mapped[int | None]
    sent_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("subscription_id", "mandate_id", "due_on", "amount_cents"),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        Index("ix_notice_mail_id", "mail_id"),
    )


class Withdrawal(Base):
    """What somebody declared on the withdrawal page, as she declared it, and what came of it.

    `received_at` is what counts in law; it takes effect once it is proven to come from the customer.
    """

    __tablename__ = "withdrawal"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    token: Mapped[str] = mapped_column(String(43), unique=True)
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscription.id"), index=True)
    email: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(200), default="")
    reference: Mapped[str] = mapped_column(String(100), default="")
    locale: Mapped[str] = mapped_column(String(8), default="nl")
    statement: Mapped[str] = mapped_column(String(2000))
    received_at: Mapped[datetime]
    proven_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(40))
    refund_cents: Mapped[int | None]

    __table_args__ = (
        CheckConstraint("done_at IS NULL OR proven_at IS NOT NULL", name="done_is_proven"),
        Index("ix_withdrawal_listed", "site_id", "id"),
    )


class Upsell(Base):
    """A link by which one customer can buy one plan by one click. `subscription_id` is what she bought by it:
    a link sells once. Only a hash of its secret is kept.

    A link with a `mandate_id` charges this mandate or none: it was made for who ordered by it, and that need
    not be the customer whose address was typed.
    """

    __tablename__ = "upsell"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"))
    mandate_id: Mapped[int | None] = mapped_column(ForeignKey("mandate.id"))
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscription.id"), unique=True)
    expires_at: Mapped[datetime]


class Takeover(Base):
    """A subscription that ran at Mollie and is taken over: Mollie's is cancelled before our first charge.

    `state`: planned, canceling (asked, not yet confirmed), canceled, taken, refused. `next_on` and
    `remaining` are what Mollie promised last while its subscription was active.
    """

    __tablename__ = "takeover"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    mollie_customer_id: Mapped[str] = mapped_column(String(70))
    mollie_subscription_id: Mapped[str] = mapped_column(String(70))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"), index=True)
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("plan.id"))
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscription.id"))
    state: Mapped[str] = mapped_column(String(12), default="planned")
    next_on: Mapped[date | None]
    remaining: Mapped[int | None]
    why: Mapped[str] = mapped_column(String(300), default="")

    __table_args__ = (
        UniqueConstraint("site_id", "mollie_subscription_id"),
        CheckConstraint("state IN ('planned', 'canceling', 'canceled', 'taken', 'refused')", name="state"),
    )
