"""A customer on a plan."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from linkpay.domain.calendar import Interval, Unit
from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind, Terms
from linkpay.domain.subscription import SubscriptionState
from linkpay.store.tables.base import PERIODS_FIT_KIND, Base, choice


class Subscription(Base):
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
    kind: Mapped[PlanKind] = mapped_column(choice(PlanKind, "kind"))
    amount_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    interval_unit: Mapped[Unit] = mapped_column(choice(Unit, "interval_unit"))
    interval_count: Mapped[int]
    periods: Mapped[int | None]
    vat_basis_points: Mapped[int]
    policy: Mapped[dict[str, Any]] = mapped_column(default=dict)
    started_at: Mapped[datetime | None]
    anchor_on: Mapped[date | None]
    anchor_index: Mapped[int] = mapped_column(default=0)
    next_index: Mapped[int] = mapped_column(default=0)
    next_charge_on: Mapped[date | None]
    last_raised_on: Mapped[date | None]
    signup_ends_at: Mapped[datetime | None]
    cancel_on: Mapped[date | None]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("id", "currency"),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint("origin IN ('checkout', 'kajabi', 'import')", name="origin"),
        CheckConstraint("interval_count > 0", name="interval_count"),
        CheckConstraint(PERIODS_FIT_KIND, name="periods_fit_kind"),
        # One sign-up at a time: the second tab finds the first one's.
        Index(
            "uq_subscription_pending", "customer_id", "offer_id", unique=True,
            sqlite_where=text("state = 'pending'"), postgresql_where=text("state = 'pending'"),
        ),
        Index(
            "ix_subscription_due", "next_charge_on", "id",
            sqlite_where=text("next_charge_on IS NOT NULL"),
            postgresql_where=text("next_charge_on IS NOT NULL"),
        ),
    )  # fmt: skip

    @property
    def terms(self) -> Terms:
        """The frozen terms as the rules see them."""
        return Terms(
            self.kind,
            Money(self.amount_cents, self.currency),
            Interval(self.interval_unit, self.interval_count),
            self.periods,
        )
