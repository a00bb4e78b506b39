"""Rows that wait to be done now and are held by nobody: which, and which of them come first."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Integer, Select, bindparam, case, or_, select

from linkpay.store.db import Tx
from linkpay.store.tables import Inbox, Outbox

#: Money and access come before work of these kinds.
CAN_WAIT = frozenset({"send_mail", "bulk_batch", "count_numbers"})


def ids(tx: Tx, table: type[Inbox] | type[Outbox], now: datetime, limit: int) -> Sequence[int]:
    """Ids of so many that are due, oldest first."""
    return tx.scalars(_first(table), {"now": now, "most": limit}).all()


def first_ids(tx: Tx, now: datetime, limit: int) -> Sequence[int]:
    """The same for work; what can wait has the room that the rest of it leaves."""
    first = tx.scalars(_first_work(), {"waits": 0, "now": now, "most": limit}).all()
    given = {"waits": 1, "now": now, "most": limit - len(first)}
    return [*first, *tx.scalars(_first_work(), given)] if len(first) < limit else first


def still(tx: Tx, row_ids: Sequence[int], now: datetime) -> Sequence[int]:
    """Which of these messages are due, oldest first."""
    return tx.scalars(_OF_THESE[Inbox], {"ids": row_ids, "now": now}).all() if row_ids else ()


def still_owed(tx: Tx, row_ids: Sequence[int], now: datetime) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Which of these pieces of work are due, oldest first: those that come first, and those that can wait."""
    found = tx.execute(_OF_THESE[Outbox], {"ids": row_ids, "now": now}).all() if row_ids else ()
    first = tuple(row_id for row_id, kind in found if kind not in CAN_WAIT)
    return first, tuple(row_id for row_id, kind in found if kind in CAN_WAIT)


# The clock and the workers ask at every turn; putting a statement together takes longer than running it.


@cache
def _first(table: type[Inbox] | type[Outbox]) -> Select[int]:
    return _due(table).order_by(table.run_at).limit(bindparam("most", type_=Integer))


@cache
def _first_work() -> Select[int]:
    # By a number, which no index knows: that of the kinds would read all that was ever done.
    waits = case((Outbox.kind.in_(sorted(CAN_WAIT)), 1), else_=0)
    return _first(Outbox).where(waits == bindparam("waits", type_=Integer))


def _due(table: type[Inbox] | type[Outbox]) -> Select[int]:
    now: BindParameter[datetime] = bindparam("now")
    return select(table.id).where(
        table.done_at.is_(None), table.parked_at.is_(None), table.run_at <= now,
        or_(table.leased_until.is_(None), table.leased_until <= now),
    )  # fmt: skip


def _of_these(table: type[Inbox] | type[Outbox]) -> Select[Any]:
    return _due(table).where(table.id.in_(bindparam("ids", expanding=True))).order_by(table.id)


_OF_THESE = {Inbox: _of_these(Inbox), Outbox: _of_these(Outbox).add_columns(Outbox.kind)}
