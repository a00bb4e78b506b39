"""Subscriptions: reading them, locking them, finding what is due."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import cast

from sqlalchemy import Date, Integer, Select, bindparam, false, or_, select

from linkpay.domain.subscription import SubscriptionState
from linkpay.store.db import FOR_CHANGE, Tx
from linkpay.store.remembering import asked_once, asked_until_written, current, held, hold
from linkpay.store.tables import Charge, Payment, Site, Subscription

#: States whose next period is raised by the billing run.
_BILLED = (SubscriptionState.ACTIVE, SubscriptionState.TRIALING, SubscriptionState.CANCELING)


def lock(tx: Tx, subscription_id: int) -> Subscription:
    """The subscription as it is now, held until the end of the transaction.

    Everything that changes a subscription, its charges or their payments takes this lock first.
    """
    if subscription_id not in _locked(tx):
        _hold_locked(tx, _LOCK, {"subscription_id": subscription_id})
    return held(tx, Subscription, subscription_id)


_LOCK = (
    select(Subscription)
    .where(Subscription.id == bindparam("subscription_id"))
    .with_for_update(**FOR_CHANGE)
    .execution_options(populate_existing=True)
)


def lock_for_payment(tx: Tx, payment_id: int) -> Subscription:
    """The subscription that a payment collects for, as it is now, held until the end of the transaction."""
    whose = _whose(tx)
    if payment_id not in whose:
        whose[payment_id] = _hold_locked(tx, _FOR_PAYMENT, {"payment_id": payment_id}).id
    return held(tx, Subscription, whose[payment_id])


_FOR_PAYMENT = (
    select(Subscription)
    .join(Charge, Charge.subscription_id == Subscription.id)
    .join(Payment, Payment.charge_id == Charge.id)
    .where(Payment.id == bindparam("payment_id"))
    .with_for_update(of=Subscription, **FOR_CHANGE)
    .execution_options(populate_existing=True)
)


def lock_all(tx: Tx, subscription_ids: Sequence[int]) -> Sequence[Subscription]:
    """Many at once, held in one order until the end."""
    found = tx.scalars(_LOCK_ALL, {"ids": list(subscription_ids)}).all()
    hold(tx, found)
    _locked(tx).update(one.id for one in found)
    return found


_LOCK_ALL = (
    select(Subscription)
    .where(Subscription.id.in_(bindparam("ids", expanding=True)))
    .order_by(Subscription.id)
    .with_for_update(**FOR_CHANGE)
    .execution_options(populate_existing=True)
)


def lock_for_payments(tx: Tx, payment_ids: Sequence[int]) -> Sequence[Subscription]:
    """The subscriptions that payments collect for, held in one order until the end."""
    pairs = tx.execute(_WHOSE, {"ids": list(payment_ids)}).all()
    found = lock_all(tx, sorted({number for _, number in pairs}))
    _whose(tx).update((payment_id, number) for payment_id, number in pairs)
    return found


_WHOSE = (
    select(Payment.id, Charge.subscription_id)
    .join(Charge, Charge.id == Payment.charge_id)
    .where(Payment.id.in_(bindparam("ids", expanding=True)))
)


def _locked(tx: Tx) -> set[int]:
    """Those that this transaction holds already: what it knows of them is how they are."""
    return cast("set[int]", tx.info.setdefault("locked", set()))


def _whose(tx: Tx) -> dict[int, int]:
    """The subscription of each payment for which this transaction holds it."""
    return cast("dict[int, int]", tx.info.setdefault("whose", {}))


def _hold_locked(tx: Tx, lock_one: Select[Subscription], which: dict[str, int]) -> Subscription:
    found = tx.scalars(lock_one, which).one()
    hold(tx, [found])
    _locked(tx).add(found.id)
    return found


@asked_once
def get(tx: Tx, subscription_id: int) -> Subscription:
    """The subscription as it is now, to read; it must exist."""
    return current(tx, Subscription, subscription_id)


def copy_of(subscription: Subscription) -> Subscription:
    """A copy that no transaction knows: whatever is done to it, nothing of it is ever written."""
    names = [column.key for column in Subscription.__mapper__.column_attrs]
    return Subscription(**{name: getattr(subscription, name) for name in names})


@asked_once
def by_token(tx: Tx, site_id: int, token: str) -> Subscription | None:
    """The subscription whose pages carry this secret."""
    return tx.scalar(select(Subscription).where(Subscription.site_id == site_id, Subscription.token == token))


def pending_for(tx: Tx, customer_id: int, offer_id: int) -> Subscription | None:
    """The sign-up under way of this customer for this offer; there is at most one."""
    return tx.scalar(
        select(Subscription).where(
            Subscription.customer_id == customer_id,
            Subscription.offer_id == offer_id,
            Subscription.state == SubscriptionState.PENDING,
        )
    )


def has_begun(tx: Tx, customer_id: int) -> bool:
    """Whether anything that this customer ordered ever began."""
    return tx.scalar(_BEGUN, {"customer_id": customer_id}) is not None


_BEGUN = (
    select(Subscription.id)
    .where(Subscription.customer_id == bindparam("customer_id"), Subscription.started_at.is_not(None))
    .limit(1)
)


def of_customer(tx: Tx, customer_id: int, offer_id: int) -> Sequence[Subscription]:
    """All subscriptions of a customer for an offer, oldest first."""
    return tx.scalars(_OF_CUSTOMER, {"customer_id": customer_id, "offer_id": offer_id}).all()


_OF_CUSTOMER = (
    select(Subscription)
    .where(
        Subscription.customer_id == bindparam("customer_id"), Subscription.offer_id == bindparam("offer_id")
    )
    .order_by(Subscription.id)
)


@asked_until_written(Subscription, "member_id", chosen_by=("offer_id",))
def for_access(tx: Tx, member_id: int, offer_id: int) -> Sequence[Subscription]:
    """All subscriptions that may give this member this offer."""
    return tx.scalars(_FOR_ACCESS, {"member_id": member_id, "offer_id": offer_id}).all()


_FOR_ACCESS = (
    select(Subscription)
    .where(Subscription.member_id == bindparam("member_id"), Subscription.offer_id == bindparam("offer_id"))
    .order_by(Subscription.id)
)


def of_member(tx: Tx, member_id: int) -> Sequence[Subscription]:
    """All subscriptions that let this member in, whoever pays, oldest first."""
    return tx.scalars(
        select(Subscription).where(Subscription.member_id == member_id).order_by(Subscription.id)
    ).all()


@asked_once
def of_payer(tx: Tx, customer_id: int) -> Sequence[Subscription]:
    """All subscriptions that a customer pays, for whomever, oldest first."""
    return tx.scalars(
        select(Subscription).where(Subscription.customer_id == customer_id).order_by(Subscription.id)
    ).all()


@asked_until_written(Subscription, chosen_by=("paid_within_id",))
def paid_within(tx: Tx, subscription_id: int) -> Sequence[Subscription]:
    """The order bumps that were paid within charges of this subscription, oldest first."""
    return tx.scalars(_PAID_WITHIN, {"subscription_id": subscription_id}).all()


_PAID_WITHIN = (
    select(Subscription)
    .join(Charge, Charge.id == Subscription.paid_within_id)
    .where(Charge.subscription_id == bindparam("subscription_id"))
    .order_by(Subscription.id)
)


def due_ids(
    tx: Tx, today: Mapping[str, date], after: tuple[date, int] | None, limit: int
) -> Sequence[tuple[date, int]]:
    """(due day, id) of subscriptions to charge, in that order, beginning after `after`.

    `today` is the day it is by zone; sites of other zones are left alone, and those that are halted.
    """
    known: dict[str, object] = {"latest": max(today.values(), default=date.min), "most": limit}
    for number, (zone, day) in enumerate(today.items()):
        known |= {f"zone{number}": zone, f"day{number}": day}
    if after is not None:
        known |= {"after_on": after[0], "after_id": after[1]}
    found = tx.execute(_due(len(today), goes_on=after is not None), known)
    return [(day, number) for day, number in found if day is not None]


@cache
def _due(zones: int, *, goes_on: bool) -> Select[date | None, int]:
    """What is due in so many zones. The clock asks at every turn, and putting it together takes longest."""
    waited = Subscription.not_before_on
    come = []
    for number in range(zones):
        day = bindparam(f"day{number}", type_=Date)
        come.append(
            (Site.zone == bindparam(f"zone{number}"))
            & (Subscription.next_charge_on <= day)
            & or_(waited.is_(None), waited <= day)
        )
    query = (
        select(Subscription.next_charge_on, Subscription.id)
        .join(Site, Site.id == Subscription.site_id)
        .where(
            Subscription.next_charge_on.is_not(None),
            Subscription.next_charge_on <= bindparam("latest"),
            or_(false(), *come),
            Subscription.state.in_(_BILLED),
            Site.halted_at.is_(None),
            Site.catch_up_from.is_(None),
        )
        .order_by(Subscription.next_charge_on, Subscription.id)
        .limit(bindparam("most", type_=Integer))
    )
    if goes_on:
        after_on, after_id = bindparam("after_on", type_=Date), bindparam("after_id", type_=Integer)
        query = query.where(
            (Subscription.next_charge_on > after_on)
            | ((Subscription.next_charge_on == after_on) & (Subscription.id > after_id))
        )
    return query
