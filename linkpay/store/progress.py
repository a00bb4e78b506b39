"""How far endless work has come, shared by every process."""

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update

from linkpay.store.db import Tx, core, insert_once
from linkpay.store.tables import Progress

_ROW = core(Progress)


def find(tx: Tx, name: str) -> Progress | None:
    """The row of this name as it is now; None before its first turn."""
    query = select(Progress).where(Progress.name == name).execution_options(populate_existing=True)
    return tx.scalar(query)


def number(tx: Tx, name: str, default: int = 0) -> int:
    """The number kept under a name."""
    row = find(tx, name)
    return default if row is None else row.number


def take_turn(tx: Tx, name: str, every: timedelta, now: datetime, machine_now: datetime) -> bool:
    """Be the one that does this now, if nobody did for `every` by the machine's clock.

    A clock that was set back by more than `every` is believed: the turn is taken.
    """
    if insert_once(tx, Progress, name=name, at=now, machine_at=machine_now, number=0, created_at=now):
        return True
    changed = tx.execute(
        update(_ROW)
        .where(
            _ROW.c.name == name,
            or_(_ROW.c.machine_at <= machine_now - every, _ROW.c.machine_at > machine_now + every),
        )
        .values(at=now, machine_at=machine_now)
        .returning(_ROW.c.id)
    )
    return changed.one_or_none() is not None


def forget(tx: Tx, name: str) -> None:
    """It is over."""
    tx.execute(delete(_ROW).where(_ROW.c.name == name))


def put(tx: Tx, name: str, value: int, now: datetime, machine_now: datetime) -> None:
    """Keep a number under a name."""
    values = {"at": now, "machine_at": machine_now, "number": value}
    if insert_once(tx, Progress, name=name, created_at=now, **values) is None:
        tx.execute(update(_ROW).where(_ROW.c.name == name).values(**values))
