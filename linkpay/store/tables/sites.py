"""Who sells what: sites, their owners, offers and plans."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from linkpay.domain.calendar import Interval, Unit
from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind, Terms
from linkpay.store.tables.base import PERIODS_FIT_KIND, Base, choice


class Site(Base):
    """One Kajabi site of an owner: the tenant. `token` is the secret part of its webhook addresses."""

    __tablename__ = "site"

    slug: Mapped[str] = mapped_column(String(60), unique=True)
    token: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    locale: Mapped[str] = mapped_column(String(8), default="nl")
    zone: Mapped[str] = mapped_column(String(64), default="Europe/Amsterdam")
    support_email: Mapped[str | None] = mapped_column(String(254))
    login_url: Mapped[str | None] = mapped_column(String(500))
    mollie_key_sealed: Mapped[str | None] = mapped_column(String(1000))
    mode: Mapped[str] = mapped_column(String(4), default="test")
    policy: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # Set when Mollie refuses the key: nothing is charged for this site until it is mended.
    halted_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("mode IN ('test', 'live')", name="mode"),)


class Owner(Base):
    """A person who signs in to manage sites."""

    __tablename__ = "owner"

    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    password_hash: Mapped[str | None] = mapped_column(String(200))


class SiteOwner(Base):
    """Which owner may do what on which site."""

    __tablename__ = "site_owner"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    owner_id: Mapped[int] = mapped_column(ForeignKey("owner.id"))
    role: Mapped[str] = mapped_column(String(12), default="owner")

    __table_args__ = (
        UniqueConstraint("site_id", "owner_id"),
        CheckConstraint("role IN ('owner', 'support', 'read_only')", name="role"),
    )


class Offer(Base):
    """What is sold and the Kajabi access it gives. Its two Kajabi addresses are secrets, sealed."""

    __tablename__ = "offer"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    slug: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(200))
    kajabi_offer_id: Mapped[str | None] = mapped_column(String(40))
    activation_url_sealed: Mapped[str | None] = mapped_column(String(1000))
    deactivation_url_sealed: Mapped[str | None] = mapped_column(String(1000))
    course_url: Mapped[str | None] = mapped_column(String(500))
    archived_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("site_id", "slug"),
        UniqueConstraint("site_id", "kajabi_offer_id"),
    )


class Plan(Base):
    """How an offer is paid. `periods` is the number of charges ever, NULL without an end."""

    __tablename__ = "plan"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"), index=True)
    slug: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(120))
    kind: Mapped[PlanKind] = mapped_column(choice(PlanKind, "kind"))
    amount_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    interval_unit: Mapped[Unit] = mapped_column(choice(Unit, "interval_unit"), default=Unit.MONTH)
    interval_count: Mapped[int] = mapped_column(default=1)
    periods: Mapped[int | None]
    vat_basis_points: Mapped[int] = mapped_column(default=2100)
    policy: Mapped[dict[str, Any]] = mapped_column(default=dict)
    position: Mapped[int] = mapped_column(default=0)
    archived_at: Mapped[datetime | None]

    offer: Mapped[Offer] = relationship()

    __table_args__ = (
        UniqueConstraint("site_id", "slug"),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint("length(currency) = 3", name="currency"),
        CheckConstraint("interval_count BETWEEN 1 AND 365", name="interval_count"),
        CheckConstraint("vat_basis_points BETWEEN 0 AND 10000", name="vat"),
        CheckConstraint(PERIODS_FIT_KIND, name="periods_fit_kind"),
    )

    @property
    def terms(self) -> Terms:
        """The plan as the rules see it."""
        return Terms(
            self.kind,
            Money(self.amount_cents, self.currency),
            Interval(self.interval_unit, self.interval_count),
            self.periods,
        )
