"""Which money comes in which week: what is asked for on its day, and paid when banks have answered."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from linkpay.domain.banking import answered_on
from linkpay.domain.calendar import Interval, add_intervals


@dataclass(frozen=True, slots=True)
class Stream:
    """Subscriptions whose next collection falls on one day, at one rhythm: `number` of them ask `cents`
    together each time, at most `left` times (None: without end)."""

    next_on: date
    interval: Interval
    by_debit: bool
    number: int
    cents: int
    left: int | None = None


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days from `starts_on`: `number` collections ask for `cents`, and `paid_cents` come in."""

    starts_on: date
    number: int
    cents: int
    paid_cents: int


def by_week(
    streams: Iterable[Stream], under_way: Iterable[tuple[date, int]], today: date, weeks: int
) -> Sequence[Week]:
    """The coming weeks, if nobody leaves and every collection works.

    What is overdue is asked for today. A SEPA debit is paid on the first day on which a bank can answer it;
    `under_way` are those asked for already, as (day, cents).
    """
    end = today + timedelta(weeks=weeks)
    asked, paid = [[0, 0] for _ in range(weeks)], [0] * weeks

    def comes(day: date, cents: int) -> None:
        if day < end:
            paid[(day - today).days // 7] += cents

    for asked_on, cents in under_way:
        comes(max(answered_on(asked_on), today), cents)
    for stream in streams:
        for day in _collections(stream, today, end):
            place = asked[(day - today).days // 7]
            place[0] += stream.number
            place[1] += stream.cents
            comes(answered_on(day) if stream.by_debit else day, stream.cents)
    return [
        Week(today + timedelta(weeks=week), number, cents, paid[week])
        for week, (number, cents) in enumerate(asked)
    ]


def _collections(stream: Stream, today: date, end: date) -> Iterable[date]:
    """The days before `end` on which it is collected; a next one that is overdue counts as due today."""
    times = 0
    while stream.left is None or times < stream.left:
        due_on = add_intervals(stream.next_on, stream.interval, times)
        if due_on >= end:
            return
        if due_on >= today or times == 0:
            yield max(due_on, today)
        times += 1
