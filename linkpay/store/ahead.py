"""Reading for many payments at once what booking will ask for each: a statement for each table.

Nothing here decides anything: it fills what the transaction remembers (`store.remembering`) with just what
the readers of `charges`, `subscriptions`, `people`, `grants` and the others would find.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute

from linkpay.domain.charge import ChargeState
from linkpay.domain.plan import TRIAL_PERIOD
from linkpay.store import (
    agreements,
    charges,
    grants,
    ledger,
    notices,
    people,
    price_changes,
    sites,
    subscriptions,
)
from linkpay.store.db import Tx
from linkpay.store.remembering import hold, know
from linkpay.store.tables import (
    Charge,
    Consent,
    Credit,
    Customer,
    Gift,
    Grant,
    LedgerEntry,
    Mandate,
    Notice,
    Offer,
    Payment,
    PriceChange,
    Redemption,
    Subscription,
)
from linkpay.store.tables.base import Base

Row = TypeVar("Row", bound=Base)


def hold_all(tx: Tx, payment_ids: Sequence[int], grant_ids: Sequence[int]) -> Sequence[Subscription]:
    """Hold the subscriptions of payments, which are returned, and the members of these and of grants.

    Everybody is held in one order, subscriptions first, then members, by id: who held them one by one, as
    they come, would on a server wait in a ring with others who do the same.
    """
    owned = subscriptions.lock_for_payments(tx, payment_ids) if payment_ids else []
    members = grants.members(tx, grant_ids) if grant_ids else set()
    people.lock_family(tx, *members, *{one.member_id for one in owned})
    return owned


def of_payments(tx: Tx, payment_ids: Sequence[int], grant_ids: Sequence[int] = ()) -> None:
    """Hold all of them, and read what belongs to the payments."""
    owned = hold_all(tx, payment_ids, grant_ids)
    for site_id in {one.site_id for one in owned}:
        sites.get(tx, site_id)
    _money(tx, [one.id for one in owned], payment_ids)
    _access(tx, owned)
    _agreed(tx, [one.id for one in owned])
    _by_id(tx, Offer, {one.offer_id for one in owned})


def of_subscriptions(tx: Tx, subscription_ids: Sequence[int]) -> None:
    """Hold subscriptions and the members whom they let in, and read what their next period costs them."""
    owned = subscriptions.lock_all(tx, subscription_ids)
    people.lock_family(tx, *{one.member_id for one in owned})
    for site_id in {one.site_id for one in owned}:
        sites.get(tx, site_id)
    owing = charges.unsettled(tx, subscription_ids)
    _by_id(tx, Mandate, {one.mandate_id for one in owned if one.mandate_id is not None})
    _agreed(tx, subscription_ids)
    used = _grouped(
        _rows(tx, Redemption, Redemption.subscription_id, subscription_ids), lambda one: one.subscription_id
    )
    prices = _rows(tx, PriceChange, PriceChange.subscription_id, subscription_ids)
    standing = _grouped([one for one in prices if one.withdrawn_at is None], lambda one: one.subscription_id)
    for number in subscription_ids:
        know(tx, charges.has_unsettled, (number,), number in owing)
        know(tx, agreements.redemption, (number,), used[number][0] if used[number] else None)
        told = sorted((one.effective_on, one.id, one.amount_cents) for one in standing[number] if one.told_at)
        know(tx, agreements.announced, (number,), [(day, cents) for day, _, cents in told])
        still_open = [one for one in standing[number] if one.applied_at is None]
        know(tx, price_changes.open_of, (number,), still_open)


def _money(tx: Tx, subscription_ids: Sequence[int], payment_ids: Sequence[int]) -> None:
    """Charges, the attempts at those that are looked at, their ledger, and who pays by which mandate."""
    made = _rows(tx, Charge, Charge.subscription_id, subscription_ids, Charge.period)
    hold(tx, made)
    periods = [charge for charge in made if charge.period >= TRIAL_PERIOD]
    _know(tx, charges.of_subscription, "subscription_id", subscription_ids, periods)
    asked_for = set(tx.scalars(_CHARGE_IDS, {"ids": list(payment_ids)}))
    asked_for |= {charge.id for charge in made if charge.state is ChargeState.COLLECTING}
    tried = _rows(tx, Payment, Payment.charge_id, asked_for)
    hold(tx, tried)
    _know(tx, charges.payments, "charge_id", asked_for, tried)
    booked = _rows(tx, LedgerEntry, LedgerEntry.charge_id, asked_for)
    _know(tx, ledger.entries, "charge_id", asked_for, booked)
    refs = _grouped(booked, lambda entry: entry.payment_id)
    for payment in tried:
        know(tx, ledger.booked_refs, (payment.id,), {entry.ref for entry in refs[payment.id]})
    _by_id(tx, Customer, {payment.customer_id for payment in tried})
    _by_id(tx, Mandate, {payment.mandate_id for payment in tried if payment.mandate_id is not None})


_CHARGE_IDS = select(Payment.charge_id).where(Payment.id.in_(bindparam("ids", expanding=True)))


def _access(tx: Tx, owned: Sequence[Subscription]) -> None:
    """All that may let these members in, and what Kajabi has of it."""
    members = {one.member_id for one in owned}
    wanted = {(one.member_id, one.offer_id) for one in owned}
    bought = _grouped(_rows(tx, Subscription, Subscription.member_id, members), _whose)
    given = _rows(tx, Gift, Gift.member_id, members)
    gifts = _grouped([gift for gift in given if gift.taken_back_at is None], _whose)
    for pair in wanted:
        know(tx, subscriptions.for_access, pair, bought[pair])
        know(tx, people.gifts, pair, gifts[pair])
    _know(tx, grants.of_member, "member_id", members, _rows(tx, Grant, Grant.member_id, members))
    within = defaultdict(list)
    for extra, number in tx.execute(_PAID_WITHIN, {"ids": [one.id for one in owned]}):
        within[number].append(extra)
    for one in owned:
        know(tx, subscriptions.paid_within, (one.id,), within[one.id])


_PAID_WITHIN = (
    select(Subscription, Charge.subscription_id)
    .join(Charge, Charge.id == Subscription.paid_within_id)
    .where(Charge.subscription_id.in_(bindparam("ids", expanding=True)))
    .order_by(Subscription.id)
)


def _whose(row: Subscription | Gift) -> tuple[int, int]:
    return row.member_id, row.offer_id


def _agreed(tx: Tx, subscription_ids: Sequence[int]) -> None:
    """What was told and agreed, and the credit of each subscription."""
    by = "subscription_id"
    told = _rows(tx, Notice, Notice.subscription_id, subscription_ids)
    _know(tx, notices.of_subscription, by, subscription_ids, told)
    given = _rows(tx, Consent, Consent.subscription_id, subscription_ids)
    _know(tx, people.consents, by, subscription_ids, given)
    credit = _grouped(
        _rows(tx, Credit, Credit.subscription_id, subscription_ids), lambda one: one.subscription_id
    )
    for number in subscription_ids:
        away = {one.charge_id for one in credit[number] if one.reason == "switch" and one.charge_id}
        know(tx, agreements.switched_away, (number,), away)
        know(tx, agreements.credit_cents, (number,), sum(one.amount_cents for one in credit[number]))


def _by_id(tx: Tx, table: type[Row], ids: Iterable[int]) -> None:
    if wanted := list(ids):
        hold(tx, _rows(tx, table, table.id, wanted))


def _know(tx: Tx, query: object, column: str, values: Iterable[int], rows: Sequence[Row]) -> None:
    """These are the answers to a query about each of the values of a column."""
    by_value = _grouped(rows, lambda row: getattr(row, column))
    for value in values:
        know(tx, query, (value,), by_value[value])


def _grouped(rows: Iterable[Row], by: Callable[[Row], Any]) -> defaultdict[Any, list[Row]]:
    found: defaultdict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        found[by(row)].append(row)
    return found


def _rows(
    tx: Tx, table: type[Row], column: InstrumentedAttribute[int], values: Iterable[int],
    order: InstrumentedAttribute[int] | None = None,
) -> Sequence[Row]:  # fmt: skip
    """All rows with one of these values, as they are now, oldest first or in the given order."""
    wanted = list(values)
    return tx.scalars(_query(table, column, order), {"values": wanted}).all() if wanted else []


@cache
def _query(
    table: type[Row], column: InstrumentedAttribute[int], order: InstrumentedAttribute[int] | None
) -> Select[Any]:
    query = select(table).where(column.in_(bindparam("values", expanding=True)))
    return query.order_by(order if order is not None else table.id).execution_options(populate_existing=True)
