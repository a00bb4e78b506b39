"""Doors that open by e-mail: links that are pressed once, and the sessions behind them.

A secret is made here, handed out once, and kept as a hash: what the database holds opens nothing.
"""

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import exists, func, select, update

from linkpay.store.db import Tx, core
from linkpay.store.tables import Customer, Mail, Member, Visit

_VISIT = core(Visit)


def make(
    tx: Tx, *, site_id: int, kind: str, email: str, expires_at: datetime, now: datetime,
    moves_from: str | None = None,
) -> str:  # fmt: skip
    """Make a door; the secret that opens it, which nobody can ever read here."""
    secret = secrets.token_urlsafe(32)
    tx.add(
        Visit(
            site_id=site_id, kind=kind, hash=_hash(secret), email=email, expires_at=expires_at,
            moves_from=moves_from, created_at=now,
        )
    )  # fmt: skip
    tx.flush()
    return secret


def find(tx: Tx, kind: str, secret: str) -> tuple[Visit, Customer | None] | None:
    """The door that this secret opens, of whatever site, open or not, and who pays under its address."""
    query = (
        select(Visit, Customer)
        .outerjoin(Customer, (Customer.site_id == Visit.site_id) & (Customer.email == Visit.email))
        .where(Visit.hash == _hash(secret), Visit.kind == kind)
    )
    found = tx.execute(query).one_or_none()
    return None if found is None else (found[0], found[1])


def spend(tx: Tx, site_id: int, kind: str, secret: str, now: datetime) -> Visit | None:
    """Go through a door and close it behind; None when it is not open (any more). Two who press at once
    are one who gets in."""
    visit_id = tx.scalar(
        update(_VISIT)
        .where(
            _VISIT.c.hash == _hash(secret), _VISIT.c.kind == kind, _VISIT.c.site_id == site_id,
            _VISIT.c.ended_at.is_(None), _VISIT.c.expires_at > now,
        )
        .values(ended_at=now)
        .returning(_VISIT.c.id)
    )  # fmt: skip
    return None if visit_id is None else tx.get_one(Visit, visit_id)


def close_all(tx: Tx, site_id: int, email: str, now: datetime) -> None:
    """Close every door of a person on a site, links and sessions."""
    tx.execute(
        update(_VISIT)
        .where(_VISIT.c.site_id == site_id, _VISIT.c.email == email, _VISIT.c.ended_at.is_(None))
        .values(ended_at=now)
    )


def is_known(tx: Tx, site_id: int, email: str) -> bool:
    """Whether somebody with this e-mail pays here, or is let in here."""
    pays = select(Customer.id).where(Customer.site_id == site_id, Customer.email == email)
    is_in = select(Member.id).where(Member.site_id == site_id, Member.email == email)
    return bool(tx.scalar(select(exists(pays) | exists(is_in))))


def mailed_since(tx: Tx, site_id: int, email: str, kind: str, since: datetime) -> int:
    """How many mails of this kind were owed to an address since then."""
    query = select(func.count(Mail.id)).where(
        Mail.site_id == site_id, Mail.to == email, Mail.kind == kind, Mail.created_at > since
    )
    return tx.scalar(query) or 0


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
