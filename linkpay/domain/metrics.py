"""What owners ask of their memberships as a whole: recurring revenue, its bridge, and who leaves."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from linkpay.domain.calendar import Interval, Unit

_MONTHS_OF = {
    Unit.DAY: Fraction(12, 365),
    Unit.WEEK: Fraction(12, 52),
    Unit.MONTH: Fraction(1),
    Unit.YEAR: Fraction(12),
}

_KINDS = ("new", "back", "lost")


def monthly(cents: int, interval: Interval) -> Fraction:
    """What an amount each interval comes to in a month; exact, to be rounded once at the end."""
    return Fraction(cents) / (_MONTHS_OF[interval.unit] * interval.count)


@dataclass(frozen=True, slots=True)
class Flow:
    """Memberships that began (`gain`) or ended in one month. `again` came back after an earlier one."""

    month: tuple[int, int]
    interval: Interval
    number: int
    cents: int
    gain: bool
    again: bool = False


@dataclass(frozen=True, slots=True)
class MonthOfMoney:
    """One month: what came and went, and how it stood at the end. Cents are per month."""

    year: int
    month: int
    new: int
    back: int
    lost: int
    new_cents: int
    back_cents: int
    lost_cents: int
    members: int
    recurring_cents: int

    @property
    def leaving_basis_points(self) -> int | None:
        """The share of members at the month's beginning that was lost in it; None without any."""
        before = self.members - self.new - self.back + self.lost
        return self.lost * 10_000 // before if before > 0 else None


def months_of_money(
    flows: Iterable[Flow], first: tuple[int, int], last: tuple[int, int]
) -> list[MonthOfMoney]:
    """Every month from `first` to `last` (year, month), with what all earlier flows left."""
    numbers: dict[tuple[tuple[int, int], str], int] = defaultdict(int)
    money: dict[tuple[tuple[int, int], str], Fraction] = defaultdict(Fraction)
    earliest = first
    for flow in flows:
        kind = ("back" if flow.again else "new") if flow.gain else "lost"
        numbers[flow.month, kind] += flow.number
        money[flow.month, kind] += monthly(flow.cents, flow.interval)
        earliest = min(earliest, flow.month)
    members, recurring, found = 0, Fraction(0), []
    month = earliest
    while month <= last:
        new, back, lost = (numbers[month, kind] for kind in _KINDS)
        new_cents, back_cents, lost_cents = (money[month, kind] for kind in _KINDS)
        members += new + back - lost
        recurring += new_cents + back_cents - lost_cents
        if month >= first:
            found.append(
                MonthOfMoney(
                    month[0], month[1], new, back, lost, round(new_cents), round(back_cents),
                    round(lost_cents), members, round(recurring),
                )
            )  # fmt: skip
        month = after(month)
    return found


def after(month: tuple[int, int], count: int = 1) -> tuple[int, int]:
    """The month `count` months later; earlier for a negative count."""
    years, number = divmod(month[0] * 12 + month[1] - 1 + count, 12)
    return years, number + 1
