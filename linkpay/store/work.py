"""Rows that are jobs: adding, claiming, finishing. The database row is the job, a ring is only a hint.

A claim is a lease: whoever holds it may work and finishes by compare-and-set in the transaction of the
effect. A worker that dies lets the lease run out; a worker that wakes late has lost it.
"""

import random
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast

from sqlalchemy import Executable, Select, bindparam, case, or_, select, update
from sqlalchemy.exc import NoResultFound

from linkpay.errors import LinkPayError
from linkpay.store.db import Tx, carry_out, core, insert_once, ring_after_commit
from linkpay.store.due import CAN_WAIT
from linkpay.store.remembering import asked_once
from linkpay.store.tables import Inbox, Outbox

#: As long as a call to a provider may take; a living worker holds its rows for longer (`store.leases`). A
#: killed worker's rows are free after this, so it must leave the sweep ample time within the 30 s in which
#: all is right again. Outliving it is harmless: the slower worker cannot finish, and money and access have
#: keys and leases of their own.
LEASE = timedelta(seconds=15)
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
        ring_after_commit(tx, outbox_id=row_id, can_wait=kind in CAN_WAIT)
    return row_id is not None


def schedule(
    tx: Tx, *, site_id: int, kind: str, ref: str, target_id: int, run_at: datetime, now: datetime
) -> None:
    """Owe a piece of work at `run_at`, moving it there when it is owed or was done before.

    A row that somebody holds right now is left to its holder, who postpones it by what it finds.
    """
    # Most work is owed already. Whoever owes it at the same moment for the first time has it moved after all.
    moved = _move(tx, kind, ref, run_at)
    if moved is None:
        if add(tx, site_id=site_id, kind=kind, ref=ref, target_id=target_id, run_at=run_at, now=now):
            return
        moved = _move(tx, kind, ref, run_at)
    if moved is not None and run_at <= now:
        ring_after_commit(tx, outbox_id=moved, can_wait=kind in CAN_WAIT)


def _move(tx: Tx, kind: str, ref: str, run_at: datetime) -> int | None:
    moved = carry_out(tx, Outbox, _MOVE, {"of_kind": kind, "of_ref": ref, "at": run_at})
    return cast("int | None", moved.scalar())


_OUTBOX = core(Outbox).c
_SUCH = (_OUTBOX.kind == bindparam("of_kind"), _OUTBOX.ref == bindparam("of_ref"))
_FREE = (*_SUCH, _OUTBOX.lease.is_(None))
_MOVE = (
    update(core(Outbox))
    .where(*_FREE, _OUTBOX.parked_at.is_(None))
    .values(run_at=bindparam("at"), done_at=None, attempts=0)
    .returning(_OUTBOX.id)
)
_NEEDLESS = update(core(Outbox)).where(*_FREE, _OUTBOX.done_at.is_(None)).values(done_at=bindparam("at"))


def needless(tx: Tx, kind: str, ref: str, now: datetime) -> None:
    """What this work was to find out is known: it is done, unless somebody is at it."""
    carry_out(tx, Outbox, _NEEDLESS, {"of_kind": kind, "of_ref": ref, "at": now})


def claim(
    tx: Tx, table: type[Inbox] | type[Outbox], row_ids: Sequence[int], now: datetime
) -> dict[int, Inbox | Outbox]:
    """Take those of these rows that are due and that nobody holds; by id."""
    given = {"row_ids": row_ids, "moment": now, "new_lease": str(uuid.uuid4()), "ends_at": now + LEASE}
    return {row.id: row for row in tx.scalars(_claim(table), given)}


@cache
def _claim(table: type[Inbox] | type[Outbox]) -> Executable:
    columns = core(table).c
    free = (
        select(columns.id)
        .where(
            columns.id.in_(bindparam("row_ids", expanding=True)),
            columns.done_at.is_(None),
            columns.parked_at.is_(None),
            columns.run_at <= bindparam("moment"),
            or_(columns.leased_until.is_(None), columns.leased_until <= bindparam("moment")),
        )
        # Whoever writes the row right now may be waiting for what we hold; it rings when there is news.
        .with_for_update(skip_locked=True)
    )
    taken = (
        update(core(table))
        .where(columns.id.in_(free))
        .values(
            crashes=columns.crashes + case((columns.lease.is_not(None), 1), else_=0),
            lease=bindparam("new_lease"),
            leased_until=bindparam("ends_at"),
            attempts=columns.attempts + 1,
        )
        .returning(core(table))
    )
    return select(table).from_statement(taken).execution_options(populate_existing=True)


def finish(tx: Tx, row: Inbox | Outbox, now: datetime, *, outcome: str | None = None) -> None:
    """The effect is in this transaction: mark the work done. Raises LeaseLost.

    `outcome` says in a word what an inbox row came to.
    """
    said = {"outcome": outcome} if isinstance(row, Inbox) else {}
    _put(tx, row, done_at=now, last_error=None, crashes=0, **said)


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


def is_owed(tx: Tx, kind: str, ref: str) -> bool:
    """Whether this piece of work is still to be done, if only after a person has looked at it."""
    query = select(Outbox.id).where(Outbox.kind == kind, Outbox.ref == ref, Outbox.done_at.is_(None))
    return tx.scalar(query) is not None


@asked_once
def waiting(tx: Tx, kind: str, ref_starts_with: str) -> Sequence[Outbox]:
    """Work of this kind that is still to be done, whether due or not, soonest first."""
    return tx.scalars(
        select(Outbox)
        .where(
            Outbox.kind == kind, Outbox.ref.startswith(ref_starts_with, autoescape=True),
            Outbox.done_at.is_(None), Outbox.parked_at.is_(None),
        )
        .order_by(Outbox.run_at, Outbox.id)
        .execution_options(populate_existing=True)
    ).all()  # fmt: skip


def put_off(tx: Tx, kind: str, ref_starts_with: str, by: timedelta) -> None:
    """Do all of this waiting work later, also what somebody holds: its holder looks before it acts."""
    for row in waiting(tx, kind, ref_starts_with):
        row.run_at += by
    tx.flush()


def due_at(tx: Tx, row_id: int) -> datetime:
    """When a piece of work is due, as it is now."""
    return tx.scalars(select(Outbox.run_at).where(Outbox.id == row_id)).one()


def is_overdue(tx: Tx, kinds: Sequence[str], ref: str, before: datetime) -> bool:
    """Whether such work should have been done before this moment and was not."""
    query = select(Outbox.id).where(
        Outbox.kind.in_(kinds), Outbox.ref == ref, Outbox.done_at.is_(None), Outbox.parked_at.is_(None),
        Outbox.run_at < before,
    )  # fmt: skip
    return tx.scalar(query.limit(1)) is not None


def is_parked(tx: Tx, kind: str, target_id: int) -> bool:
    """Whether work of this kind for this row waits for a person."""
    query = select(Outbox.id).where(
        Outbox.kind == kind, Outbox.target_id == target_id, Outbox.parked_at.is_not(None),
        Outbox.done_at.is_(None),
    )  # fmt: skip
    return tx.scalar(query.limit(1)) is not None


@asked_once
def parked_by_id(
    tx: Tx, table: type[Inbox] | type[Outbox], site_id: int, row_id: int
) -> Sequence[Inbox | Outbox]:
    """The row with this id, if it is this site's and parked."""
    return tx.scalars(parked(table).where(table.site_id == site_id, table.id == row_id)).all()


@asked_once
def parked_work(tx: Tx, kind: str, target_id: int) -> Sequence[Inbox | Outbox]:
    """Parked work of one kind for one row, oldest first."""
    return tx.scalars(parked(Outbox).where(Outbox.kind == kind, Outbox.target_id == target_id)).all()


def parked_messages(tx: Tx, site_id: int, reason_ends: str) -> Sequence[Inbox | Outbox]:
    """A site's parked messages of Kajabi whose reason ends so, oldest first."""
    return tx.scalars(
        parked(Inbox).where(
            Inbox.site_id == site_id,
            Inbox.source == "kajabi",
            Inbox.last_error.endswith(reason_ends, autoescape=True),
        )
    ).all()


def parked(table: type[Inbox] | type[Outbox]) -> Select[Any]:
    """A query of what waits for a person, oldest first."""
    return select(table).where(table.parked_at.is_not(None), table.done_at.is_(None)).order_by(table.id)


def give_up(row: Inbox | Outbox, now: datetime) -> None:
    """A person says that parked work need not be done any more."""
    row.done_at, row.parked_at = now, None


def _put(tx: Tx, row: Inbox | Outbox, **values: object) -> None:
    table = type(row)
    given = {"row_id": row.id, "old_lease": row.lease, "lease": None, "leased_until": None, **values}
    try:
        carry_out(tx, table, _held(table), given).scalar_one()
    except NoResultFound:
        raise LeaseLost(f"{table.__tablename__} {row.id} is held by somebody else") from None


@cache
def _held(table: type[Inbox] | type[Outbox]) -> Executable:
    """An update, by whatever columns it is given, of a row whose lease is still ours."""
    columns = core(table).c
    return (
        update(core(table))
        .where(
            columns.id == bindparam("row_id"),
            columns.lease == bindparam("old_lease"),
            columns.done_at.is_(None),
        )
        .returning(columns.id)
    )
