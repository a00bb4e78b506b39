"""What Kajabi had when it was asked who has an offer, against what it should have."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from linkpay.store.tables.base import Base


class DriftRun(Base):
    """One look at everybody who has one offer at Kajabi, page by page. `created_at` is when it began.

    `holders` counts who has it there; `strangers` those of them whom LinkPay never let in.
    """

    __tablename__ = "drift_run"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"), index=True)
    next_page: Mapped[int] = mapped_column(default=1)
    holders: Mapped[int] = mapped_column(default=0)
    strangers: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[datetime | None]


class DriftFinding(Base):
    """A member who lacks what she should have (missing), or has what she should not have (extra)."""

    __tablename__ = "drift_finding"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    run_id: Mapped[int] = mapped_column(ForeignKey("drift_run.id"))
    grant_id: Mapped[int] = mapped_column(ForeignKey("access_grant.id"))
    kind: Mapped[str] = mapped_column(String(8))
    repaired: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        UniqueConstraint("run_id", "grant_id"),
        CheckConstraint("kind IN ('missing', 'extra')", name="kind"),
    )
