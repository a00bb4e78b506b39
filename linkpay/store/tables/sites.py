"""Who sells what: sites, their owners, offers and plans."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from linkpay.store.tables.base import Base
from linkpay.store.tables.terms import Agreed, checks


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
    # The SEPA creditor id that debits carry, as Mollie's payments show it; told in every pre-notification.
    creditor_id: Mapped[str | None] = mapped_column(String(35))
    # Kajabi's public API, optional: for reading back, drift checks and tags.
    kajabi_site_id: Mapped[str | None] = mapped_column(String(40))
    kajabi_client_id: Mapped[str | None] = mapped_column(String(200))
    kajabi_client_secret_sealed: Mapped[str | None] = mapped_column(String(1000))
    # Names of tags at Kajabi by what they say: ``active``, ``payment_failed``, ``cancelled``.
    kajabi_tags: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # Set when Mollie refuses the key: nothing is charged for this site until it is mended.
    halted_at: Mapped[datetime | None]
    # Set after a restore or a long outage: nothing is charged before Mollie's payments since then are known.
    catch_up_from: Mapped[datetime | None]
    # The owner's colour as ``#rrggbb``, and a digest of her logo; without them the pages have ours.
    accent: Mapped[str | None] = mapped_column(String(7))
    logo_digest: Mapped[str | None] = mapped_column(String(16))
    # Origins of the pages that the checkout may be put into.
    embed_parents: Mapped[list[str]] = mapped_column(JSON(), default=list)
    # Methods that the Mollie account offers, as (id, its name): ``first`` for what goes on, ``once`` else.
    methods: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # How long handled messages and sent mails are kept as they came and went.
    keep_messages_days: Mapped[int] = mapped_column(default=365)
    keep_mails_days: Mapped[int] = mapped_column(default=730)

    __table_args__ = (
        CheckConstraint("mode IN ('test', 'live')", name="mode"),
        # Banks ask for proof of a notice up to 13 months after a debit.
        CheckConstraint("keep_messages_days >= 30 AND keep_mails_days >= 400", name="keeps_long_enough"),
    )


class Logo(Base):
    """The picture of a site, apart from it: every job reads the site, and only pages want this."""

    __tablename__ = "logo"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), unique=True)
    media_type: Mapped[str] = mapped_column(String(20))
    content: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        CheckConstraint("media_type IN ('image/png', 'image/jpeg', 'image/webp')", name="media_type"),
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
    # What it opens at Kajabi, where that is known: a revoke there also closes what another offer shares.
    products: Mapped[list[str]] = mapped_column(JSON(), default=list)
    archived_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("site_id", "slug"),
        UniqueConstraint("site_id", "kajabi_offer_id"),
    )


class Plan(Agreed, Base):
    """How an offer is paid."""

    __tablename__ = "plan"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"), index=True)
    slug: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(120))
    position: Mapped[int] = mapped_column(default=0)
    # Whether the checkout asks for a company and its VAT number.
    for_business: Mapped[bool] = mapped_column(default=False)
    archived_at: Mapped[datetime | None]

    offer: Mapped[Offer] = relationship()

    __table_args__ = (UniqueConstraint("site_id", "slug"), *checks())


class Coupon(Base):
    """A code that takes something off. `value` is cents, or basis points for a percentage.

    `plan_slugs` empty: for every plan of the site. `max_uses` NULL: as often as people like.
    """

    __tablename__ = "coupon"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    code: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(8))
    value: Mapped[int]
    duration: Mapped[str] = mapped_column(String(8))
    periods: Mapped[int | None]
    max_uses: Mapped[int | None]
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    plan_slugs: Mapped[list[str]] = mapped_column(JSON(), default=list)
    archived_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("site_id", "code"),
        CheckConstraint("kind IN ('amount', 'percent')", name="kind"),
        CheckConstraint("value > 0 AND (kind = 'amount' OR value <= 10000)", name="value"),
        CheckConstraint("duration IN ('once', 'periods', 'forever')", name="duration"),
        CheckConstraint(
            "(duration = 'periods') = (periods IS NOT NULL) AND (periods IS NULL OR periods > 0)",
            name="periods",
        ),
        CheckConstraint("max_uses IS NULL OR max_uses > 0", name="max_uses"),
    )


class Bump(Base):
    """Something small that a checkout offers beside its own: `plan_id` is what is added, paid once."""

    __tablename__ = "bump"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"), index=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"))
    title: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(String(500), default="")
    position: Mapped[int] = mapped_column(default=0)
    archived_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("offer_id", "plan_id"),)
