"""Taking over what Mollie charges by itself today: who comes along, when, and where we go on.

Mollie's subscription is canceled before our first charge, never close to the day of its next one, and
what it made meanwhile counts. So each period is asked for once, by one of the two.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fnmatch import fnmatch

from linkpay.domain.calendar import Interval, Period, Unit, add_intervals, local_day, period
from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind, Terms
from linkpay.domain.snapshots import (
    MandateSnapshot,
    MandateStatus,
    PaymentSnapshot,
    PaymentStatus,
    SubscriptionSnapshot,
    SubscriptionStatus,
)


class Verdict(StrEnum):
    """`take`, or why a subscription stays where it is: with Mollie, which goes on charging it."""

    TAKE = "take"
    OTHER_MODE = "other_mode"
    CANCELED = "canceled"
    COMPLETED = "completed"
    SUSPENDED = "suspended"
    NOT_ACTIVE = "not_active"
    NOTHING_TO_COME = "nothing_to_come"
    ALREADY_HERE = "already_here"
    CURRENCY = "currency"
    UNKNOWN_PLAN = "unknown_plan"
    SEVERAL_PLANS = "several_plans"
    NO_MANDATE = "no_mandate"
    NO_EMAIL = "no_email"
    OTHER_CUSTOMER = "other_customer"
    BLOCKED = "blocked"
    DUPLICATE = "duplicate"


_BY_STATUS = {
    SubscriptionStatus.CANCELED: Verdict.CANCELED,
    SubscriptionStatus.COMPLETED: Verdict.COMPLETED,
    SubscriptionStatus.SUSPENDED: Verdict.SUSPENDED,
    SubscriptionStatus.PENDING: Verdict.NO_MANDATE,
    SubscriptionStatus.UNKNOWN: Verdict.NOT_ACTIVE,
}


def standing(seen: SubscriptionSnapshot, mode: str) -> Verdict:
    """Whether Mollie still charges this subscription, in the mode of the site."""
    if seen.mode != mode:
        return Verdict.OTHER_MODE
    if seen.status is not SubscriptionStatus.ACTIVE:
        return _BY_STATUS[seen.status]
    return Verdict.NOTHING_TO_COME if seen.next_on is None or seen.remaining == 0 else Verdict.TAKE


@dataclass(frozen=True, slots=True)
class Choice:
    """A plan that a subscription may be taken over onto."""

    slug: str
    terms: Terms


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of an owner's map: subscriptions that look like this go onto `plan`.

    `description` may hold ``*``; what is None matches everything.
    """

    plan: str
    description: str | None = None
    amount: Money | None = None
    interval: Interval | None = None

    def matches(self, seen: SubscriptionSnapshot) -> bool:
        """Whether a subscription looks like this."""
        described = self.description is None or fnmatch(
            seen.description.strip().casefold(), self.description.strip().casefold()
        )
        costs = self.amount is None or self.amount == seen.amount
        return described and costs and (self.interval is None or same(self.interval, seen.interval))


def same(one: Interval | None, other: Interval | None) -> bool:
    """Whether two intervals are equally long: a year is 12 months, a week 7 days."""
    return one is not None and other is not None and _length(one) == _length(other)


def _length(interval: Interval) -> tuple[str, int]:
    match interval.unit:
        case Unit.YEAR:
            return "months", interval.count * 12
        case Unit.MONTH:
            return "months", interval.count
        case Unit.WEEK:
            return "days", interval.count * 7
        case Unit.DAY:
            return "days", interval.count


def choose(seen: SubscriptionSnapshot, choices: Sequence[Choice], rules: Sequence[Rule]) -> Choice | Verdict:
    """The plan that a subscription goes onto.

    The first rule that matches decides, and may name a plan of another price: what was agreed stays. No
    rules at all: the one plan with the same price and interval.
    """
    if seen.interval is None:
        return Verdict.UNKNOWN_PLAN
    if not any(choice.terms.amount.currency == seen.amount.currency for choice in choices):
        return Verdict.CURRENCY
    if rules:
        named = next((rule.plan for rule in rules if rule.matches(seen)), None)
        found = [choice for choice in choices if choice.slug == named]
    else:
        found = [choice for choice in choices if _alike(seen, choice.terms)]
    found = [choice for choice in found if _fits(seen, choice.terms)]
    if len(found) > 1:
        found = [choice for choice in found if _is_plain(choice.terms)] or found
    if len(found) > 1:
        return Verdict.SEVERAL_PLANS
    return found[0] if found else Verdict.UNKNOWN_PLAN


def _alike(seen: SubscriptionSnapshot, terms: Terms) -> bool:
    return terms.amount == seen.amount and not terms.term_cents and same(terms.interval, seen.interval)


def _is_plain(terms: Terms) -> bool:
    """Whether a plan is no more than a price: who comes along has no trial, fee or term to begin with."""
    return terms.trial is None and terms.minimum_periods == 0 and terms.setup_fee_cents == 0


def _fits(seen: SubscriptionSnapshot, terms: Terms) -> bool:
    """Whether a plan is of the same kind: with an end or without."""
    kind = PlanKind.MEMBERSHIP if seen.remaining is None else PlanKind.INSTALMENTS
    return terms.kind is kind and terms.amount.currency == seen.amount.currency


def mandate_of(
    seen: SubscriptionSnapshot, mandates: Iterable[MandateSnapshot]
) -> MandateSnapshot | None:  # fmt: skip
    """The mandate that Mollie would charge: the named one, or the newest that is valid."""
    for mandate in mandates:
        if seen.mandate_id not in (None, mandate.id) or seen.method not in (None, mandate.method):
            continue
        if mandate.status is MandateStatus.VALID:
            return mandate
    return None


# Days ----------------------------------------------------------------------------------------------


def margin_days(interval: Interval) -> int:
    """Nothing is stopped this many days or fewer before Mollie's next charge: two, or what fits."""
    unit, count = _length(interval)
    return 2 if unit == "months" else min(2, (count - 1) // 2)


def may_stop(next_on: date, today: date, interval: Interval) -> bool:
    """Whether Mollie's subscription may be stopped today."""
    return (next_on - today).days > margin_days(interval)


def _made_for(day: date, interval: Interval) -> date:
    """The first day on which a payment for a period that begins on `day` may have been made."""
    return day - timedelta(days=min(1, margin_days(interval)))


def anchor(started_on: date, interval: Interval, next_on: date) -> tuple[date, int]:
    """(anchor, its index) of a series whose period 1 begins on `next_on`.

    Where the day lies on the rhythm of `started_on` that is the anchor, so that a subscription of the
    31st comes back to the 31st; where the rhythm was changed at Mollie, it is the day itself.
    """
    unit, count = _length(interval)
    if unit == "months":
        steps = ((next_on.year - started_on.year) * 12 + next_on.month - started_on.month) // count
    else:
        steps = (next_on - started_on).days // count
    if steps >= 0 and add_intervals(started_on, interval, steps) == next_on:
        return started_on, 1 - steps
    return next_on, 1


@dataclass(frozen=True, slots=True)
class Course:
    """Where we go on: `current` is the period that runs, paid to Mollie's subscription or trusted to be.

    `adopted` is the payment by which Mollie's subscription asked for it, `remaining` the number of
    charges after it, None without an end.
    """

    current: Period
    anchor_on: date
    anchor_index: int
    remaining: int | None
    adopted: PaymentSnapshot | None

    @property
    def next_on(self) -> date:
        """The day of our first charge."""
        return self.current.ends_on


@dataclass(frozen=True, slots=True)
class Promise:
    """What Mollie said while its subscription was active: its next charge, and how many were to come."""

    next_on: date
    remaining: int | None


def course(
    seen: SubscriptionSnapshot, promised: Promise, payments: Collection[PaymentSnapshot], zone: str
) -> Course | None:
    """Where to go on after Mollie's subscription was stopped; None when nothing is left to charge.

    Every payment made from the promised day on took one of the periods to come, whatever became of it:
    Mollie asks once and no more. The newest is the current period's; one that failed before the promise
    is history and not ours to collect.
    """
    assert seen.interval is not None, "was chosen a plan for"  # noqa: S101 - said to mypy
    since = _made_for(promised.next_on, seen.interval)
    made = [one for one in payments if local_day(one.created_at, zone) >= since]
    remaining = None if promised.remaining is None else promised.remaining - len(made)
    if remaining is not None and remaining <= 0:
        return None
    anchor_on, index = anchor(seen.started_on, seen.interval, promised.next_on)
    index -= len(made)  # the same days, counted so that the next one to charge is period 1
    current = period(anchor_on, seen.interval, 0, anchor_index=index)
    newest = max(payments, key=lambda one: one.created_at, default=None)
    adopted = newest if newest is not None and (made or _stands(newest)) else None
    if adopted is not None:
        its_own = local_day(adopted.created_at, zone) >= _made_for(current.starts_on, seen.interval)
        adopted = adopted if its_own and adopted.amount.currency == seen.amount.currency else None
    return Course(current, anchor_on, index, remaining, adopted)


def _stands(payment: PaymentSnapshot) -> bool:
    """Whether a payment is under way, or in and kept whole."""
    if payment.status is PaymentStatus.PAID:
        return payment.refunded_cents == 0 and payment.charged_back_cents == 0
    return payment.status in (PaymentStatus.OPEN, PaymentStatus.PENDING, PaymentStatus.AUTHORIZED)


def terms(seen: SubscriptionSnapshot, remaining: int | None) -> Terms:
    """What goes on: the price and rhythm that were agreed, and an end where there was one.

    The current period counts as one of the instalments.
    """
    assert seen.interval is not None, "was chosen a plan for"  # noqa: S101 - said to mypy
    if remaining is None:
        return Terms(PlanKind.MEMBERSHIP, seen.amount, seen.interval)
    return Terms(PlanKind.INSTALMENTS, seen.amount, seen.interval, remaining + 1)


def adopted_uid(mollie_id: str) -> str:
    """The uid of a payment that somebody else asked for and we made ours: it carries no id of ours."""
    return mollie_id[:36]
