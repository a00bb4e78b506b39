"""Runs over many members, and the views of the list that people keep by a name."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, literal, select

from linkpay.store import selection
from linkpay.store.db import FOR_CHANGE, Tx, core
from linkpay.store.remembering import current
from linkpay.store.selection import Meant
from linkpay.store.tables import BulkItem, BulkRun, SavedView

_AT_ONCE = 5000


def begin(tx: Tx, **values: Any) -> BulkRun:
    """A new run, without anybody in it yet."""
    run = BulkRun(**values)
    tx.add(run)
    tx.flush()
    return run


def fill(tx: Tx, run: BulkRun, of: Meant, batch_size: int) -> int:
    """Put everybody who is meant into a run, in numbered batches; how many batches that makes."""
    before: int | None = None
    total = 0
    while found := selection.numbers(tx, of, before=before, limit=_AT_ONCE):
        rows = [
            {
                "run_id": run.id, "site_id": run.site_id, "subscription_id": number,
                "batch": (total + place) // batch_size, "created_at": run.created_at,
            }
            for place, number in enumerate(found)
        ]  # fmt: skip
        tx.execute(insert(core(BulkItem)), rows)
        total, before = total + len(found), found[-1]
    run.total = total
    return -(-total // batch_size)


def waiting(tx: Tx, run_id: int, batch: int) -> Sequence[int]:
    """The items of a batch that are still to be done."""
    return tx.scalars(
        select(BulkItem.id)
        .where(BulkItem.run_id == run_id, BulkItem.batch == batch, BulkItem.outcome.is_(None))
        .order_by(BulkItem.id)
    ).all()


def take(tx: Tx, item_id: int) -> BulkItem | None:
    """An item that is still to be done, held against others; None when somebody did it."""
    return tx.scalar(
        select(BulkItem)
        .where(BulkItem.id == item_id, BulkItem.outcome.is_(None))
        .with_for_update(**FOR_CHANGE)
    )


def run_of(tx: Tx, run_id: int) -> BulkRun:
    """The run as it is now; it must exist."""
    return current(tx, BulkRun, run_id)


def of_site(tx: Tx, site_id: int, run_id: int) -> BulkRun | None:
    """A run of this site."""
    return tx.scalar(select(BulkRun).where(BulkRun.site_id == site_id, BulkRun.id == run_id))


def newest(tx: Tx, site_id: int, limit: int = 20) -> Sequence[BulkRun]:
    """The newest runs of a site first."""
    return tx.scalars(
        select(BulkRun).where(BulkRun.site_id == site_id).order_by(BulkRun.id.desc()).limit(limit)
    ).all()


def outcomes(tx: Tx, run_id: int) -> dict[str, int]:
    """How many items came to what; those that wait are under an empty word."""
    outcome = func.coalesce(BulkItem.outcome, literal(""))
    rows = tx.execute(select(outcome, func.count()).where(BulkItem.run_id == run_id).group_by(outcome))
    return {word: int(number) for word, number in rows}


def refused(tx: Tx, run_id: int, limit: int = 200) -> Sequence[BulkItem]:
    """Items that could not be done, oldest first."""
    return tx.scalars(
        select(BulkItem)
        .where(BulkItem.run_id == run_id, BulkItem.outcome.not_in(("done",)))
        .order_by(BulkItem.id)
        .limit(limit)
    ).all()


def views(tx: Tx, site_id: int, owner_id: int) -> Sequence[SavedView]:
    """What somebody kept, by name."""
    return tx.scalars(
        select(SavedView)
        .where(SavedView.site_id == site_id, SavedView.owner_id == owner_id)
        .order_by(SavedView.name)
    ).all()


def keep_view(tx: Tx, site_id: int, owner_id: int, name: str, wanted: dict[str, Any], now: datetime) -> None:
    """Keep a view under a name; one of the same name is replaced."""
    found = tx.scalar(
        select(SavedView).where(
            SavedView.site_id == site_id, SavedView.owner_id == owner_id, SavedView.name == name
        )
    )
    if found is None:
        found = SavedView(site_id=site_id, owner_id=owner_id, name=name, wanted=wanted, created_at=now)
        tx.add(found)
    found.wanted = wanted


def drop_view(tx: Tx, site_id: int, owner_id: int, view_id: int) -> None:
    """Forget a view of this person."""
    found = tx.get(SavedView, view_id)
    if found is not None and (found.site_id, found.owner_id) == (site_id, owner_id):
        tx.delete(found)
