"""What an owner does to many members at once, and the views of the list that she keeps."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from linkpay.store.tables.base import Base


class SavedView(Base):
    """A filter of the list of members under a name, of one person on one site."""

    __tablename__ = "saved_view"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    owner_id: Mapped[int] = mapped_column(ForeignKey("owner.id"))
    name: Mapped[str] = mapped_column(String(60))
    wanted: Mapped[dict[str, Any]] = mapped_column(default=dict)

    __table_args__ = (
        UniqueConstraint("site_id", "owner_id", "name"),
        CheckConstraint("name <> ''", name="has_a_name"),
    )


class BulkRun(Base):
    """One act for everybody whom a filter meant when it was begun. `params` are what the act needs."""

    __tablename__ = "bulk_run"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    act: Mapped[str] = mapped_column(String(24))
    actor: Mapped[str] = mapped_column(String(60))
    wanted: Mapped[dict[str, Any]] = mapped_column(default=dict)
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    total: Mapped[int] = mapped_column(default=0)
    stopped_at: Mapped[datetime | None]


class BulkItem(Base):
    """One member of a run. `outcome` is ``done`` or why not, None while it waits."""

    __tablename__ = "bulk_item"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    run_id: Mapped[int] = mapped_column(ForeignKey("bulk_run.id"))
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"))
    batch: Mapped[int]
    outcome: Mapped[str | None] = mapped_column(String(40))
    done_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("run_id", "subscription_id"),
        Index("ix_bulk_item_run_id_batch", "run_id", "batch"),
        Index(
            "ix_bulk_item_waiting", "run_id", sqlite_where=text("outcome IS NULL"),
            postgresql_where=text("outcome IS NULL"),
        ),
    )  # fmt: skip
