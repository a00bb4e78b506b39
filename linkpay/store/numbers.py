"""Sums over many subscriptions and charges of one site, grouped in the database. They only read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import extract, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from linkpay.domain.calendar import Unit
from linkpay.domain.charge import ChargeState
from linkpay.domain.plan import PlanKind
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Subscription


@dataclass(frozen=True, slots=True)
class Group:
    """Memberships that began or ended in one month (UTC) at one rhythm; `cents` is what they pay each time.

    `again` says that their customers had one here before.
    """

    year: int
    month: int
    unit: Unit
    count: int
    again: bool
    number: int
    cents: int


def began(tx: Tx, site_id: int) -> Sequence[Group]:
    """Memberships by the month in which they began."""
    return _grouped(tx, site_id, Subscription.started_at)


def ended(tx: Tx, site_id: int) -> Sequence[Group]:
    """Memberships by the month in which they ended."""
    return _grouped(tx, site_id, Subscription.ended_at)


def _grouped(tx: Tx, site_id: int, at: InstrumentedAttribute[datetime | None]) -> Sequence[Group]:
    earlier = aliased(Subscription)
    again = (
        select(earlier.id)
        .where(
            earlier.customer_id == Subscription.customer_id, earlier.id < Subscription.id,
            earlier.started_at.is_not(None),
        )
        .exists()
        .label("again")
    )  # fmt: skip
    by = (extract("year", at), extract("month", at), Subscription.interval_unit, Subscription.interval_count)
    query = (
        select(*by, again, func.count(Subscription.id), func.sum(Subscription.amount_cents))
        .where(
            Subscription.site_id == site_id, Subscription.kind == PlanKind.MEMBERSHIP,
            Subscription.started_at.is_not(None), at.is_not(None),
        )
        .group_by(*by, again)
    )  # fmt: skip
    return [
        Group(int(year), int(month), Unit(unit), count, bool(before), number, int(cents))
        for year, month, unit, count, before, number, cents in tx.execute(query)
    ]


def failures(tx: Tx, site_id: int) -> tuple[int, int, int]:
    """(how many charges ever failed, how many of them were paid after all, what those brought in cents)."""
    paid = Charge.state == ChargeState.PAID
    query = select(
        func.count(Charge.id), func.count(Charge.id).filter(paid), func.sum(Charge.amount_cents).filter(paid)
    ).where(Charge.site_id == site_id, Charge.dunning_round > literal(0, literal_execute=True))
    failed, recovered, cents = tx.execute(query).one()
    return int(failed), int(recovered), int(cents or 0)
