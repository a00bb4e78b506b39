"""Sums over many subscriptions and charges of one site, grouped in the database. They only read."""

from collections.abc import Sequence as ListOf
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import String, cast, func, literal, select, update
from sqlalchemy.orm import InstrumentedAttribute, aliased

from linkpay.domain.calendar import Unit
from linkpay.domain.charge import ChargeState
from linkpay.domain.metrics import Change, MonthOf
from linkpay.domain.plan import PlanKind
from linkpay.domain.snapshots import PaymentStatus, Sequence
from linkpay.store.db import Tx, core, insert_once
from linkpay.store.tables import Charge, KeptNumbers, Payment, Subscription, WorthChange


@dataclass(frozen=True, slots=True)
class Group:
    """Memberships that began in one month (UTC) at one rhythm, and ended in one, if they did; `cents` is what
    they pay each time. `again` says that their customers had one here before.
    """

    began: MonthOf
    ended: MonthOf | None
    unit: Unit
    count: int
    again: bool
    number: int
    cents: int


def memberships(tx: Tx, site_id: int) -> ListOf[Group]:
    """Memberships by the months in which they began and ended."""
    by = (
        _month(Subscription.started_at), _month(Subscription.ended_at), Subscription.interval_unit,
        Subscription.interval_count, _again(),
    )  # fmt: skip
    query = (
        select(*by, func.count(Subscription.id), func.sum(Subscription.amount_cents))
        .where(
            Subscription.site_id == site_id, Subscription.kind == PlanKind.MEMBERSHIP,
            Subscription.started_at.is_not(None),
        )
        .group_by(*by)
    )  # fmt: skip
    return [
        Group(
            _read(began), _read(ended) if ended is not None else None, Unit(unit), count, bool(again), number,
            int(cents),
        )
        for began, ended, unit, count, again, number, cents in tx.execute(query)
    ]  # fmt: skip


def changes(tx: Tx, site_id: int) -> ListOf[Change]:
    """What running memberships brought more and less, by the months in which they began and changed."""
    more = WorthChange.after_cents - WorthChange.before_cents
    by = (_month(Subscription.started_at), _month(WorthChange.created_at), _again())
    query = (
        select(*by, func.sum(more).filter(more > 0), func.sum(-more).filter(more < 0))
        .join(Subscription, Subscription.id == WorthChange.subscription_id)
        .where(WorthChange.site_id == site_id, Subscription.started_at.is_not(None))
        .group_by(*by)
    )
    return [
        Change(_read(began), _read(changed), int(up or 0), int(down or 0), bool(again))
        for began, changed, again, up, down in tx.execute(query)
    ]


def _month(at: InstrumentedAttribute[Any]) -> Any:
    """The month of an instant, as in 2026-01. Both databases write instants alike; taking a date apart costs
    SQLite twice as much.
    """
    return func.substr(cast(at, String), 1, 7)


def _read(month: str) -> MonthOf:
    year, _, number = month.partition("-")
    return int(year), int(number)


def _again() -> Any:
    earlier = aliased(Subscription)
    return (
        select(earlier.id)
        .where(
            earlier.customer_id == Subscription.customer_id, earlier.id < Subscription.id,
            earlier.started_at.is_not(None),
        )
        .correlate(Subscription)
        .exists()
        .label("again")
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Failed:
    """Charges that failed, by what became of them.

    `paid_by` is None where nothing at Mollie paid them; `debits` are how often they were debited until then.
    """

    state: ChargeState
    paid_by: Sequence | None
    debits: int
    number: int
    cents: int


def failures(tx: Tx, site_id: int, since: date) -> list[Failed]:
    """Charges due since a day that failed, by their state now, what paid them, and after how many debits."""
    paying = (
        select(func.max(Payment.id))
        .where(Payment.charge_id == Charge.id, Payment.status == PaymentStatus.PAID)
        .scalar_subquery()
    )
    attempt, payment = aliased(Payment), aliased(Payment)
    debits = (
        select(func.count(attempt.id))
        .where(
            attempt.charge_id == Charge.id, attempt.sequence == Sequence.RECURRING, attempt.id <= payment.id
        )
        .correlate(Charge, payment)
        .scalar_subquery()
    )
    found = (
        select(Charge.state, payment.sequence, debits.label("debits"), Charge.amount_cents)
        .outerjoin(payment, (payment.id == paying) & (Charge.state == ChargeState.PAID))
        .where(
            Charge.site_id == site_id, Charge.dunning_round > literal(0, literal_execute=True),
            Charge.due_on >= since,
        )
        .subquery()
    )  # fmt: skip
    by = (found.c.state, found.c.sequence, found.c.debits)
    rows = tx.execute(select(*by, func.count(), func.sum(found.c.amount_cents)).group_by(*by))
    return [
        Failed(ChargeState(state), sequence and Sequence(sequence), int(debits), number, int(cents))
        for state, sequence, debits, number, cents in rows
    ]


def large_sites(tx: Tx, least: int) -> ListOf[int]:
    """Ids of the sites that ever had so many subscriptions."""
    query = select(Subscription.site_id).group_by(Subscription.site_id)
    return tx.scalars(query.having(func.count() >= least)).all()


def kept(tx: Tx, site_id: int, since: datetime) -> dict[str, Any] | None:
    """The figures of a site that were counted at this moment or later, if there are any."""
    query = select(KeptNumbers.figures).where(KeptNumbers.site_id == site_id, KeptNumbers.counted_at >= since)
    return tx.scalar(query)


def keep(tx: Tx, site_id: int, figures: dict[str, Any], counted_at: datetime) -> None:
    """From now on these are the figures of a site, unless newer ones are kept."""
    values = {"figures": figures, "counted_at": counted_at}
    if insert_once(tx, KeptNumbers, site_id=site_id, created_at=counted_at, **values) is None:
        row = core(KeptNumbers)
        of_site = (row.c.site_id == site_id, row.c.counted_at < counted_at)
        tx.execute(update(row).where(*of_site).values(**values))
