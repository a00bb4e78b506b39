"""From one plan of an offer to another: what forbids it, which days are credited, and what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from linkpay.domain.calendar import Interval, Unit, add_intervals
from linkpay.domain.leaving import PaidSpan
from linkpay.domain.plan import PlanKind, Terms
from linkpay.domain.policy import Policy
from linkpay.domain.proration import unused_cents
from linkpay.domain.subscription import SubscriptionState

S = SubscriptionState

# How long a unit is on average, in 48ths of a day: whole numbers for a year of 365.25 days.
_LENGTH = {Unit.DAY: 48, Unit.WEEK: 336, Unit.MONTH: 1461, Unit.YEAR: 17532}


class Refusal(StrEnum):
    """Why somebody cannot go over to a plan."""

    NOTHING_RUNS = "nothing_runs"
    NOT_A_MEMBERSHIP = "not_a_membership"
    PAST_DUE = "past_due"
    CANCELED = "canceled"
    PAUSED = "paused"
    DEBIT_RUNNING = "debit_running"
    SAME_PLAN = "same_plan"
    ARCHIVED = "plan_archived"
    OTHER_OFFER = "other_offer"
    OTHER_CURRENCY = "other_currency"
    BOUND = "bound"
    NO_MANDATE = "no_mandate"


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants to go over to what. `begins_on` is the first day of the new plan."""

    state: SubscriptionState
    old: Terms
    new: Terms
    begins_on: date
    at_once: bool
    by_member: bool
    bound_until: date | None = None
    same_plan: bool = False
    archived: bool = False
    same_offer: bool = True
    debit_runs: bool = False
    has_mandate: bool = True


@dataclass(frozen=True, slots=True)
class Switch:
    """What comes of a switch. `credit_cents` is what unused days are worth, taken off what is due.

    `due_now_cents` is collected at once; `next_charge_on` and `next_cents` are the collection after that.
    """

    old: Terms
    new: Terms
    at_once: bool
    begins_on: date
    credit_cents: int
    due_now_cents: int
    next_charge_on: date
    next_cents: int
    bound_until: date | None


_STATES = {
    S.CANCELING: Refusal.CANCELED,
    S.PAST_DUE: Refusal.PAST_DUE,
    S.SUSPENDED: Refusal.PAST_DUE,
    S.PAUSED: Refusal.PAUSED,
}
_MAY_SWITCH = frozenset({S.ACTIVE, S.TRIALING})


def refusal(wish: Wish) -> Refusal | None:
    """Why this cannot be; None when it can. A debit that runs belongs to the present plan: only a switch
    at once has to wait for it."""
    if wish.old.kind is not PlanKind.MEMBERSHIP or wish.new.kind is not PlanKind.MEMBERSHIP:
        return Refusal.NOT_A_MEMBERSHIP
    checks = (
        (wish.state not in _MAY_SWITCH, _STATES.get(wish.state, Refusal.NOTHING_RUNS)),
        (not wish.same_offer, Refusal.OTHER_OFFER),
        (wish.archived, Refusal.ARCHIVED),
        (wish.same_plan, Refusal.SAME_PLAN),
        (wish.old.amount.currency != wish.new.amount.currency, Refusal.OTHER_CURRENCY),
        (wish.at_once and wish.debit_runs, Refusal.DEBIT_RUNNING),
        (wish.by_member and _slips_out(wish), Refusal.BOUND),
        (wish.at_once and not wish.has_mandate, Refusal.NO_MANDATE),
    )
    return next((why for holds, why in checks if holds), None)


def _slips_out(wish: Wish) -> bool:
    """Whether a minimum term would be left for something cheaper. What is paid up to its end is kept."""
    if wish.bound_until is None or wish.begins_on >= wish.bound_until:
        return False
    if add_intervals(wish.begins_on, wish.new.interval, 1) >= wish.bound_until:
        return False
    return wish.new.amount.cents * _length(wish.old.interval) < wish.old.amount.cents * _length(
        wish.new.interval
    )


def _length(interval: Interval) -> int:
    return _LENGTH[interval.unit] * interval.count


def credits(spans: Sequence[PaidSpan], policy: Policy, from_on: date) -> list[tuple[int, int]]:
    """(charge, cents) for the days from `from_on` on that were paid for, by money or by earlier credit."""
    if policy.switch_credit != "credit":
        return []
    found = [
        (
            span.charge_id,
            unused_cents(
                min(span.worth_cents, max(span.kept_cents, 0) + span.credit_cents),
                span.starts_on, span.ends_on, from_on,
            ),
        )
        for span in spans
    ]  # fmt: skip
    return [(charge_id, cents) for charge_id, cents in found if cents > 0]


def bound_until(wish: Wish) -> date | None:
    """Until when a minimum term holds after the switch: the new plan's counts from it, the old one stays."""
    periods = wish.new.minimum_periods
    if not periods:
        return wish.bound_until
    ends = add_intervals(wish.begins_on, wish.new.interval, periods)
    return max(ends, wish.bound_until) if wish.bound_until else ends
