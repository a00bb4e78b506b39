"""Messages received, work owed, mails written, and what happened, for people."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from linkpay.store.tables.base import Base


class Work:
    """The columns by which a row is also a job: claimed by lease, finished by compare-and-set.

    `attempts` counts tries for the backoff, `crashes` those that never reported back.
    """

    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    crashes: Mapped[int] = mapped_column(default=0)
    lease: Mapped[str | None] = mapped_column(String(36))
    leased_until: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    parked_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(500))


def _due(table: str) -> Index:
    """The index by which the sweep finds what is due, without reading what is finished."""
    waiting = text("done_at IS NULL AND parked_at IS NULL")
    return Index(f"ix_{table}_due", "run_at", sqlite_where=waiting, postgresql_where=waiting)


def _parked(table: str) -> Index:
    """The index by which what waits for a person is counted, without reading what is finished."""
    parked = text("parked_at IS NOT NULL AND done_at IS NULL")
    return Index(f"ix_{table}_parked", "parked_at", sqlite_where=parked, postgresql_where=parked)


class Inbox(Work, Base):
    """A message from Mollie or Kajabi, as it came. Appended always: Mollie posts one id many times."""

    __tablename__ = "inbox"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    source: Mapped[str] = mapped_column(String(8))
    ref: Mapped[str] = mapped_column(String(80))
    content_type: Mapped[str] = mapped_column(String(100), default="")
    body: Mapped[bytes] = mapped_column(LargeBinary)
    outcome: Mapped[str | None] = mapped_column(String(40))

    __table_args__ = (
        CheckConstraint("source IN ('mollie', 'kajabi')", name="source"),
        Index("ix_inbox_site_id_ref", "site_id", "ref"),
        _due("inbox"),
        _parked("inbox"),
    )


class Outbox(Work, Base):
    """Work owed. (`kind`, `ref`) names a piece of work once, for ever; `target_id` is its row."""

    __tablename__ = "outbox"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    kind: Mapped[str] = mapped_column(String(24))
    ref: Mapped[str] = mapped_column(String(80))
    target_id: Mapped[int]

    __table_args__ = (
        UniqueConstraint("kind", "ref"),
        _due("outbox"),
        _parked("outbox"),
        # Which steps of a ladder wait for a charge.
        Index(
            "ix_outbox_waiting", "kind", "target_id", sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )  # fmt: skip


class Mail(Base):
    """A mail owed, and once written, as it was sent. `step` names its reason once, so no step is
    ever mailed twice. Subject and texts are filled in when it is written, just before sending. One about no
    subscription, such as a link to sign in, has its `to` from the start."""

    __tablename__ = "mail"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscription.id"), index=True)
    charge_id: Mapped[int | None] = mapped_column(ForeignKey("charge.id"))
    locale: Mapped[str | None] = mapped_column(String(8))
    step: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(40))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    to: Mapped[str | None] = mapped_column(String(254))
    subject: Mapped[str | None] = mapped_column(String(250))
    text: Mapped[str | None] = mapped_column(Text)
    html: Mapped[str | None] = mapped_column(Text)
    sent_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("site_id", "step"),
        CheckConstraint('subscription_id IS NOT NULL OR "to" IS NOT NULL', name="has_a_reader"),
        Index("ix_mail_site_id_to", "site_id", "to"),
    )


class MailText(Base):
    """The owner's own words for one kind of mail, in the form of `services/mails`."""

    __tablename__ = "mail_text"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    kind: Mapped[str] = mapped_column(String(40))
    locale: Mapped[str] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(Text)
    changed_by: Mapped[str] = mapped_column(String(60))
    changed_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("site_id", "kind", "locale"),)


class Event(Base):
    """What happened and who did it, for people. Append-only; `created_at` is when it happened."""

    __tablename__ = "event"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    kind: Mapped[str] = mapped_column(String(40))
    actor: Mapped[str] = mapped_column(String(60))
    correlation: Mapped[str | None] = mapped_column(String(60))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"), index=True)
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscription.id"), index=True)
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payment.id"), index=True)
    # Whom it is about, where it is about no purchase: a gift, a block, a move.
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"), index=True)
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)

    __table_args__ = (
        # The audit reads what people did among all that happened.
        Index(
            "ix_event_by_people", "site_id", "id", sqlite_where=text("substr(actor, 1, 5) = 'owner'"),
            postgresql_where=text("substr(actor, 1, 5) = 'owner'"),
        ),
    )  # fmt: skip


class Attention(Base):
    """Something that needs a person. `subject` is unique while open, so a trouble is shown once."""

    __tablename__ = "attention"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    kind: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(100))
    detail: Mapped[str] = mapped_column(String(500))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    solved_at: Mapped[datetime | None]
    solved_by: Mapped[str | None] = mapped_column(String(60))
    solution: Mapped[str | None] = mapped_column(String(60))

    __table_args__ = (
        Index(
            "uq_attention_open", "site_id", "kind", "subject", unique=True,
            sqlite_where=text("solved_at IS NULL"), postgresql_where=text("solved_at IS NULL"),
        ),
    )  # fmt: skip
