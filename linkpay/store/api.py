"""Keys of programs, what they asked for, and the pages they read; every query takes the site."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import delete, select, update

from linkpay.store.db import Tx, core, insert_once
from linkpay.store.tables import ApiCall, ApiKey, Charge, Grant, Member, Payment, Subscription

#: A repeated request is recognised this long.
REMEMBERED = timedelta(days=30)
_USED_AGAIN = timedelta(minutes=1)  # how exactly it is kept when a key was used last
#: What can be read page by page.
Thing = Member | Subscription | Charge | Payment | Grant


def key_by_hash(tx: Tx, hashed: str) -> ApiKey | None:
    """The key with this hash, unless it was revoked."""
    return tx.scalar(select(ApiKey).where(ApiKey.hash == hashed, ApiKey.revoked_at.is_(None)))


def keys(tx: Tx, site_id: int) -> Sequence[ApiKey]:
    """Every key of a site, revoked ones as well, oldest first."""
    return tx.scalars(select(ApiKey).where(ApiKey.site_id == site_id).order_by(ApiKey.id)).all()


def revoke(tx: Tx, site_id: int, key_id: int, now: datetime) -> str | None:
    """Let a key of this site open nothing any more; its name, None when there is no such key."""
    changed = (
        update(ApiKey)
        .where(ApiKey.site_id == site_id, ApiKey.id == key_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(ApiKey.name)
    )
    return tx.execute(changed).scalar_one_or_none()


def is_used_lately(key: ApiKey, now: datetime) -> bool:
    """Whether its last use is kept exactly enough already."""
    return key.used_at is not None and now - key.used_at < _USED_AGAIN


def note_use(tx: Tx, key_id: int, now: datetime) -> None:
    """Keep when a key was used last."""
    tx.execute(update(ApiKey).where(ApiKey.id == key_id).values(used_at=now))


def page(
    tx: Tx, table: type[Thing], site_id: int, where: Mapping[str, Any], *, after: int, limit: int
) -> Sequence[Thing]:
    """Rows of a site whose columns have these values, by number, beginning after `after`."""
    query = select(table).where(table.site_id == site_id, table.id > after)
    for name, value in where.items():
        query = query.where(getattr(table, name) == value)
    return cast("Sequence[Thing]", tx.scalars(query.order_by(table.id).limit(limit)).all())


def one(tx: Tx, table: type[Thing], site_id: int, number: int) -> Thing | None:
    """One row of this site."""
    return cast("Thing | None", tx.scalar(select(table).where(table.site_id == site_id, table.id == number)))


def begin_call(tx: Tx, key: ApiKey, name: str, fingerprint: str, now: datetime) -> ApiCall | None:
    """Be the first to do what is asked under `name`: None. Or what came of it the first time.

    A second request at the same moment waits here for the first.
    """
    tx.execute(delete(core(ApiCall)).where(core(ApiCall).c.created_at < now - REMEMBERED))
    made = insert_once(
        tx, ApiCall, site_id=key.site_id, api_key_id=key.id, key=name, fingerprint=fingerprint, status=0,
        answer={}, created_at=now,
    )  # fmt: skip
    if made is not None:
        return None
    query = select(ApiCall).where(ApiCall.api_key_id == key.id, ApiCall.key == name)
    return tx.scalars(query.execution_options(populate_existing=True)).one()


def finish_call(tx: Tx, key: ApiKey, name: str, status: int, answer: dict[str, Any]) -> None:
    """Keep what came of it, in the transaction of its effect."""
    tx.execute(
        update(ApiCall)
        .where(ApiCall.api_key_id == key.id, ApiCall.key == name)
        .values(status=status, answer=answer)
    )
