"""What a page will ask about some purchases, read in few statements before it asks.

Its timeline, the days to come, what gives access and what can be done all ask about the same rows, each from
its own side and about one purchase at a time. In a transaction that only reads, the answers can be known
beforehand, for all purchases at once (`remembering.asked_once`); where something may be written, nothing is
foreseen.
"""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from linkpay.domain.plan import TRIAL_PERIOD
from linkpay.store import agreements, charges, journal, ledger, notices, people, subscriptions, work
from linkpay.store.db import Tx
from linkpay.store.remembering import answers, hold
from linkpay.store.tables import (
    Base,
    Charge,
    Consent,
    Coupon,
    Credit,
    Event,
    LedgerEntry,
    Notice,
    Outbox,
    Payment,
    PriceChange,
    Redemption,
    Refund,
    Subscription,
    Withdrawal,
)


def these(tx: Tx, bought: Collection[Subscription]) -> None:
    """The rows of these purchases themselves, which the caller has read."""
    known = answers(tx)
    if known is not None:
        known |= {(subscriptions.get, one.id): one for one in bought}
        known |= {(subscriptions.by_token, one.site_id, one.token): one for one in bought}


def access(tx: Tx, member_id: int, bought: Collection[Subscription]) -> None:
    """What lets a member in to what she bought: `bought` holds every purchase that does."""
    known, hers = answers(tx), [one for one in bought if one.member_id == member_id]
    if known is not None:
        known |= {(subscriptions.for_access, member_id, one.offer_id): [] for one in hers}
        for one in hers:
            known[subscriptions.for_access, member_id, one.offer_id].append(one)


def prices(tx: Tx, bought: Collection[Subscription]) -> None:
    """What bears on what these purchases cost: prices that were announced, a coupon, credit in hand."""
    known = answers(tx)
    if known is None or not bought:
        return
    credit = select(func.sum(Credit.amount_cents)).where(Credit.subscription_id == Subscription.id)
    told = PriceChange.told_at.is_not(None) & PriceChange.withdrawn_at.is_(None)
    query = (
        select(
            Subscription.id, PriceChange.effective_on, PriceChange.amount_cents, Redemption,
            Coupon.plan_slugs, credit.scalar_subquery(),
        )
        .outerjoin(PriceChange, and_(PriceChange.subscription_id == Subscription.id, told))
        .outerjoin(Redemption, Redemption.subscription_id == Subscription.id)
        .outerjoin(Coupon, Coupon.id == Redemption.coupon_id)
        .where(Subscription.id.in_([one.id for one in bought]))
        .order_by(PriceChange.effective_on, PriceChange.id)
    )  # fmt: skip
    known |= {(agreements.announced, one.id): [] for one in bought}
    for number, day, cents, used, slugs, in_hand in tx.execute(query):
        if day is not None:
            known[agreements.announced, number].append((day, cents))
        known[agreements.redemption, number] = used
        known[agreements.plans_of_coupon, number] = slugs or ()
        known[agreements.credit_cents, number] = int(in_hand or 0)


def collections(
    tx: Tx, bought: Collection[Subscription]
) -> list[tuple[Charge, Payment | None, Refund | None]]:
    """Every charge of these purchases with each attempt to collect it and what was owed back of it, in order.

    A charge without an attempt comes once, with None. An extra brings the charge that it was paid within.
    """
    if not bought:
        return []
    within = [one.paid_within_id for one in bought if one.paid_within_id is not None]
    query = (
        select(Charge, Payment, Refund)
        .outerjoin(Payment, Payment.charge_id == Charge.id)
        .outerjoin(Refund, Refund.payment_id == Payment.id)
        .where(or_(Charge.subscription_id.in_([one.id for one in bought]), Charge.id.in_(within)))
        .order_by(Charge.period, Charge.id, Payment.id, Refund.id)
        .execution_options(populate_existing=True)
    )
    found: list[tuple[Charge, Payment | None, Refund | None]] = [(c, p, r) for c, p, r in tx.execute(query)]
    if (known := answers(tx)) is not None:
        made = {charge.id: charge for charge, _, _ in found}
        hold(tx, made.values())
        periods = [one for one in made.values() if one.period >= TRIAL_PERIOD]
        _by(known, charges.of_subscription, [one.id for one in bought], periods, "subscription_id")
        tries = {payment.id: payment for _, payment, _ in found if payment is not None}
        _by(known, charges.payments, made, tries.values(), "charge_id")
        going_back = {payment.charge_id for _, payment, refund in found if payment and refund}
        known |= {(charges.refunds_under_way, number): {} for number in made.keys() - going_back}
        for number in made:
            still_open = (one for one in known[charges.payments, number] if one.is_open)
            known[charges.open_payment, number] = next(still_open, None)
    return found


def ladders(tx: Tx, kind: str, made: Iterable[Charge]) -> None:
    """The ledger of those of these charges that failed, and their steps (work of this `kind`) to come."""
    known, failed = answers(tx), {one.id: one for one in made if one.failed_at is not None}
    if known is None or not failed:
        return
    booked = _rows(tx, LedgerEntry, LedgerEntry.charge_id.in_(failed))
    _by(known, ledger.entries, failed, booked, "charge_id")
    query = select(Outbox).where(
        Outbox.kind == kind, Outbox.target_id.in_(failed), Outbox.done_at.is_(None),
        Outbox.parked_at.is_(None),
    )  # fmt: skip
    steps = tx.scalars(query.order_by(Outbox.run_at, Outbox.id)).all()
    for one in failed.values():
        begins = f"{one.id}:{one.dunning_round}:"
        known[work.waiting, kind, begins] = [step for step in steps if step.ref.startswith(begins)]


def told(tx: Tx, bought: Collection[Subscription]) -> None:
    """What was agreed to for these purchases, and what was told of their debits."""
    known, ids = answers(tx), [one.id for one in bought]
    if known is not None and ids:
        for query, table in ((people.consents, Consent), (notices.of_subscription, Notice)):
            _by(known, query, ids, _rows(tx, table, table.subscription_id.in_(ids)), "subscription_id")


def contracts(tx: Tx, bought: Collection[Subscription]) -> None:
    """What the right to withdraw from these purchases depends on, beside their rows."""
    known, ids = answers(tx), [one.id for one in bought]
    if known is None or not ids:
        return
    consents = _rows(tx, Consent, Consent.subscription_id.in_(ids))
    _by(known, people.consents, ids, consents, "subscription_id")
    again = select(func.max(Event.id)).where(Event.subscription_id.in_(ids), Event.kind == "reactivated")
    query = (
        select(Subscription.id, func.max(Withdrawal.id), Event.created_at)
        .outerjoin(
            Withdrawal, and_(Withdrawal.subscription_id == Subscription.id, Withdrawal.done_at.is_not(None))
        )
        .outerjoin(
            Event,
            and_(
                Event.subscription_id == Subscription.id,
                Event.id.in_(again.group_by(Event.subscription_id)),
            ),
        )
        .where(Subscription.id.in_(ids))
        .group_by(Subscription.id, Event.created_at)
    )
    for number, withdrawal, begun_anew_at in tx.execute(query):
        known[agreements.was_withdrawn, number] = withdrawal is not None
        known[journal.last_event_at, number, "reactivated"] = begun_anew_at


def _rows(tx: Tx, table: type[Any], which: ColumnElement[bool]) -> list[Any]:
    return list(tx.scalars(select(table).where(which).order_by(table.id)))


def _by(
    known: dict[tuple[Any, ...], Any], query: object, ids: Iterable[int], rows: Iterable[Base], name: str
) -> None:
    """Each of these `ids` has for an answer those of the rows that carry it, in their order."""
    known |= {(query, number): [] for number in ids}
    for row in rows:
        if (query, getattr(row, name)) in known:
            known[query, getattr(row, name)].append(row)
