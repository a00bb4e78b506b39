"""Rows that are jobs: adding, claiming, finishing. The database row is the job, a ring is only a hint.

A claim is a lease: whoever holds it may work and finishes by compare-and-set in the transaction of
the effect. A worker that dies lets the lease run out; a worker that wakes late has lost it.
"""

import random
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import case, func, or_, select, update
from sqlalchemy.exc import NoResultFound

from linkpay.errors import LinkPayError
from linkpay.store.db import Tx, insert_once, ring_after_commit
from linkpay.store.tables import Inbox, Outbox

#: Longer than a call to a provider may take (15 s). A killed worker's rows are free after this, so it
#: must leave the sweep time within the 30 s in which all is right again. Outliving it is harmless: the
#: slower worker cannot finish, and money and access have keys and leases of their own.
LEASE = timedelta(seconds=20)
#: A row that never reports back this often is looked at by a person.
CRASH_LIMIT = 8


class LeaseLost(LinkPayError):
    """Somebody else has this work now: roll back and forget it."""


def add(
    tx: Tx, *, site_id: int, kind: str, ref: str, target_id: int, run_at: datetime, now: datetime
) -> bool:
    """Owe a piece of work once. False when (`kind`, `ref`) was owed before, done or not."""
    row_id = insert_once(
        tx, Outbox, site_id=site_id, kind=kind, ref=ref, target_id=target_id, run_at=run_at, created_at=now
    )
    if row_id is not None and run_at <= now:
        ring_after_commit(tx, outbox_id=row_id)
    return row_id is not None


def schedule(
    tx: Tx, *, site_id: int, kind: str, ref: str, target_id: int, run_at: datetime, now: datetime
) -> None:
    """Owe a piece of work at `run_at`, moving it there when it is owed or was done before.

    A row that somebody holds right now is left to its holder, who postpones it by what it finds.
    """
    if add(tx, site_id=site_id, kind=kind, ref=ref, target_id=target_id, run_at=run_at, now=now):
        return
    moved = tx.scalar(
        update(Outbox)
        .where(Outbox.kind == kind, Outbox.ref == ref, Outbox.lease.is_(None), Outbox.parked_at.is_(None))
        .values(run_at=run_at, done_at=None, attempts=0)
        .returning(Outbox.id)
    )
    if moved is not None and run_at <= now:
        ring_after_commit(tx, outbox_id=moved)


def needless(tx: Tx, kind: str, ref: str, now: datetime) -> None:
    """What this work was to find out is known: it is done, unless somebody is at it."""
    tx.execute(
        update(Outbox)
        .where(Outbox.kind == kind, Outbox.ref == ref, Outbox.lease.is_(None), Outbox.done_at.is_(None))
        .values(done_at=now)
    )


def claim(tx: Tx, table: type[Inbox] | type[Outbox], row_id: int, now: datetime) -> Inbox | Outbox | None:
    """Take the row if it is due and nobody holds it; None otherwise."""
    taken = tx.scalars(
        update(table)
        .where(
            table.id == row_id,
            table.done_at.is_(None),
            table.parked_at.is_(None),
            table.run_at <= now,
            or_(table.leased_until.is_(None), table.leased_until <= now),
        )
        .values(
            crashes=table.crashes + case((table.lease.is_not(None), 1), else_=0),
            lease=str(uuid.uuid4()),
            leased_until=now + LEASE,
            attempts=table.attempts + 1,
        )
        .returning(table),
        execution_options={"populate_existing": True},
    ).one_or_none()
    return cast("Inbox | Outbox | None", taken)


def finish(tx: Tx, row: Inbox | Outbox, now: datetime, *, outcome: str | None = None) -> None:
    """The effect is in this transaction: mark the work done. Raises LeaseLost.

    `outcome` says in a word what an inbox row came to.
    """
    said = {"outcome": outcome} if isinstance(row, Inbox) else {}
    _put(tx, row, done_at=now, last_error=None, **said)


def postpone(
    tx: Tx, row: Inbox | Outbox, run_at: datetime, error: str | None = None, *, fresh: bool = False
) -> None:
    """Try again at `run_at`. `fresh` forgets the tries so far. Raises LeaseLost."""
    values = {"attempts": 0} if fresh else {}
    _put(tx, row, run_at=run_at, last_error=error and error[:500], crashes=0, **values)


def park(tx: Tx, row: Inbox | Outbox, reason: str, now: datetime) -> None:
    """Nobody but a person can go on. Raises LeaseLost."""
    _put(tx, row, parked_at=now, last_error=reason[:500])


def backoff(attempts: int, *, cap_seconds: float = 3600, hint: float | None = None) -> timedelta:
    """How long to wait before try number `attempts` + 1: doubling from 1 s, with jitter, capped.

    `hint` is what the provider asked for (Retry-After, seconds); it is honoured up to an hour.
    """
    doubling = min(cap_seconds, 2.0 ** min(attempts - 1, 20))
    seconds = max(doubling * random.uniform(0.7, 1.0), min(hint or 0.0, 3600.0))  # noqa: S311 - jitter
    return timedelta(seconds=seconds)


def due_ids(tx: Tx, table: type[Inbox] | type[Outbox], now: datetime, limit: int) -> Sequence[int]:
    """Ids of what waits to be done now and is held by nobody, oldest first."""
    return tx.scalars(
        select(table.id)
        .where(
            table.done_at.is_(None),
            table.parked_at.is_(None),
            table.run_at <= now,
            or_(table.leased_until.is_(None), table.leased_until <= now),
        )
        .order_by(table.run_at)
        .limit(limit)
    ).all()


def next_due_at(tx: Tx, table: type[Inbox] | type[Outbox]) -> datetime | None:
    """When the next piece of waiting work becomes due; None when nothing waits."""
    return tx.scalar(select(func.min(table.run_at)).where(table.done_at.is_(None), table.parked_at.is_(None)))


def bring_forward(tx: Tx, kind: str, ref: str, now: datetime) -> None:
    """Do a waiting piece of work now instead of later, if it waits and nobody holds it."""
    row = tx.scalar(
        update(Outbox)
        .where(
            Outbox.kind == kind,
            Outbox.ref == ref,
            Outbox.done_at.is_(None),
            Outbox.parked_at.is_(None),
            Outbox.run_at > now,
            Outbox.leased_until.is_(None),
        )
        .values(run_at=now)
        .returning(Outbox.id)
    )
    if row is not None:
        ring_after_commit(tx, outbox_id=row)


def exists(tx: Tx, kind: str, ref: str) -> bool:
    """Whether this piece of work was ever owed."""
    query = select(Outbox.id).where(Outbox.kind == kind, Outbox.ref == ref)
    return tx.scalar(query) is not None


def is_parked(tx: Tx, kind: str, target_id: int) -> bool:
    """Whether work of this kind for this row waits for a person."""
    query = select(Outbox.id).where(
        Outbox.kind == kind, Outbox.target_id == target_id, Outbox.parked_at.is_not(None),
        Outbox.done_at.is_(None),
    )  # fmt: skip
    return tx.scalar(query.limit(1)) is not None


def _put(tx: Tx, row: Inbox | Outbox, **values: object) -> None:
    table = type(row)
    changed = tx.execute(
        update(table)
        .where(table.id == row.id, table.lease == row.lease, table.done_at.is_(None))
        .values(lease=None, leased_until=None, **values)
        .returning(table.id),
        execution_options={"synchronize_session": False},
    )
    try:
        changed.scalar_one()
    except NoResultFound:
        raise LeaseLost(f"{table.__tablename__} {row.id} is held by somebody else") from None
