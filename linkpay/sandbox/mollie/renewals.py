"""Subscriptions over time: when they charge, and how they end."""

import re
from calendar import monthrange
from datetime import date, datetime, timedelta

from linkpay.sandbox import ids
from linkpay.sandbox.mollie import consent, payments
from linkpay.sandbox.mollie.call import MollieError, invalid
from linkpay.sandbox.mollie.orders import prepare_recurring
from linkpay.sandbox.moments import bank_morning
from linkpay.sandbox.records import Payment, Subscription
from linkpay.sandbox.world import World

_INTERVAL = re.compile(r"^(\d{1,3}) (day|week|month)s?$")
_MOST = {"day": 365, "week": 52, "month": 12}
TEST_MODE_CHARGES = 10


def parse(interval: str) -> tuple[int, str]:
    """``"3 months"`` as (3, "month"). 422 for other units, zero and more than a year."""
    match = _INTERVAL.match(interval)
    if match is None:
        raise invalid("The interval unit is invalid", "interval")
    count, unit = int(match[1]), match[2]
    if not 1 <= count <= _MOST[unit]:
        raise invalid("The interval is invalid", "interval")
    return count, unit


def after(anchor: date, interval: str, steps: int) -> date:
    """The day `steps` intervals after `anchor`; months keep the anchor's day where they have it."""
    count, unit = parse(interval)
    if unit != "month":
        return anchor + timedelta(days=count * steps * (7 if unit == "week" else 1))
    years, month = divmod(anchor.month - 1 + count * steps, 12)
    year = anchor.year + years
    return date(year, month + 1, min(anchor.day, monthrange(year, month + 1)[1]))


def plan(world: World, subscription: Subscription, now: datetime) -> None:
    """Set the day of the next charge and let it come."""
    subscription.next_on = after(subscription.anchor_on, subscription.interval, subscription.steps)
    world.books.cancel_timers(subscription.id)
    due_at = max(now, bank_morning(subscription.next_on) - timedelta(hours=7))
    world.books.schedule(due_at, "renew", subscription.id, now)


def renew(world: World, subscription_id: str) -> None:
    """Charge the next period; without a valid mandate the subscription is suspended."""
    subscription = world.books.subscriptions.get(subscription_id)
    if subscription is None or subscription.status not in ("active", "pending"):
        return
    world.books.subscriptions.save(subscription)
    now = world.now()
    payment = _payment(subscription, now)
    try:
        methods = [subscription.method] if subscription.method is not None else []
        prepare_recurring(world, payment, subscription.mandate_id, methods)
    except MollieError:
        subscription.status, subscription.next_on = "suspended", None
        return
    subscription.status = "active"
    subscription.charged += 1
    subscription.steps += 1
    _go_on(world, subscription, now)
    payments.begin(world, payment)


def _go_on(world: World, subscription: Subscription, now: datetime) -> None:
    """What follows a charge: the next one, completion, or test mode's limit of ten."""
    if subscription.times is not None and subscription.charged >= subscription.times:
        subscription.status, subscription.next_on = "completed", None
    elif subscription.scope.endswith(":test") and subscription.charged >= TEST_MODE_CHARGES:
        consent.end_subscription(world, subscription, now)
    else:
        plan(world, subscription, now)


def _payment(subscription: Subscription, now: datetime) -> Payment:
    payment = Payment(
        id=ids.fresh("tr", 22),
        created_at=now,
        scope=subscription.scope,
        profile_id=subscription.profile_id,
        amount_cents=subscription.amount_cents,
        currency=subscription.currency,
        description=subscription.description[:255],
        sequence_type="recurring",
        status="open",
        checkout_token=f"3.{ids.word(20)}",
        metadata=subscription.metadata,
        webhook_url=subscription.webhook_url,
        customer_id=subscription.customer_id,
        subscription_id=subscription.id,
    )
    if subscription.application_fee is not None:
        payment.extra["applicationFee"] = subscription.application_fee
    return payment


def last_charged_on(subscription: Subscription) -> date:
    """The day of the last charge, or the start when there was none."""
    return after(subscription.anchor_on, subscription.interval, max(0, subscription.steps - 1))
