"""A year of one member on a plan, played before anybody buys: what she pays, what bounces, when she leaves.

Nothing here has rules of its own. Prices and days come from the quote and the calendar, steps after a
bounce from the ladder of dunning, access from coverage, and the end from the rules of leaving: the same
functions that act. So a rehearsal cannot show anything else than what will happen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from linkpay.domain.banking import banking_day
from linkpay.domain.calendar import add_intervals, add_months, local_day, period
from linkpay.domain.charge import ChargeMoney, ChargeState
from linkpay.domain.coverage import ChargeFacts, SubscriptionFacts, Wanted, access_wanted, covers
from linkpay.domain.dunning import Failure, ReasonClass, Step, StepKind, grace_of, ladder
from linkpay.domain.leaving import CancelMode, Series, Standing, leave
from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind, Terms
from linkpay.domain.policy import Policy
from linkpay.domain.quote import quote
from linkpay.domain.subscription import SubscriptionState

_MORNING = time(9, 30)
#: A bank sends a debit back some days after it was asked for.
_RETURNED_AFTER = timedelta(days=3)
_LEAVES_AFTER_MONTHS = 9
#: More collections than this say nothing new.
_MOST_SHOWN = 14


class Kind(StrEnum):
    """What happens on one day of the rehearsal."""

    ORDERED = "ordered"
    OPENED = "opened"
    COLLECTED = "collected"
    COLLECTED_OFTEN = "collected_often"
    ASKED = "asked"
    BOUNCED = "bounced"
    MAILED = "mailed"
    PAID_BY_LINK = "paid_by_link"
    LEFT = "left"
    CLOSED = "closed"
    ALL_PAID = "all_paid"
    STILL_IN = "still_in"


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing on one day. `until` is when access would end, or a last collection; `cents` an amount.

    `tries` are the days on which a bounced debit would be tried again.
    """

    on: date
    kind: Kind
    cents: int = 0
    until: date | None = None
    times: int = 0
    tries: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Played:
    """A rehearsal: what happens in order, and what came in altogether, in cents."""

    moments: tuple[Moment, ...]
    total_cents: int


@dataclass(frozen=True, slots=True)
class Scene:
    """What is rehearsed: terms and policy of a plan, from a day on, in the site's zone."""

    terms: Terms
    policy: Policy
    vat_basis_points: int
    on: date
    zone: str


def play(scene: Scene) -> Played:
    """The year of a member who pays by SEPA: one debit bounces, she pays by the mail's link, she leaves."""
    price = quote(scene.terms, scene.on, vat_basis_points=scene.vat_basis_points)
    moments = [Moment(scene.on, Kind.ORDERED, price.due_cents), Moment(scene.on, Kind.OPENED)]
    left = _leaving(scene, price.anchor_on, price.bound_until)
    last = left[0].until if left else None
    for number, index in enumerate(_periods(scene, price.anchor_on, last)):
        moments += _collection(scene, price.anchor_on, index, bounces=number == _bouncing(scene))
    moments += left or _end(scene, price.anchor_on)
    ordered = sorted(moments, key=lambda moment: moment.on)
    came_in = sum(moment.cents for moment in ordered if moment.kind in _MONEY)
    return Played(tuple(_shortened(ordered)), came_in)


_MONEY = frozenset({Kind.ORDERED, Kind.COLLECTED, Kind.PAID_BY_LINK})


def _periods(scene: Scene, anchor_on: date, last_charge_on: date | None) -> list[int]:
    """Periods that are collected within the year, up to the last one before she leaves."""
    first, found = scene.terms.first_period + 1, []
    end = add_months(scene.on, 12)
    for index in range(first, first + 60):
        due_on = add_intervals(anchor_on, scene.terms.interval, index)
        if not scene.terms.has_period(index) or due_on > end:
            break
        if last_charge_on is not None and due_on > last_charge_on:
            break
        found.append(index)
    return found


def _bouncing(scene: Scene) -> int:
    """Which of the collections bounces: the third, or the first where there are few."""
    yearly = add_intervals(scene.on, scene.terms.interval, 4) > add_months(scene.on, 12)
    return 0 if yearly or scene.terms.periods is not None else 2


def _collection(scene: Scene, anchor_on: date, index: int, *, bounces: bool) -> list[Moment]:
    span, cents = period(anchor_on, scene.terms.interval, index), scene.terms.price_cents(index)
    if not bounces:
        return [Moment(span.starts_on, Kind.COLLECTED, cents)]
    failed_at = _at(banking_day(span.starts_on + _RETURNED_AFTER))
    failure = Failure(failed_at, ReasonClass.SOFT)
    steps = ladder(failure, scene.policy, scene.zone)
    grace = local_day(grace_of(failure, scene.policy, scene.zone), scene.zone)
    failed_on, days = local_day(failed_at, scene.zone), _days(steps, scene.zone)
    kept = _wanted_after(scene, index, span.starts_on, span.ends_on, failed_at)
    mails = [day for day in days[StepKind.MAIL] if day == failed_on] or days[StepKind.MAIL][:1]
    return [
        Moment(span.starts_on, Kind.ASKED, cents),
        Moment(
            failed_on, Kind.BOUNCED, cents, grace if kept.granted else failed_on,
            tries=tuple(days[StepKind.DEBIT]),
        ),
        *(Moment(day, Kind.MAILED) for day in mails),
        Moment(max([failed_on, *mails]) + timedelta(days=1), Kind.PAID_BY_LINK, cents),
    ]  # fmt: skip


def _days(steps: Sequence[Step], zone: str) -> dict[StepKind, list[date]]:
    """The days of each kind of step."""
    return {kind: [local_day(step.at, zone) for step in steps if step.kind is kind] for kind in StepKind}


def _wanted_after(scene: Scene, index: int, starts_on: date, ends_on: date, failed_at: datetime) -> Wanted:
    """What access she should have right after the bounce."""
    cents = scene.terms.price_cents(index)
    charge = ChargeFacts(
        index, starts_on, ends_on, ChargeState.FAILED, ChargeMoney(cents), failed_at=failed_at
    )
    facts = SubscriptionFacts(
        SubscriptionState.PAST_DUE, scene.terms, scene.policy, [charge], next_due_on=ends_on
    )
    return access_wanted(covers(facts, scene.zone), failed_at + timedelta(seconds=1))


def _leaving(scene: Scene, anchor_on: date, bound_until: date | None) -> list[Moment]:
    """She cancels a membership after nine months; the first moment's `until` is the last collection."""
    if scene.terms.kind is not PlanKind.MEMBERSHIP:
        return []
    asked_on = add_months(scene.on, _LEAVES_AFTER_MONTHS) + timedelta(days=10)
    next_index = scene.terms.first_period + 1
    while add_intervals(anchor_on, scene.terms.interval, next_index) <= asked_on:
        next_index += 1
    paid_until = add_intervals(anchor_on, scene.terms.interval, next_index)
    standing = Standing(
        scene.terms.kind, scene.policy, _at(asked_on), scene.zone,
        Series(anchor_on, 0, next_index, scene.terms.interval), paid_until, bound_until,
        renewed=next_index > 1,
    )  # fmt: skip
    mode = CancelMode(scene.policy.cancel_at) if not standing.is_bound else CancelMode.PERIOD_END
    going = leave(standing, mode, None, by_member=True)
    last = going.last_charge_on or asked_on
    asked = Moment(asked_on, Kind.LEFT, going.refund_cents, until=last)
    ends = local_day(going.access_until, scene.zone) if going.access_until else going.ends_on
    return [asked, Moment(ends, Kind.CLOSED)]


def _end(scene: Scene, anchor_on: date) -> list[Moment]:
    """How it stands after the last payment, or after the year."""
    total, year = scene.terms.periods or 0, add_months(scene.on, 12)
    last = add_intervals(anchor_on, scene.terms.interval, max(total - 1, 0))
    return [Moment(last, Kind.ALL_PAID)] if last <= year else [Moment(year, Kind.STILL_IN)]


def _shortened(moments: Sequence[Moment]) -> list[Moment]:
    """Of very many equal collections the later ones are told as one."""
    plain = [moment for moment in moments if moment.kind is Kind.COLLECTED]
    if len(plain) <= _MOST_SHOWN:
        return list(moments)
    kept, rest = plain[:4], plain[4:]
    sum_up = replace(
        rest[0], kind=Kind.COLLECTED_OFTEN, times=len(rest), until=rest[-1].on, cents=rest[0].cents
    )
    others = [moment for moment in moments if moment.kind is not Kind.COLLECTED]
    return sorted([*others, *kept, sum_up], key=lambda moment: moment.on)


def _at(day: date) -> datetime:
    return datetime.combine(day, _MORNING, UTC)


def amount(cents: int, scene: Scene) -> Money:
    """An amount in the plan's currency."""
    return Money(cents, scene.terms.amount.currency)
