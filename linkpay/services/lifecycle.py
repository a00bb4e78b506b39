"""What a payment means for the subscription: starting it, keeping it going, completing it."""

from datetime import date, datetime, timedelta

from linkpay.domain import pricing, proof
from linkpay.domain.calendar import Period, add_intervals, day_starts_at, local_day, period
from linkpay.domain.charge import is_given
from linkpay.domain.plan import TRIAL_PERIOD, Terms
from linkpay.domain.subscription import LIVE, OVER, SubscriptionEvent, SubscriptionState, move
from linkpay.services import (
    access,
    charging,
    latecomers,
    letters,
    notices,
    refunds,
    standing,
    withdrawal_money,
)
from linkpay.store import agreements, charges, journal, people, sites, subscriptions
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Payment, Subscription

S, E = SubscriptionState, SubscriptionEvent


def charge_paid(
    tx: Tx, subscription: Subscription, charge: Charge, payment: Payment | None, now: datetime
) -> None:
    """All that is owed for one period came in. Caller holds the lock and reviews access after.

    `payment` is None where there was nothing to pay, or where it was paid past Mollie.
    """
    if charge.is_check:
        _return_check(tx, subscription, charge, payment, now)
        return
    if subscription.started_at is None:
        _first_paid(tx, subscription, charge, payment, now)
        return
    if subscription.state is S.ENDED:
        latecomers.paid_after_the_end(tx, subscription, charge, payment, now)
        return
    if subscription.state is S.CANCELING:
        latecomers.send_unused_back(tx, subscription, charge, now)
    if subscription.state is S.SUSPENDED and begin_anew(tx, subscription, charge, now):
        letters.owe(
            tx, "reactivated", subscription, step=f"charge:{charge.id}:reactivated", now=now,
            charge_id=charge.id,
        )  # fmt: skip
    latecomers.give_up_old_days(tx, subscription, charge)
    if _all_paid(tx, subscription):
        _complete(subscription)
    elif not charges.is_failing(tx, subscription.id, besides=charge.id):
        subscription.state = move(subscription.state, E.CHARGE_PAID)


def debt_cleared(tx: Tx, subscription: Subscription, charge: Charge, now: datetime) -> None:
    """Nobody asks for a charge any more, and the subscription goes on: where nothing else is owed, as before.

    A member who was shut out begins anew today; those days are not charged.
    """
    if charges.is_failing(tx, subscription.id, besides=charge.id):
        return
    site = sites.get(tx, subscription.site_id)
    today = local_day(now, site.zone)
    next_on = subscription.next_charge_on
    if subscription.state is S.SUSPENDED:
        subscription.access_ends_at = None
        if next_on is not None and next_on < today:
            subscription.anchor_on, subscription.anchor_index = today, subscription.next_index
            subscription.next_charge_on = today
    subscription.state = move(subscription.state, E.DEBT_CLEARED)
    if subscription.state in LIVE and _all_paid(tx, subscription):
        _complete(subscription)


def _first_paid(
    tx: Tx, subscription: Subscription, charge: Charge, payment: Payment | None, now: datetime
) -> None:
    # Two sign-ups of one person may be paid in the same instant: they take turns here.
    people.lock_member(tx, subscription.member_id)
    if agreements.was_withdrawn(tx, subscription.id):
        withdrawal_money.owe(tx, subscription, now)
        return
    if _bought_meanwhile(tx, subscription):
        if payment is not None and payment.amount_cents > 0:
            refunds.send_back(tx, subscription, payment, "paid_twice", payment.amount_cents, now)
        let_go(tx, subscription, now)
        return
    if subscription.cancel_asked_at is not None:
        # She called it off before it was paid: started all the same, it would charge her each month and,
        # since her access has ended, never let her in.
        latecomers.paid_after_the_end(tx, subscription, charge, payment, now)
        return
    site = sites.get(tx, subscription.site_id)
    subscription.started_at, subscription.ended_at = now, None
    subscription.signup_ends_at = None
    paid_at = payment.paid_at if payment else None
    _begin(subscription, charge, local_day(paid_at or now, site.zone))
    for extra in subscriptions.paid_within(tx, subscription.id):
        _start_extra(tx, extra, charge, payment, now)
    _return_check(tx, subscription, charge, payment, now)
    coupon = agreements.redemption(tx, subscription.id)
    if coupon is not None:
        coupon.counted_at = now
    notices.agreed_at_checkout(tx, subscription)
    actor = "mollie" if payment else "linkpay"
    journal.record(tx, "started", actor, now, subscription=subscription, payment=payment)
    trying = {"until": day_starts_at(charge.ends_on, site.zone).isoformat()} if charge.period < 0 else {}
    letters.owe(
        tx, "welcome", subscription, step=f"subscription:{subscription.id}:welcome", now=now,
        charge_id=charge.id, **trying,
    )  # fmt: skip


def _start_extra(tx: Tx, extra: Subscription, charge: Charge, payment: Payment | None, now: datetime) -> None:
    """What was added to a purchase is bought with it; who has it already gets its price back."""
    if _bought_meanwhile(tx, extra):
        if payment is not None:
            step, back = f"bump:{extra.id}", extra.amount_cents
            refunds.send_back(tx, extra, payment, step, back, now)
            letters.owe(tx, "paid_twice", extra, step=step, now=now)
        let_go(tx, extra, now)
        return
    # From whatever it was: a sign-up that was let go for another one is paid for all the same.
    extra.started_at, extra.ended_at = now, None
    extra.state = move(move(extra.state, E.FIRST_PAID), E.LAST_TERM_PAID)
    extra.anchor_on, extra.next_index = charge.starts_on, 1
    journal.record(tx, "started", "mollie", now, subscription=extra, payment=payment)


def _return_check(
    tx: Tx, subscription: Subscription, charge: Charge, payment: Payment | None, now: datetime
) -> None:
    """The cent that proved an account is the member's: off her first collection, or back at once."""
    cents = proof.check_cents(pricing.from_plain(charge.lines))
    if not cents or payment is None:
        return
    policy = sites.policy_of(sites.get(tx, subscription.site_id), subscription.policy)
    discount = charging.discount(tx, subscription)
    if policy.trial_check == "refund" or (discount is not None and discount.leaves_nothing_ever):
        refunds.send_back(tx, subscription, payment, "check", cents, now)
    else:
        agreements.add_credit(tx, subscription, cents, reason="check", ref=f"check:{charge.id}", now=now)


def let_go(tx: Tx, subscription: Subscription, now: datetime) -> None:
    """A sign-up that is not gone on with, and what was added to it. Money that comes after all starts it."""
    for one in (subscription, *subscriptions.paid_within(tx, subscription.id)):
        if one.started_at is None and one.state is not S.ENDED:
            one.state, one.ended_at = move(one.state, E.STOPPED), now
    tx.flush()


def first_days(terms: Terms, day: date) -> Period:
    """The days that a first payment on `day` pays for: the trial, or the first period."""
    if terms.trial is not None:
        return Period(TRIAL_PERIOD, day, day + timedelta(days=terms.trial.days))
    return period(day, terms.interval, 0)


def _begin(subscription: Subscription, charge: Charge, day: date) -> None:
    """Lay the first charge's days at `day`, and the agreed periods at or behind them."""
    terms = subscription.terms
    days = first_days(terms, day)
    charge.starts_on, charge.ends_on = days.starts_on, days.ends_on
    trying = charge.period == TRIAL_PERIOD
    subscription.state = move(subscription.state, E.TRIAL_STARTED if trying else E.FIRST_PAID)
    subscription.anchor_on, subscription.anchor_index = (days.ends_on if trying else day), 0
    subscription.next_index, subscription.next_charge_on = charge.period + 1, days.ends_on
    if terms.minimum_periods:
        subscription.bound_until = add_intervals(
            subscription.anchor_on, terms.interval, terms.minimum_periods
        )
    if not terms.has_period(charge.period + 1):
        subscription.state = move(subscription.state, E.LAST_TERM_PAID)
        _nothing_more(subscription)


def _bought_meanwhile(tx: Tx, subscription: Subscription) -> bool:
    """Whether the same customer got the same offer by another sign-up, as with two open tabs."""
    others = subscriptions.of_customer(tx, subscription.customer_id, subscription.offer_id)
    return any(other.id != subscription.id and standing.is_hers(tx, other) for other in others)


def _place(subscription: Subscription, charge: Charge) -> None:
    """Lay the charge's period at the anchor, and the next one behind it; a trial is as long as agreed."""
    assert subscription.anchor_on is not None  # noqa: S101 - set by every caller
    now_covers = period(
        subscription.anchor_on, subscription.terms.interval, charge.period,
        anchor_index=subscription.anchor_index,
    )  # fmt: skip
    if charge.period == TRIAL_PERIOD:
        now_covers = first_days(subscription.terms, subscription.anchor_on)
        subscription.anchor_on, subscription.anchor_index = now_covers.ends_on, 0
    charge.starts_on, charge.ends_on = now_covers.starts_on, now_covers.ends_on
    subscription.next_index = charge.period + 1
    subscription.next_charge_on = now_covers.ends_on


def begin_anew(tx: Tx, subscription: Subscription, charge: Charge, now: datetime) -> bool:
    """A member who paid after her period was over, or to come back, gets a whole period from today for it;
    so does who was given more time to pay then. Says whether she had to pay to come back.

    Where later periods were raised meanwhile, the paid one was enjoyed long ago (its money was taken back
    and came again): then the next period begins today, and the days without access are not charged.
    """
    site = sites.get(tx, subscription.site_id)
    today = local_day(now, site.zone)
    next_on = subscription.next_charge_on
    came_back, subscription.access_ends_at = subscription.access_ends_at is not None, None
    if next_on is None:
        return came_back
    if subscription.next_index > charge.period + 1:
        if next_on < today:
            subscription.anchor_on, subscription.anchor_index = today, subscription.next_index
            subscription.next_charge_on = today
    elif came_back or today >= charge.ends_on:
        subscription.anchor_on, subscription.anchor_index = today, charge.period
        _place(subscription, charge)
    return came_back


def _all_paid(tx: Tx, subscription: Subscription) -> bool:
    periods = subscription.terms.periods
    if periods is None:
        return False
    made = [charge for charge in charges.of_subscription(tx, subscription.id) if charge.period >= 0]
    owed = [one for one in made if one.money.owed_cents > 0 and not is_given(one.state, one.grace_until)]
    return len(made) == periods and not owed


def _complete(subscription: Subscription) -> None:
    subscription.state = move(subscription.state, E.LAST_TERM_PAID)
    subscription.access_ends_at = None  # whoever was to leave before has bought it whole
    _nothing_more(subscription)


def _nothing_more(subscription: Subscription) -> None:
    subscription.next_charge_on = None


def end(tx: Tx, subscription: Subscription, event: SubscriptionEvent, actor: str, now: datetime) -> None:
    """Stop for good: nothing is charged any more. Caller holds the lock."""
    subscription.state = move(subscription.state, event)
    if subscription.state in OVER:
        subscription.ended_at = now
        if subscription.started_at is None:
            let_go(tx, subscription, now)
        _nothing_more(subscription)
        latecomers.send_credit_back(tx, subscription, now)
        journal.record(tx, "ended", actor, now, subscription=subscription, why=event.value)
    access.review_purchase(
        tx, subscription, now, force=subscription.origin == "kajabi" and subscription.started_at is None
    )
