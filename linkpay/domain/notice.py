"""Pre-notification: a member knows amount and day of a SEPA debit some days before it is asked for.

SEPA asks for 14 days unless less was agreed, for the first debit and for every change of amount or day.
One notice may tell of a whole series: the same amount, on the days of one rhythm. Cards need none.

A debit that turns out smaller than what was told is told anew and keeps its day: nobody is surprised by
paying less. One that is larger, earlier, much later, or from another account waits for its own notice.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from linkpay.domain.calendar import Interval, Unit, add_intervals

#: A debit that was told for a day may be asked for this much later: banks, too, collect a debit told for
#: a Saturday on the Monday, or after a holiday. What comes later still is another day, to be told anew.
LATE_DAYS = 3
#: A failed debit that is tried again was told once with amount and day. The new day is told again, but a
#: ladder of some days has no room for two weeks.
AGAIN_DAYS = 2
#: A notice is written this long before it must have left, so that a mail server may be away meanwhile.
LEAD_DAYS = 3


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The days on which one series collects: every `interval`, counted from `anchor_on` both ways."""

    anchor_on: date
    interval: Interval

    def has(self, day: date) -> bool:
        """Whether `day` is one of them."""
        about = self._times_to(day)
        near = (add_intervals(self.anchor_on, self.interval, times) for times in range(about - 1, about + 2))
        return day in near

    def _times_to(self, day: date) -> int:
        count = self.interval.count
        months = (day.year - self.anchor_on.year) * 12 + day.month - self.anchor_on.month
        match self.interval.unit:
            case Unit.DAY:
                return (day - self.anchor_on).days // count
            case Unit.WEEK:
                return (day - self.anchor_on).days // (7 * count)
            case Unit.MONTH:
                return months // count
            case Unit.YEAR:
                return months // (12 * count)


@dataclass(frozen=True, slots=True)
class Told:
    """One notice. `sent_on` is the day on which it left, None while it is on its way.

    `every` makes it the notice of a series that begins on `due_on`; without it, it tells of one debit.
    `agreed` says that the payer herself agreed to this amount on this day: then no days need to pass.
    """

    mandate_id: int
    cents: int
    due_on: date
    sent_on: date | None
    every: Interval | None = None
    agreed: bool = False


@dataclass(frozen=True, slots=True)
class Debit:
    """A debit to come, on `due_on` at the earliest. `again` says that it was tried before, and failed."""

    mandate_id: int
    cents: int
    due_on: date
    rhythm: Rhythm | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """`first_day` is the first on which the debit may be asked for, as things stand.

    `told` says that a notice tells of just this, also one that has yet to leave; without it, one that leaves
    today has to name `first_day`. `allowed` says that a notice allows it then, be it of a larger amount.
    """

    told: bool
    first_day: date
    allowed: bool


def verdict(debit: Debit, notices: Iterable[Told], *, days: int, today: date) -> Verdict:
    """Whether and from when a debit may be asked for, with `days` between notice and debit."""
    needed = min(days, AGAIN_DAYS) if debit.again else days
    # What leaves today allows this day at the latest: a notice of a later one is of another debit.
    anew = max(debit.due_on, today + timedelta(days=needed))
    told = list(notices)
    found = [
        (day, one.cents == debit.cents)
        for one in told
        if (day := _day_told(one, debit, needed, today)) and day <= anew
    ]
    first = min((day for day, _ in found), default=anew)
    # A notice of more money may allow an earlier day than the one of this amount would, which names that day.
    named = bool(found) and (debit.mandate_id, debit.cents, first) in {
        (one.mandate_id, one.cents, one.due_on) for one in told
    }
    return Verdict(named or any(exact for _, exact in found), first, bool(found))


def _day_told(told: Told, debit: Debit, days: int, today: date) -> date | None:
    """The first day on which this notice allows the debit; None when it tells of another one."""
    if told.mandate_id != debit.mandate_id or told.cents < debit.cents:
        return None
    named = debit.due_on if _in_series(told, debit) else told.due_on
    if named < debit.due_on and not debit.again:
        return None
    ready_on = (told.sent_on or today) + timedelta(days=0 if told.agreed else days)
    day = max(named, ready_on, today) if debit.again else max(debit.due_on, named, ready_on, today)
    return day if day <= named + timedelta(days=LATE_DAYS) else None


def _in_series(told: Told, debit: Debit) -> bool:
    rhythm = debit.rhythm
    if told.every is None or rhythm is None or debit.again or told.every != rhythm.interval:
        return False
    return told.due_on <= debit.due_on and rhythm.has(told.due_on) and rhythm.has(debit.due_on)


def write_from(due_on: date, days: int) -> date:
    """From which day on the notice of a debit is written."""
    return due_on - timedelta(days=days + LEAD_DAYS)
