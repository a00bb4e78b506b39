"""The present state in figures, for metrics: each by an index that holds little else than what is counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import takewhile

from sqlalchemy import func, or_, select

from linkpay.domain.calendar import local_day
from linkpay.domain.subscription import SubscriptionState
from linkpay.store.db import Tx
from linkpay.store.grants import is_late
from linkpay.store.tables import Attention, Charge, Event, Grant, Inbox, Outbox, Site, Subscription

_BILLED = (SubscriptionState.ACTIVE, SubscriptionState.TRIALING, SubscriptionState.CANCELING)
#: Tries, each later than the one before: some twenty minutes.
_OFTEN = 10


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many rows wait, and since when the oldest does."""

    number: int
    oldest_at: datetime


def messages_waiting(tx: Tx) -> dict[str, Waiting]:
    """Messages that are not handled yet and stand in nobody's list, by source; age from their arrival."""
    oldest = func.min(Inbox.created_at, type_=Inbox.created_at.type)
    query = select(Inbox.source, func.count(Inbox.id), oldest).where(
        Inbox.done_at.is_(None), Inbox.parked_at.is_(None)
    )
    return {source: Waiting(number, at) for source, number, at in tx.execute(query.group_by(Inbox.source))}


def work_due(tx: Tx, now: datetime) -> dict[str, Waiting]:
    """Work that should be done by now, by kind; age from when it became due."""
    oldest = func.min(Outbox.run_at, type_=Outbox.run_at.type)
    query = select(Outbox.kind, func.count(Outbox.id), oldest).where(
        Outbox.done_at.is_(None), Outbox.parked_at.is_(None), Outbox.run_at <= now
    )
    return {kind: Waiting(number, at) for kind, number, at in tx.execute(query.group_by(Outbox.kind))}


def work_failing(tx: Tx) -> dict[str, int]:
    """Work that failed so often that it has been waited for long, and is still tried again, by kind."""
    query = select(Outbox.kind, func.count(Outbox.id)).where(
        Outbox.done_at.is_(None), Outbox.parked_at.is_(None), Outbox.attempts >= _OFTEN,
        Outbox.last_error.is_not(None),
    )  # fmt: skip
    return {row[0]: row[1] for row in tx.execute(query.group_by(Outbox.kind))}


def parked(tx: Tx) -> dict[str, int]:
    """Rows that only a person can set going, by table."""
    tables: tuple[type[Inbox] | type[Outbox], ...] = (Inbox, Outbox)
    return {
        table.__tablename__: tx.scalar(
            select(func.count(table.id)).where(table.parked_at.is_not(None), table.done_at.is_(None))
        )
        or 0
        for table in tables
    }


def attention(tx: Tx) -> dict[str, int]:
    """What waits for a person, by kind."""
    query = select(Attention.kind, func.count(Attention.id)).where(Attention.solved_at.is_(None))
    return {row[0]: row[1] for row in tx.execute(query.group_by(Attention.kind))}


def grants_behind(tx: Tx, before: datetime) -> int:
    """Changes of access that Kajabi should have confirmed before an instant and has not."""
    return tx.scalar(select(func.count(Grant.id)).where(is_late(before))) or 0


def charges_overdue(tx: Tx, now: datetime, days: int) -> int:
    """Running subscriptions whose next charge should have been raised more than `days` days ago.

    Who still owes an earlier period is not asked for the next one and does not count, nor does who has to be
    told of the debit before.
    """
    zones = tx.scalars(select(Site.zone).distinct()).all()
    waited = func.coalesce(Subscription.not_before_on, Subscription.next_charge_on)
    come = [
        (Site.zone == zone) & (Subscription.next_charge_on < day) & (waited < day)
        for zone in zones
        for day in [_days_before(local_day(now, zone), days)]
    ]
    owes = select(Charge.id).where(
        Charge.subscription_id == Subscription.id,
        Charge.state.in_(("scheduled", "open", "collecting", "failed")),
    )
    query = (
        select(func.count(Subscription.id))
        .join(Site, Site.id == Subscription.site_id)
        .where(
            Subscription.next_charge_on.is_not(None), Subscription.state.in_(_BILLED),
            Site.halted_at.is_(None), ~owes.exists(), or_(*come),
        )
    )  # fmt: skip
    return (tx.scalar(query) or 0) if come else 0


def _days_before(day: date, days: int) -> date:
    return date.fromordinal(day.toordinal() - days)


def sites_by_state(tx: Tx) -> Mapping[str, int]:
    """How many sites there are, are halted because Mollie refuses their key, and are catching up."""
    query = select(func.count(Site.id), func.count(Site.halted_at), func.count(Site.catch_up_from))
    total, halted, behind = tx.execute(query).one()
    return {"all": total, "halted": halted, "catching_up": behind}


def granted(tx: Tx, mark: int, limit: int, settled_before: datetime) -> tuple[int, Sequence[float]]:
    """Seconds from payment to access of each grant told of in the next `limit` events, and the new mark.

    It ends at what is not `settled_before` an instant: an earlier number may still be committed.
    """
    found = tx.execute(
        select(Event.id, Event.kind, Event.subscription_id, Event.created_at)
        .where(Event.id > mark)
        .order_by(Event.id)
        .limit(limit)
    ).all()
    rows = list(takewhile(lambda row: row.created_at < settled_before, found))
    given = {row.subscription_id: row.created_at for row in rows if row.kind == "access_granted"}
    paid = tx.execute(
        select(Charge.subscription_id, func.max(Charge.paid_at, type_=Charge.paid_at.type))
        .where(Charge.subscription_id.in_([one for one in given if one is not None]))
        .group_by(Charge.subscription_id)
    )
    seconds = [(given[one] - paid_at).total_seconds() for one, paid_at in paid if paid_at is not None]
    return (rows[-1].id if rows else mark), [one for one in seconds if one >= 0]
