"""People who manage sites: who they are, how they prove it, and what they may do where."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from linkpay.domain.roles import Role
from linkpay.store.tables.base import Base, choice


class Owner(Base):
    """A person who signs in. `totp_step` is the last time step whose code was used: each counts once."""

    __tablename__ = "owner"

    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    locale: Mapped[str] = mapped_column(String(8), default="nl")
    password_hash: Mapped[str | None] = mapped_column(String(200))
    totp_sealed: Mapped[str | None] = mapped_column(String(500))
    totp_confirmed_at: Mapped[datetime | None]
    totp_step: Mapped[int] = mapped_column(default=0)


class SiteOwner(Base):
    """Which owner may do what on which site."""

    __tablename__ = "site_owner"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    owner_id: Mapped[int] = mapped_column(ForeignKey("owner.id"), index=True)
    role: Mapped[Role] = mapped_column(choice(Role, "role"), default=Role.OWNER)

    __table_args__ = (UniqueConstraint("site_id", "owner_id"),)


class OwnerSession(Base):
    """One signed-in browser, found by the hash of its cookie. Whole once the second factor was given."""

    __tablename__ = "owner_session"

    owner_id: Mapped[int] = mapped_column(ForeignKey("owner.id"), index=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime]
    whole_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """A code for the day the phone is lost, kept as a hash; each opens once."""

    __tablename__ = "recovery_code"

    owner_id: Mapped[int] = mapped_column(ForeignKey("owner.id"), index=True)
    hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("owner_id", "hash"),)


class Invitation(Base):
    """A colleague who was asked to help manage a site. The link is kept as a hash."""

    __tablename__ = "invitation"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[Role] = mapped_column(choice(Role, "role"))
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    invited_by: Mapped[str] = mapped_column(String(60))
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class Attempt(Base):
    """A try at a door that failed, to slow down who guesses. `subject` is a hash of whom or from where."""

    __tablename__ = "attempt"

    subject: Mapped[str] = mapped_column(String(64))

    __table_args__ = (
        CheckConstraint("subject <> ''", name="subject"),
        Index("ix_attempt_subject_created_at", "subject", "created_at"),
    )
