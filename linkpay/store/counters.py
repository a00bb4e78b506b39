"""Numbers that only grow, shared by every process; for metrics."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select, update

from linkpay.store.db import Tx, core, insert_once
from linkpay.store.tables import Counter

_ROW = core(Counter)


def add(tx: Tx, name: str, label: str, now: datetime, by: int = 1) -> None:
    """Count something that happened. The row is held until the commit, so count last and on rare paths."""
    label = label[:60]
    if insert_once(tx, Counter, name=name, label=label, value=by, created_at=now) is None:
        tx.execute(
            update(_ROW).where(_ROW.c.name == name, _ROW.c.label == label).values(value=_ROW.c.value + by)
        )


def all_of(tx: Tx, name: str) -> Mapping[str, int]:
    """What was counted under a name, by label."""
    rows = tx.execute(
        select(Counter.label, Counter.value).where(Counter.name == name).order_by(Counter.label)
    )
    return {row.label: row.value for row in rows}
