"""What keeps the service honest: how far endless work has come, what was counted and compared, and who
may ask by program."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from linkpay.store.tables.base import Base


class Progress(Base):
    """How far something that never ends has come: a row by `name`, such as ``clock`` for its last turn.

    `at` is the product's time, `machine_at` the machine's: in the sandbox the two differ.
    """

    __tablename__ = "progress"

    name: Mapped[str] = mapped_column(String(60), unique=True)
    at: Mapped[datetime]
    machine_at: Mapped[datetime]
    number: Mapped[int] = mapped_column(default=0)


class Counter(Base):
    """Something that only grows, for metrics: how often `name` happened with `label`."""

    __tablename__ = "counter"

    name: Mapped[str] = mapped_column(String(60))
    label: Mapped[str] = mapped_column(String(60), default="")
    value: Mapped[int]

    __table_args__ = (UniqueConstraint("name", "label"), CheckConstraint("value >= 0", name="grows"))


class BookCheck(Base):
    """The ledger of one site laid beside Mollie's lists, from `since` to when it was made.

    `differs` counts what could not be explained; `figures` are the sums and the lines of the report.
    """

    __tablename__ = "book_check"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    since: Mapped[datetime]
    differs: Mapped[int]
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)

    __table_args__ = (Index("ix_book_check_site_id_id", "site_id", "id"),)


class KeptNumbers(Base):
    """The numbers of a large site as they were at `counted_at`, so that a page need not count them."""

    __tablename__ = "kept_numbers"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), unique=True)
    counted_at: Mapped[datetime]
    figures: Mapped[dict[str, Any]]


class ApiKey(Base):
    """A program that may read a site, and with `may_write` do a few safe things. Only a hash is kept."""

    __tablename__ = "api_key"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    may_write: Mapped[bool] = mapped_column(default=False)
    made_by: Mapped[str] = mapped_column(String(60))
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class ApiCall(Base):
    """A write that a program asked for under a key of its own: asked again, it gets the first answer."""

    __tablename__ = "api_call"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    api_key_id: Mapped[int] = mapped_column(ForeignKey("api_key.id"))
    key: Mapped[str] = mapped_column(String(255))
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    answer: Mapped[dict[str, Any]] = mapped_column(default=dict)

    __table_args__ = (
        UniqueConstraint("api_key_id", "key"),
        Index("ix_api_call_created_at", "created_at"),
    )
