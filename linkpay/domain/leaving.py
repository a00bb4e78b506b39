"""How a membership ends: on which day, what is still charged until then, and what is sent back.

Dutch law (the Wet van Dam) lets a consumer leave after the agreed term at any time, with at most a month's
notice. Who pays by the month leaves at the end of a month that is paid; who pays by the quarter or the
year and renewed it need not sit it out, and gets the days back that she leaves unused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from linkpay.domain.calendar import (
    Interval,
    Unit,
    add_intervals,
    add_months,
    day_starts_at,
    local_day,
    period,
)
from linkpay.domain.plan import PlanKind
from linkpay.domain.policy import Policy
from linkpay.domain.proration import unused_cents

_DAY = timedelta(days=1)
_LONGEST_MONTH = 31


class CancelMode(StrEnum):
    """When it is to end: with what is paid, with the agreed term, at once, or on a chosen day."""

    PERIOD_END = "period_end"
    TERM_END = "term_end"
    NOW = "now"
    DATE = "date"


class Refusal(StrEnum):
    """Why a membership cannot be left in this way."""

    NOTHING_RUNS = "nothing_runs"
    INSTALMENTS_ARE_OWED = "instalments_are_owed"
    NOT_AT_ONCE = "not_at_once"
    BOUND = "bound"
    NO_DATE = "no_date"
    DATE_PAST = "date_past"
    REFUNDED = "already_refunded"


@dataclass(frozen=True, slots=True)
class PaidSpan:
    """One period that was charged: `worth_cents` is what its days cost, `kept_cents` what we hold of it,
    `credit_cents` what earlier credit paid of it."""

    charge_id: int
    starts_on: date
    ends_on: date
    worth_cents: int
    kept_cents: int
    credit_cents: int = 0

    def unused_cents(self, from_on: date) -> int:
        """What is given back for the days from `from_on` on: never more than was put into it."""
        worth = min(self.worth_cents, max(self.kept_cents, 0) + max(self.credit_cents, 0))
        return unused_cents(worth, self.starts_on, self.ends_on, from_on)


@dataclass(frozen=True, slots=True)
class Unused:
    """Days of a charge that are left out, from `from_on` on, and what is given back for them: as credit what
    is more than the money that we hold of it."""

    charge_id: int
    from_on: date
    cents: int
    credit_cents: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    """Which days the periods of one subscription have, from period `next_index` on not yet charged."""

    anchor_on: date
    anchor_index: int
    next_index: int
    interval: Interval

    def starts_on(self, index: int) -> date:
        """The first day of a period."""
        return period(self.anchor_on, self.interval, index, anchor_index=self.anchor_index).starts_on

    @property
    def is_long(self) -> bool:
        """Whether one period is longer than a month."""
        match self.interval.unit:
            case Unit.DAY:
                return self.interval.count > _LONGEST_MONTH
            case Unit.WEEK:
                return self.interval.count * 7 > _LONGEST_MONTH
            case Unit.MONTH:
                return self.interval.count > 1
        return True


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rule needs to know of a running subscription at the moment `now`.

    `paid_until` is the first day that nothing was charged for, None once all is; `charged_until` is the end
    of the last charge. `renewed` says that the period under way is not the first of its plan. `is_waiting`
    is a subscription that charges nothing at present: paused, suspended, or not begun. `running` is a
    period whose debit is under way.
    """

    kind: PlanKind
    policy: Policy
    now: datetime
    zone: str
    series: Series | None
    paid_until: date | None
    bound_until: date | None = None
    in_trial: bool = False
    renewed: bool = False
    is_waiting: bool = False
    paid: Sequence[PaidSpan] = ()
    running: PaidSpan | None = None
    charged_until: date | None = None

    @property
    def today(self) -> date:
        """The day it is for the site."""
        return local_day(self.now, self.zone)

    @property
    def is_bound(self) -> bool:
        """Whether a minimum term holds her today."""
        return not self.in_trial and self.bound_until is not None and self.today < self.bound_until


@dataclass(frozen=True, slots=True)
class Leaving:
    """What comes of a cancellation. `ends_on` is the first day without, `access_until` the instant.

    `refund_cents` are unused paid days sent back; `last_charge_on` is the last day on which something is
    still collected, None for nothing more; `bound` says that a minimum term holds her; `running_debit`
    is what becomes of a debit under way: ``honour``, ``refund``, or None where there is none to decide on.
    `credit_cents` is credit that is sent back at the end, unless a later charge uses it before.
    """

    ends_on: date
    access_until: datetime | None
    refund_cents: int
    last_charge_on: date | None
    bound: bool
    running_debit: str | None
    at_once: bool = False
    credit_cents: int = 0


def refusal(standing: Standing, mode: CancelMode, on: date | None, *, by_member: bool) -> Refusal | None:
    """Why this cannot be; None when it can. An owner may let a member go from anything that runs."""
    if mode is CancelMode.DATE:
        if on is None:
            return Refusal.NO_DATE
        if on <= standing.today:
            return Refusal.DATE_PAST
    if not by_member:
        return None
    if standing.kind is PlanKind.INSTALMENTS:
        return Refusal.INSTALMENTS_ARE_OWED
    if mode is CancelMode.NOW and not standing.is_waiting:
        if standing.policy.cancel_at != "now":
            return Refusal.NOT_AT_ONCE
        if standing.is_bound:
            return Refusal.BOUND
    early = mode is CancelMode.DATE and standing.is_bound
    if early and on is not None and standing.bound_until is not None and on < standing.bound_until:
        return Refusal.BOUND
    return None


def leave(standing: Standing, mode: CancelMode, on: date | None, *, by_member: bool) -> Leaving:
    """What comes of leaving in this way, where nothing forbids it (`refusal`)."""
    at_once = mode is CancelMode.NOW or standing.is_waiting
    ends_on = standing.today if at_once else _ends_on(standing, mode, on, by_member=by_member)
    running = standing.running if at_once else None
    fate = standing.policy.running_debit_on_cancel if running else None
    back = unused(standing, ends_on, at_once=at_once, by_member=by_member)
    until = standing.now if at_once else day_starts_at(ends_on, standing.zone)
    if running and fate == "honour":
        until = day_starts_at(running.ends_on, standing.zone)
    return Leaving(
        ends_on=ends_on,
        access_until=until,
        refund_cents=sum(left_out.cents for left_out in back),
        last_charge_on=None if at_once else _last_charge_on(standing, ends_on),
        bound=standing.is_bound,
        running_debit=fate,
        at_once=at_once,
    )  # fmt: skip


def unused(standing: Standing, ends_on: date, *, at_once: bool, by_member: bool) -> Sequence[Unused]:
    """What is sent back of each period, newest first.

    The day on which somebody leaves at once is used. A member who leaves on an earlier day than the law
    or her plan asks for leaves the days between unused by her own choice.
    """
    if standing.kind is not PlanKind.MEMBERSHIP or not standing.policy.refund_unused_days:
        return []
    from_on = max(ends_on, standing.today + _DAY)
    spans = list(standing.paid)
    if not at_once:
        from_on = max(from_on, _soonest(standing)) if by_member else from_on
        spans += [standing.running] if standing.running else []
    newest_first = sorted(spans, key=lambda span: span.starts_on, reverse=True)
    found = []
    for span in newest_first:
        cents = span.unused_cents(from_on)
        as_credit = max(0, cents - max(span.kept_cents, 0))
        found.append(Unused(span.charge_id, max(from_on, span.starts_on + _DAY), cents, as_credit))
    return [left_out for left_out in found if left_out.cents > 0]


def _ends_on(standing: Standing, mode: CancelMode, on: date | None, *, by_member: bool) -> date:
    if mode is CancelMode.DATE and on is not None:
        return on
    soonest = _soonest(standing)
    if standing.bound_until is None or not standing.is_bound:
        return soonest
    if by_member or mode is CancelMode.TERM_END:
        return max(soonest, standing.bound_until)
    return soonest


def _soonest(standing: Standing) -> date:
    """The day on which nothing but the notice holds her any more."""
    paid_until = standing.paid_until or max(standing.charged_until or standing.today, standing.today)
    if standing.in_trial or standing.kind is PlanKind.INSTALMENTS:
        return paid_until
    earliest = standing.today + timedelta(days=standing.policy.cancel_notice_days)
    series = standing.series
    early = standing.renewed and standing.policy.refund_unused_days and not standing.is_bound
    if series is None or not series.is_long or not early or earliest >= paid_until:
        return max(paid_until, earliest)
    begun_on = series.starts_on(series.next_index - 1)
    months = 1
    while (ends := add_months(begun_on, months)) < max(earliest, standing.today + _DAY):
        months += 1
    return min(paid_until, ends)


def _last_charge_on(standing: Standing, ends_on: date) -> date | None:
    series = standing.series
    if series is None or standing.paid_until is None or standing.paid_until >= ends_on:
        return None
    if ends_on <= standing.today:
        return None  # days that we were late to charge are not charged to who leaves
    index = series.next_index
    while series.starts_on(index + 1) < ends_on:
        index += 1
    return series.starts_on(index)


def rebound(series: Series, bound_until: date | None, moved_to: date) -> date | None:
    """The end of a minimum term whose next period now begins on `moved_to`: as many periods are left."""
    if bound_until is None:
        return None
    left = 0
    while series.starts_on(series.next_index + left) < bound_until:
        left += 1
    return add_intervals(moved_to, series.interval, left) if left else bound_until
