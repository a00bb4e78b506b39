"""The next collection of a subscription as things stand: when, how much, and in what rhythm after it.

It is worked out by the functions that then make the charge, with all that was decided meanwhile: a pause, a
plan chosen for the next period, a price announced, a coupon that ends, credit in hand, a last day.
"""

from dataclasses import dataclass
from datetime import date

from linkpay.domain import pricing
from linkpay.domain.calendar import Interval
from linkpay.domain.coupon import Discount
from linkpay.domain.subscription import OVER, SubscriptionState
from linkpay.services import charging, newplan
from linkpay.services.charging import Bearing
from linkpay.store import agreements, sites, subscriptions
from linkpay.store.db import Tx
from linkpay.store.tables import Subscription

_NOT_PAUSED = frozenset({SubscriptionState.ACTIVE, SubscriptionState.TRIALING, SubscriptionState.PAST_DUE})


@dataclass(frozen=True, slots=True)
class Next:
    """Period `index`, due on `due_on`, asks `cents`; its series has `anchor_on` and a day every `interval`.

    `goes_on` says that the one after it asks the same amount, on the next day of the series.
    """

    index: int
    due_on: date
    cents: int
    anchor_on: date
    interval: Interval
    goes_on: bool


def collection(tx: Tx, subscription: Subscription) -> Next | None:
    """The next collection; None where none comes."""
    then = _Then.of(tx, subscription)
    return then.at(then.it.next_index) if then is not None else None


def at_price(tx: Tx, subscription: Subscription, cents: int, earliest: date) -> Next | None:
    """The first collection on or after `earliest`, if its price were so many cents; None where none comes."""
    then = _Then.of(tx, subscription)
    if then is None:
        return None
    index = then.it.next_index
    while then.comes(index) and charging.days_of(then.it, index).starts_on < earliest:
        index += 1
    return then.at(index, price_cents=cents)


def next_cents(tx: Tx, subscription: Subscription) -> int:
    """What the next collection asks; the agreed amount where none comes."""
    to_come = collection(tx, subscription)
    return subscription.amount_cents if to_come is None else to_come.cents


def cents_of(tx: Tx, subscription: Subscription, index: int, due_on: date) -> int:
    """What period `index` of the present plan asks when it is due on `due_on`."""
    return pricing.total(charging.lines(tx, subscription, index, due_on))


def _is_paused_on(subscription: Subscription, due_on: date) -> bool:
    """Whether a planned pause has begun by that day, and goes on behind it."""
    first, last = subscription.pause_on, subscription.resume_on
    if first is None or last is None or subscription.state not in _NOT_PAUSED:
        return False
    return first <= due_on < last


@dataclass
class _Then:
    """A subscription as it will be when it is next collected: on a copy, where anything of it changes."""

    it: Subscription
    prices: list[tuple[date, int]]
    discount: Discount | None
    credit_cents: int

    @classmethod
    def of(cls, tx: Tx, subscription: Subscription) -> "_Then | None":
        due_on = subscription.next_charge_on
        if due_on is None or subscription.anchor_on is None or subscription.state in OVER:
            return None
        waits = _is_paused_on(subscription, due_on)
        changes = waits or subscription.next_plan_id is not None
        it = subscriptions.copy_of(subscription) if changes else subscription
        then = cls(
            it, list(agreements.announced(tx, it.id)), charging.discount(tx, it),
            agreements.credit_cents(tx, it.id),
        )  # fmt: skip
        if waits and it.resume_on is not None:
            it.anchor_on, it.anchor_index = it.resume_on, it.next_index
            it.next_charge_on = due_on = it.resume_on
        then._switch(tx, due_on)
        return then if then.comes(it.next_index) else None

    def _switch(self, tx: Tx, due_on: date) -> None:
        number = self.it.next_plan_id
        plan = sites.plan_by_id(tx, self.it.site_id, number) if number is not None else None
        if plan is None:
            return
        if not newplan.coupon_stays(tx, self.it, plan):
            self.discount = None
        newplan.change_terms(self.it, plan, due_on)
        newplan.hold_to_consent(tx, self.it, plan)
        self.prices = []

    def comes(self, index: int) -> bool:
        """Whether a period is ever collected: it begins, and may be asked for, before the last day."""
        last, starts_on = self.it.cancel_on, charging.days_of(self.it, index).starts_on
        ends_before = last is not None and max(starts_on, self.it.not_before_on or starts_on) >= last
        return self.it.terms.has_period(index) and not ends_before

    def at(self, index: int, *, price_cents: int | None = None) -> Next | None:
        """The collection of a period, at another price if one is given; None where it does not come."""
        if not self.comes(index) or self.it.anchor_on is None:
            return None
        cents = self._cents(index, price_cents)
        # This one uses credit up, the ones after it do not.
        goes_on = not self.credit_cents and self.comes(index + 1)
        goes_on = goes_on and self._cents(index + 1, price_cents) == cents
        due_on = charging.days_of(self.it, index).starts_on
        return Next(index, due_on, cents, self.it.anchor_on, self.it.terms.interval, goes_on)

    def _cents(self, index: int, price_cents: int | None) -> int:
        due_on = charging.days_of(self.it, index).starts_on
        price = price_cents or agreements.counting_on(self.prices, due_on)
        bearing = Bearing(price, self.discount, self.credit_cents)
        return pricing.total(charging.made_of(self.it, index, bearing))
