"""What is going to be collected on a site, grouped in the database. Reads only.

Most subscriptions ask the agreed amount at their rhythm, and are counted without being read. The others are
those on whose amounts or days something bears: they come in groups of equals, with one of each to look at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, ScalarSelect, String, and_, case, cast, func, literal, or_, select

from linkpay.domain.calendar import Interval, Unit
from linkpay.domain.cash import Stream
from linkpay.domain.charge import ChargeState
from linkpay.domain.coupon import Duration
from linkpay.domain.snapshots import MandateStatus
from linkpay.domain.subscription import SubscriptionState
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Credit, Mandate, Payment, PriceChange, Redemption, Subscription

_S = SubscriptionState
_COLLECTED = (_S.ACTIVE, _S.CANCELING, _S.TRIALING, _S.PAUSED)
_BY_DEBIT = Mandate.method != "creditcard"


def streams(tx: Tx, site_id: int, today: date, last: date) -> Sequence[Stream]:
    """What is collected until `last` of those on which nothing else bears, by their agreed amounts."""
    by = (
        Subscription.next_charge_on, Subscription.interval_unit, Subscription.interval_count, _BY_DEBIT,
        Subscription.periods - Subscription.next_index,
    )  # fmt: skip
    query = (
        select(*by, func.count(Subscription.id), func.sum(Subscription.amount_cents))
        .join(Mandate, Mandate.id == Subscription.mandate_id)
        .where(
            Subscription.site_id == site_id, Subscription.next_charge_on <= last,
            Subscription.state == _S.ACTIVE, _may_be_tried(), ~_arranged(site_id, today),
        )
        .group_by(*by)
    )  # fmt: skip
    return [
        Stream(day, Interval(Unit(unit), count), bool(by_debit), number, int(cents), left)
        for day, unit, count, by_debit, left, number, cents in tx.execute(query)
        if day is not None
    ]


@dataclass(frozen=True, slots=True)
class Alike:
    """`number` subscriptions of which the same is collected on the same days; `one_id` is one of them.

    With `is_alone` there is something that only this one has.
    """

    one_id: int
    number: int
    by_debit: bool
    is_alone: bool


def arranged(tx: Tx, site_id: int, today: date, last: date) -> Sequence[Alike]:
    """Those on whose amounts or days something bears, and who are collected until `last`; most first."""
    it = Subscription
    alone = case((it.id.in_(_with_credit(site_id)) | it.id.in_(_with_new_price(site_id)), it.id), else_=0)
    by = (
        alone, _BY_DEBIT, it.state, it.plan_id, it.kind, it.amount_cents, it.interval_unit, it.interval_count,
        it.periods, cast(it.term_cents, String), it.trial_days, it.setup_fee_cents, cast(it.policy, String),
        it.anchor_on, it.anchor_index, it.next_index, it.next_charge_on, it.last_raised_on, it.not_before_on,
        it.pause_on, it.resume_on, it.cancel_on, it.next_plan_id, Redemption.kind, Redemption.value,
        Redemption.duration, Redemption.periods, Redemption.coupon_id,
    )  # fmt: skip
    query = (
        select(func.min(it.id), func.count(it.id), _BY_DEBIT, alone)
        .join(Mandate, Mandate.id == it.mandate_id)
        .outerjoin(Redemption, Redemption.subscription_id == it.id)
        .where(
            it.site_id == site_id, it.state.in_(_COLLECTED), _may_be_tried(), _arranged(site_id, today),
            or_(it.next_charge_on <= last, it.resume_on <= last),
        )
        .group_by(*by)
        .order_by(func.count(it.id).desc(), func.min(it.id))
    )  # fmt: skip
    return [Alike(one, number, bool(debit), own != 0) for one, number, debit, own in tx.execute(query)]


def _may_be_tried() -> ColumnElement[bool]:
    """As `Mandate.may_be_tried` says: of the others nothing is collected."""
    ended = (MandateStatus.INVALID, MandateStatus.REVOKED)
    return and_(Mandate.unusable_at.is_(None), Mandate.status.not_in(ended))


def _arranged(site_id: int, today: date) -> ColumnElement[bool]:
    """Whether anything bears on the amounts or the days of a subscription but its price and its rhythm."""
    it = Subscription
    first = and_(it.next_index < 1, or_(it.trial_days > 0, it.setup_fee_cents > 0))
    return or_(
        it.state != _S.ACTIVE, it.pause_on.is_not(None), it.next_plan_id.is_not(None),
        it.not_before_on.is_not(None), it.next_charge_on < today, cast(it.term_cents, String) != "[]", first,
        it.id.in_(_with_coupon(site_id)), it.id.in_(_with_credit(site_id)),
        it.id.in_(_with_new_price(site_id)),
    )  # fmt: skip


def _with_coupon(site_id: int) -> ScalarSelect[int]:
    """Whose coupon is not used up yet: `once` is the first period."""
    goes_on = or_(
        Redemption.duration == Duration.FOREVER.value,
        Subscription.next_index < func.coalesce(Redemption.periods, 1),
    )
    return (
        select(Redemption.subscription_id)
        .join(Subscription, Subscription.id == Redemption.subscription_id)
        .where(Redemption.site_id == site_id, goes_on)
        .scalar_subquery()
    )


def _with_credit(site_id: int) -> ScalarSelect[int]:
    return select(Credit.subscription_id).where(Credit.site_id == site_id).scalar_subquery()


def _with_new_price(site_id: int) -> ScalarSelect[int]:
    told = (PriceChange.told_at.is_not(None), PriceChange.withdrawn_at.is_(None))
    of_site = PriceChange.site_id == site_id
    return (
        select(PriceChange.subscription_id)
        .where(of_site, *told, PriceChange.applied_at.is_(None))
        .scalar_subquery()
    )


def under_way(tx: Tx, site_id: int) -> Sequence[tuple[datetime, int]]:
    """(when it was asked for, cents) of each SEPA debit that no bank has answered yet."""
    # Written out, so that the index that leaves out what is paid is used.
    is_not_paid = Charge.state != literal(ChargeState.PAID.value, literal_execute=True)
    query = (
        select(Payment.created_at, Payment.amount_cents)
        .join(Charge, Charge.id == Payment.charge_id)
        .where(
            Charge.site_id == site_id, Charge.state == ChargeState.COLLECTING, is_not_paid, Payment.is_open,
            Payment.method == "directdebit",
        )
    )  # fmt: skip
    return [(at, cents) for at, cents in tx.execute(query)]
