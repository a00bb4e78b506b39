"""Doing a piece of work again because a person asks for it."""

from dataclasses import dataclass
from datetime import datetime

from linkpay.errors import Conflict, NotFound
from linkpay.store import journal
from linkpay.store.db import FOR_CHANGE, Tx, ring_after_commit
from linkpay.store.tables import Inbox, Outbox


@dataclass(frozen=True, slots=True)
class Replayed:
    """The row that is due again, and how it stood before: ``handled``, ``parked`` or ``waiting``."""

    row: str
    kind: str
    ref: str
    was: str
    said: str | None


def message(tx: Tx, inbox_id: int, now: datetime) -> Replayed:
    """Make an inbox row due now, whether it was handled, parked or is waiting.

    Harmless at any time: handling looks at the present state and books the difference. Raises
    NotFound, and Conflict while somebody handles it.
    """
    row = tx.get(Inbox, inbox_id, with_for_update=FOR_CHANGE, populate_existing=True)
    if row is None:
        raise NotFound("inbox_unknown", f"There is no inbox row {inbox_id}.", "row")
    done = Replayed(f"inbox:{row.id}", row.source, row.ref, _stood(row), row.last_error or row.outcome)
    _make_due(tx, row, now)
    row.outcome = None
    ring_after_commit(tx, inbox_id=row.id)
    return done


def work(tx: Tx, outbox_id: int, now: datetime) -> Replayed:
    """Make a parked outbox row due now. Raises NotFound, and Conflict for one that is not parked."""
    row = tx.get(Outbox, outbox_id, with_for_update=FOR_CHANGE, populate_existing=True)
    if row is None:
        raise NotFound("outbox_unknown", f"There is no outbox row {outbox_id}.", "row")
    if row.parked_at is None or row.done_at is not None:
        raise Conflict("not_parked", f"Outbox row {row.id} is not parked: it is {_stood(row)}.", "row")
    done = Replayed(f"outbox:{row.id}", row.kind, row.ref, _stood(row), row.last_error)
    _make_due(tx, row, now)
    ring_after_commit(tx, outbox_id=row.id)
    return done


def _stood(row: Inbox | Outbox) -> str:
    if row.done_at is not None:
        return "handled"
    return "waiting" if row.parked_at is None else "parked"


def _make_due(tx: Tx, row: Inbox | Outbox, now: datetime) -> None:
    if row.done_at is None and row.leased_until is not None and row.leased_until > now:
        raise Conflict(
            "being_handled", "Somebody is handling this row right now; look again in a minute.", "row"
        )
    row.done_at, row.parked_at, row.last_error = None, None, None
    row.lease, row.leased_until = None, None
    row.attempts, row.crashes = 0, 0
    row.run_at = now
    for kind in ("parked", "kajabi_message"):
        journal.solved(tx, site_id=row.site_id, kind=kind, subject=f"{row.__tablename__}:{row.id}", now=now)
