"""People who manage sites, their sessions and invitations."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update

from linkpay.domain.roles import Role
from linkpay.store.db import FOR_CHANGE, Tx, insert_once
from linkpay.store.tables import Attempt, Invitation, Owner, OwnerSession, RecoveryCode, Site, SiteOwner


def by_email(tx: Tx, email: str) -> Owner | None:
    """The owner with this e-mail (lower case)."""
    return tx.scalar(select(Owner).where(Owner.email == email))


def second_factors(tx: Tx) -> Sequence[tuple[int, str]]:
    """The sealed seed of each owner who has one, by her id."""
    query = select(Owner.id, Owner.totp_sealed).where(Owner.totp_sealed.is_not(None)).order_by(Owner.id)
    return [(owner_id, sealed) for owner_id, sealed in tx.execute(query) if sealed is not None]


def owner_for(tx: Tx, email: str, now: datetime) -> Owner:
    """The owner with this e-mail, made when there is none."""
    insert_once(tx, Owner, email=email, created_at=now)
    return tx.scalars(select(Owner).where(Owner.email == email)).one()


def put_role(tx: Tx, site_id: int, owner_id: int, role: Role, now: datetime) -> None:
    """Let an owner do on a site what the role allows, also when she had another role there."""
    insert_once(tx, SiteOwner, site_id=site_id, owner_id=owner_id, role=role, created_at=now)
    tx.execute(
        update(SiteOwner)
        .where(SiteOwner.site_id == site_id, SiteOwner.owner_id == owner_id)
        .values(role=role)
    )


def drop_role(tx: Tx, site_id: int, owner_id: int) -> None:
    """The owner has nothing to do with this site any more."""
    tx.execute(delete(SiteOwner).where(SiteOwner.site_id == site_id, SiteOwner.owner_id == owner_id))


def of_site(tx: Tx, site_id: int, *, held: bool = False) -> Sequence[tuple[Owner, Role]]:
    """Who manages a site, by e-mail; `held` against others who change that."""
    query = (
        select(Owner, SiteOwner.role)
        .join(SiteOwner, SiteOwner.owner_id == Owner.id)
        .where(SiteOwner.site_id == site_id)
        .order_by(Owner.email)
    )
    if held:
        query = query.with_for_update(of=SiteOwner, **FOR_CHANGE)
    return [(owner, role) for owner, role in tx.execute(query)]


def session(tx: Tx, hashed: str, now: datetime) -> OwnerSession | None:
    """The session of this cookie while it lives."""
    return tx.scalar(
        select(OwnerSession).where(
            OwnerSession.hash == hashed, OwnerSession.ended_at.is_(None), OwnerSession.expires_at > now
        )
    )


def signed_in(
    tx: Tx, hashed: str, now: datetime
) -> tuple[OwnerSession, Owner, tuple[tuple[Site, Role], ...]] | None:
    """The session of this cookie while it lives, whose it is, and the sites that she
    manages, by name, with what she may do there."""
    query = (
        select(OwnerSession, Owner, Site, SiteOwner.role)
        .join(Owner, Owner.id == OwnerSession.owner_id)
        .outerjoin(SiteOwner, SiteOwner.owner_id == Owner.id)
        .outerjoin(Site, Site.id == SiteOwner.site_id)
        .where(OwnerSession.hash == hashed, OwnerSession.ended_at.is_(None), OwnerSession.expires_at > now)
        .order_by(Site.name, Site.id)
    )
    rows = tx.execute(query).all()
    if not rows:
        return None
    held, owner = rows[0][:2]
    return held, owner, tuple((site, role) for _, _, site, role in rows if site is not None)


def end_sessions(tx: Tx, owner_id: int, now: datetime, *, but: int | None = None) -> None:
    """Sign an owner out everywhere, or everywhere but in one session."""
    tx.execute(
        update(OwnerSession)
        .where(
            OwnerSession.owner_id == owner_id, OwnerSession.ended_at.is_(None), OwnerSession.id != (but or 0)
        )
        .values(ended_at=now)
    )


def use_recovery_code(tx: Tx, owner_id: int, hashed: str, now: datetime) -> bool:
    """Spend a recovery code; False when there is no such code, or it was spent."""
    spent = tx.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.owner_id == owner_id, RecoveryCode.hash == hashed, RecoveryCode.used_at.is_(None)
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
    )  # fmt: skip
    return spent.one_or_none() is not None


def replace_recovery_codes(tx: Tx, owner_id: int, hashes: Sequence[str], now: datetime) -> None:
    """Old codes open nothing any more; these do."""
    tx.execute(delete(RecoveryCode).where(RecoveryCode.owner_id == owner_id))
    tx.add_all(RecoveryCode(owner_id=owner_id, hash=one, created_at=now) for one in hashes)


def codes_left(tx: Tx, owner_id: int) -> int:
    """How many recovery codes were not spent yet."""
    query = select(func.count(RecoveryCode.id)).where(
        RecoveryCode.owner_id == owner_id, RecoveryCode.used_at.is_(None)
    )
    return int(tx.scalar(query) or 0)


def invitation(tx: Tx, hashed: str, now: datetime) -> Invitation | None:
    """The invitation of this link while it stands."""
    return tx.scalar(
        select(Invitation).where(
            Invitation.hash == hashed, Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None),
            Invitation.expires_at > now,
        )
    )  # fmt: skip


def invitations(tx: Tx, site_id: int, now: datetime) -> Sequence[Invitation]:
    """Invitations to a site that nobody answered yet, newest first."""
    return tx.scalars(
        select(Invitation)
        .where(
            Invitation.site_id == site_id, Invitation.accepted_at.is_(None),
            Invitation.withdrawn_at.is_(None), Invitation.expires_at > now,
        )
        .order_by(Invitation.id.desc())
    ).all()  # fmt: skip


def attempts_since(tx: Tx, subject: str, since: datetime) -> int:
    """How often a door was tried in vain."""
    query = select(func.count(Attempt.id)).where(Attempt.subject == subject, Attempt.created_at > since)
    return int(tx.scalar(query) or 0)


def forget_attempts(tx: Tx, before: datetime) -> None:
    """Old attempts count no more and are not kept."""
    tx.execute(delete(Attempt).where(Attempt.created_at < before))
