"""Checks what must always be true: every few minutes over what changed, once a day over everything.

Any number of clock processes may run this: a row says whose turn it is. One step reads a bounded batch and
writes only what it found, so that no check holds up the work that it watches.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from linkpay.services import invariants
from linkpay.services.invariants import Rows
from linkpay.services.parts import Parts
from linkpay.store import invariants as store
from linkpay.store import progress
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Grant, Payment, Subscription

EVERY = timedelta(minutes=5)
_DAILY = timedelta(days=1)
_STEP = timedelta(seconds=4)
_CHANGES = 600  # facts and events looked at in one step of a round
#: Longer than a transaction takes: what is older was committed, if ever.
_SETTLED = timedelta(minutes=1)
_BATCH = 100  # rows of each table looked at in one step of the daily check

ROUND, FULL = "invariants", "invariants.full"
_LEDGER, _EVENTS = "invariants.ledger", "invariants.events"
_TABLES: dict[str, type[Charge] | type[Payment] | type[Grant] | type[Subscription]] = {
    "charges": Charge, "payments": Payment, "grants": Grant, "subscriptions": Subscription,
}  # fmt: skip
_OVER = -1
_BEHIND = 1  # the number of a round that has more to look at


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, by the product's clock and by the machine's."""

    now: datetime
    machine: datetime


def turn(parts: Parts, machine_now: datetime) -> int:
    """Do what is due: a round over changes, a step of the daily check. How much new was found."""
    at = Moment(parts.clock.now(), machine_now)
    with parts.database.write() as tx:
        rounds = progress.take_turn(tx, ROUND, EVERY, at.now, at.machine)
        if progress.number(tx, ROUND) == _BEHIND:
            rounds |= progress.take_turn(tx, f"{ROUND}.step", _STEP, at.now, at.machine)
        if progress.take_turn(tx, FULL, _DAILY, at.now, at.machine):
            _begin(tx, at)
        steps = progress.take_turn(tx, f"{FULL}.step", _STEP, at.now, at.machine)
    found = check_changes(parts, at) if rounds else 0
    return found + (check_next(parts, at) if steps else 0)


def check_changes(parts: Parts, at: Moment) -> int:
    """One step of a round: what changed, what is late anywhere, and what was broken before.

    A round that is behind goes on with its next step soon, and says only then that it looked.
    """
    with parts.database.read() as tx:
        marks = progress.number(tx, _LEDGER), progress.number(tx, _EVENTS)
        changed = store.changed(tx, marks, _CHANGES, at.now - _SETTLED)
        last = progress.find(tx, _EVENTS)
        items, rows = invariants.again(tx)
        held = {*store.grants_of(tx, changed.subscription_ids), *invariants.overstayed(tx, at.now)}
        rows = Rows(
            {*rows.charges, *changed.charge_ids}, {*rows.payments, *changed.payment_ids},
            {*rows.grants, *held}, {*rows.subscriptions, *changed.subscription_ids},
        )  # fmt: skip
        found = invariants.look(tx, rows, at.now) + invariants.look_everywhere(tx, at.now)
    with parts.database.write() as tx:
        invariants.close(tx, items, found, at.now)
        looked_at = last.machine_at if changed.more and last is not None else at.machine
        progress.put(tx, _LEDGER, changed.ledger_mark, at.now, looked_at)
        progress.put(tx, _EVENTS, changed.event_mark, at.now, looked_at)
        progress.put(tx, ROUND, _BEHIND if changed.more else 0, at.now, at.machine)
        return invariants.file(tx, found, at.now)


def _begin(tx: Tx, at: Moment) -> None:
    for name in _TABLES:
        progress.put(tx, f"{FULL}.{name}", 0, at.now, at.machine)


def check_next(parts: Parts, at: Moment) -> int:
    """One step of the daily check over everything; nothing once it is through."""
    with parts.database.read() as tx:
        reached = {name: progress.number(tx, f"{FULL}.{name}", _OVER) for name in _TABLES}
        going = {name: after for name, after in reached.items() if after != _OVER}
        if not going:
            return 0
        batch = {name: store.next_ids(tx, _TABLES[name], after, _BATCH) for name, after in going.items()}
        found = invariants.look(tx, replace(Rows(), **batch), at.now)
    with parts.database.write() as tx:
        for name, ids in batch.items():
            progress.put(tx, f"{FULL}.{name}", ids[-1] if ids else _OVER, at.now, at.machine)
        return invariants.file(tx, found, at.now)


def check_all(parts: Parts, at: Moment) -> int:
    """The daily check from its beginning to its end, at once. How much new was found."""
    with parts.database.write() as tx:
        _begin(tx, at)
    found, behind = 0, True
    while behind:
        found += check_changes(parts, at)
        with parts.database.read() as tx:
            behind = progress.number(tx, ROUND) == _BEHIND
    while True:
        found += check_next(parts, at)
        with parts.database.read() as tx:
            if all(progress.number(tx, f"{FULL}.{name}") == _OVER for name in _TABLES):
                return found
