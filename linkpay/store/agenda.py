"""What there is to do: due, being done, and when more of it comes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Integer, Select, bindparam, func, or_, select

from linkpay.store.db import Tx, core
from linkpay.store.tables import Inbox, Outbox, Site, Subscription
from linkpay.store.tables.base import UtcDateTime


@dataclass(frozen=True, slots=True)
class Busy:
    """What is to be done and being done right now. `newest` are the highest inbox and outbox ids."""

    due: int
    running: int
    newest: tuple[int, int]


def busy(tx: Tx, now: datetime) -> Busy:
    """Rows that are due, rows that somebody holds, and how far the message tables reach."""
    counted = tx.execute(_BUSY, {"now": now}).one()
    return Busy(counted[0] + counted[1], counted[2] + counted[3], (counted[4], counted[5]))


def _busy() -> Select[Any]:
    now = bindparam("now", type_=UtcDateTime())
    due, running, newest = [], [], []
    for columns in (core(Inbox).c, core(Outbox).c):
        waiting = select(func.count(columns.id)).where(columns.done_at.is_(None), columns.parked_at.is_(None))
        is_free = or_(columns.leased_until.is_(None), columns.leased_until <= now)
        due.append(waiting.where(columns.run_at <= now, is_free))
        running.append(waiting.where(columns.leased_until > now))
        newest.append(select(func.coalesce(func.max(columns.id), 0)))
    return select(*(query.scalar_subquery() for query in (*due, *running, *newest)))


_BUSY = _busy()


def next_tries_at(tx: Tx, *, tried: int) -> tuple[datetime | None, datetime | None]:
    """When waiting work becomes due: of what was tried less often than `tried`, and of the rest."""
    found = tx.execute(_NEXT_TRIES, {"tried": tried}).one()
    fresh, stubborn = (
        min((at for at in pair if at is not None), default=None) for pair in (found[:2], found[2:])
    )
    return fresh, stubborn


def _next_tries() -> Select[Any]:
    tried = bindparam("tried", type_=Integer)
    fresh, stubborn = [], []
    for columns in (core(Inbox).c, core(Outbox).c):
        waiting = select(func.min(columns.run_at)).where(
            columns.done_at.is_(None), columns.parked_at.is_(None)
        )
        fresh.append(waiting.where(columns.attempts < tried))
        stubborn.append(waiting.where(columns.attempts >= tried))
    return select(*(query.scalar_subquery() for query in (*fresh, *stubborn)))


_NEXT_TRIES = _next_tries()


def charge_days(tx: Tx, states: Iterable[str], since: date) -> Sequence[tuple[str, date]]:
    """(zone, day) of the next few days from `since` on which anybody is charged, soonest first."""
    rows = tx.execute(
        select(Site.zone, Subscription.next_charge_on)
        .join(Site, Site.id == Subscription.site_id)
        .where(
            Subscription.next_charge_on >= since,
            Subscription.state.in_(states),
            Site.halted_at.is_(None),
        )
        .distinct()
        .order_by(Subscription.next_charge_on)
        .limit(20)
    )
    return [(zone, day) for zone, day in rows if day is not None]


def overdue(tx: Tx, before: datetime) -> int:
    """How many messages and pieces of work should have been done before this moment."""
    return sum(
        tx.scalar(
            select(func.count(table.id)).where(
                table.done_at.is_(None), table.parked_at.is_(None), table.run_at < before
            )
        )
        or 0
        for table in (Inbox, Outbox)
    )
