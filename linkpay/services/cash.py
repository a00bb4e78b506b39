"""The money of the coming weeks: what the rules will ask of everybody, and when it is paid."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from linkpay.domain.calendar import Interval, Unit, local_day
from linkpay.domain.cash import Stream, Week, by_week
from linkpay.domain.forecast import Kind
from linkpay.services import course
from linkpay.store import cash, subscriptions
from linkpay.store.cash import Alike
from linkpay.store.db import Tx
from linkpay.store.tables import Site

#: A collection that is counted once has no rhythm; any does.
_NONE = Interval(Unit.MONTH, 1)


def weeks(tx: Tx, site: Site, now: datetime, count: int) -> Sequence[Week]:
    """The coming weeks from today on, if nobody leaves and every collection works."""
    today = local_day(now, site.zone)
    last = today + timedelta(weeks=count, days=-1)
    streams = [*cash.streams(tx, site.id, today, last), *_arranged(tx, site, now, last)]
    running = [(local_day(at, site.zone), cents) for at, cents in cash.under_way(tx, site.id)]
    return by_week(streams, running, today, count)


def _arranged(tx: Tx, site: Site, now: datetime, last: date) -> Iterator[Stream]:
    """What is collected of those who pause, switch, leave or pay otherwise: one of each is played."""
    for alike in cash.arranged(tx, site.id, local_day(now, site.zone), last):
        yield from _collections(tx, site, alike, now, last)


def _collections(tx: Tx, site: Site, alike: Alike, now: datetime, last: date) -> Iterator[Stream]:
    subscription = subscriptions.get(tx, alike.one_id)
    # What she was told of a new price may hold its debit back; of the others none is held back by that.
    played = course.begun(tx, site, subscription, now, with_notices=alike.is_alone)
    played.play(last)
    for item in played.items:
        if item.kind is Kind.CHARGE and item.cents and item.on <= last:
            yield Stream(item.on, _NONE, alike.by_debit, alike.number, alike.number * item.cents, left=1)
