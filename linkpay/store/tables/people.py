"""Who pays, who is let in, and what they allowed."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from linkpay.domain.snapshots import MandateStatus
from linkpay.store.tables.base import Base, BigInt, choice


class Customer(Base):
    """A person who pays; owns one Mollie customer per site. `email` is trimmed and lower case."""

    __tablename__ = "customer"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    email: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(200))
    locale: Mapped[str] = mapped_column(String(8), default="nl")
    mollie_id: Mapped[str | None] = mapped_column(String(70))
    # Committed before Mollie is asked to make the customer, so that a repeat makes no second one.
    idempotency_key: Mapped[str] = mapped_column(String(36))

    __table_args__ = (
        UniqueConstraint("site_id", "email"),
        UniqueConstraint("site_id", "mollie_id"),
        Index("ix_customer_listed", "site_id", "id"),
    )


class Member(Base):
    """The person who gets access. `external_user_id` is chosen once and sent verbatim for ever."""

    __tablename__ = "member"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    email: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(200))
    external_user_id: Mapped[str] = mapped_column(String(254))
    blocked_at: Mapped[datetime | None]
    blocked_reason: Mapped[str | None] = mapped_column(String(200))
    # Her access moved to this member; what is hers still counts until it is granted there.
    moved_to_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"), index=True)
    # The tags at Kajabi that we gave her, where its API is connected.
    kajabi_tags: Mapped[list[str]] = mapped_column(JSON(), default=list)

    __table_args__ = (
        UniqueConstraint("site_id", "email"),
        UniqueConstraint("site_id", "external_user_id"),
        Index("ix_member_listed", "site_id", "id"),
    )


def _words(person: str) -> Table:
    """The words of a person's name, address and id, kept by triggers alone: they are found, never written."""
    number, word = f"{person}_id", String(40).with_variant(String(40, collation="C"), "postgresql")
    return Table(
        f"{person}_word",
        Base.metadata,
        Column(number, BigInt, ForeignKey(f"{person}.id", ondelete="CASCADE"), primary_key=True),
        Column("word", word, primary_key=True),
        Column("site_id", BigInt, ForeignKey("site.id"), nullable=False),
        Index(f"ix_{person}_word_found", "site_id", "word", number),
    )


customer_word, member_word = _words("customer"), _words("member")


class Mandate(Base):
    """Permission to collect, made by a first payment. `account_hint` is at most four digits.

    `unusable_at` is when a bank, or the member through her bank, refused it for good: Mollie may call it
    valid all the same, and it is never debited again. `unusable_code` says why.
    """

    __tablename__ = "mandate"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    mollie_id: Mapped[str] = mapped_column(String(70))
    status: Mapped[MandateStatus] = mapped_column(choice(MandateStatus, "status"))
    method: Mapped[str] = mapped_column(String(24))
    account_hint: Mapped[str | None] = mapped_column(String(4))
    reference: Mapped[str | None] = mapped_column(String(60))
    signed_on: Mapped[date | None]
    unusable_at: Mapped[datetime | None]
    unusable_code: Mapped[str | None] = mapped_column(String(60))

    __table_args__ = (UniqueConstraint("site_id", "mollie_id"),)

    @property
    def may_be_tried(self) -> bool:
        """Whether a debit may be prepared on it; one that is not known as valid is asked about first."""
        ended = self.status in (MandateStatus.INVALID, MandateStatus.REVOKED)
        return self.unusable_at is None and not ended


class Consent(Base):
    """What a person agreed to, in the words she read. Never changed, never removed while it matters."""

    __tablename__ = "consent"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"), index=True)
    kind: Mapped[str] = mapped_column(String(24))
    locale: Mapped[str] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(Text)
    # What the words meant in figures, for the rules that ask: ``notice_days``, ``starts_at_once``.
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Renewal(Base):
    """A member gives a new permission to collect, by the first payment of a check charge.

    `replaces_id` is the mandate that was charged when she asked; with `for_all` every subscription of
    hers on it moves along. `outcome`: ``moved``, ``overtaken`` by a newer one, or ``never_valid``.
    """

    __tablename__ = "renewal"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"), index=True)
    charge_id: Mapped[int] = mapped_column(ForeignKey("charge.id"), unique=True)
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("mandate.id"))
    for_all: Mapped[bool] = mapped_column(default=True)
    outcome: Mapped[str | None] = mapped_column(String(12))
    done_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("(outcome IS NULL) = (done_at IS NULL)", name="done_has_outcome"),
        CheckConstraint("outcome IN ('moved', 'overtaken', 'never_valid')", name="outcome"),
    )


class Gift(Base):
    """Access that an owner gives, until a day (site's zone; the first day without it) or for ever."""

    __tablename__ = "gift"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"))
    until: Mapped[date | None]
    reason: Mapped[str] = mapped_column(String(200), default="")
    given_by: Mapped[str] = mapped_column(String(60))
    taken_back_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "uq_gift_open", "member_id", "offer_id", unique=True,
            sqlite_where=text("taken_back_at IS NULL"), postgresql_where=text("taken_back_at IS NULL"),
        ),
    )  # fmt: skip


class Visit(Base):
    """A door that opens by e-mail: a link to press once, then a session. Only hashes are kept.

    `kind`: link, session, or move: a link to a new address, to which what `moves_from` has goes along.
    Found by hash, never by e-mail alone.
    """

    __tablename__ = "visit"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    kind: Mapped[str] = mapped_column(String(8))
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    moves_from: Mapped[str | None] = mapped_column(String(254))
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("kind IN ('link', 'session', 'move')", name="kind"),
        CheckConstraint("(kind = 'move') = (moves_from IS NOT NULL)", name="only_a_move_moves"),
        Index("ix_visit_expires_at", "expires_at"),
    )


class Access(StrEnum):
    """What we want, and what Kajabi last confirmed."""

    UNKNOWN = "unknown"
    GRANTED = "granted"
    REVOKED = "revoked"


class Grant(Base):
    """Access of a member to an offer: what is wanted, and what was applied at Kajabi.

    `version` counts the changes of `wanted`; a job always sends the newest wanted state under the
    lease, so a late grant cannot undo a newer revoke.
    """

    __tablename__ = "access_grant"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"), index=True)
    wanted: Mapped[Access] = mapped_column(choice(Access, "wanted"))
    reason: Mapped[str] = mapped_column(String(40))
    until: Mapped[datetime | None]
    wanted_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    applied: Mapped[Access] = mapped_column(choice(Access, "applied"), default=Access.UNKNOWN)
    applied_version: Mapped[int] = mapped_column(default=0)
    applied_at: Mapped[datetime | None]
    first_granted_at: Mapped[datetime | None]
    answer_status: Mapped[int | None]
    answer_body: Mapped[str | None] = mapped_column(Text)
    lease: Mapped[str | None] = mapped_column(String(36))
    leased_until: Mapped[datetime | None]
    # What Kajabi shows as granted proves nothing below this version: a revoke of another offer may have
    # closed what this one opened.
    doubted_version: Mapped[int] = mapped_column(default=0)
    # Kajabi's public API showed what we believe, where it is connected; how often in a row it did not.
    verified_at: Mapped[datetime | None]
    mismatches: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        UniqueConstraint("member_id", "offer_id"),
        CheckConstraint("wanted <> 'unknown'", name="wanted_is_known"),
        CheckConstraint("applied_version <= version", name="applied_not_ahead"),
        Index("ix_access_grant_site_id_until", "site_id", "until"),
        # What Kajabi has not confirmed yet is little, and is asked for every few minutes.
        Index(
            "ix_access_grant_behind_site", "site_id", "wanted_at",
            sqlite_where=text("applied_version < version"),
            postgresql_where=text("applied_version < version"),
        ),
        Index(
            "ix_access_grant_behind", "wanted_at",
            sqlite_where=text("applied_version < version"),
            postgresql_where=text("applied_version < version"),
        ),
    )  # fmt: skip
