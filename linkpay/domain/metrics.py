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
#: (year, number of the month).
MonthOf = tuple[int, int]


def monthly(cents: int, interval: Interval) -> Fraction:
    """What an amount each interval comes to in a month; exact, to be rounded once at the end."""
    return Fraction(cents) / (_MONTHS_OF[interval.unit] * interval.count)


@dataclass(frozen=True, slots=True)
class Flow:
    """Memberships that began (`gain`) or ended in one month. `again` came back after an earlier one."""

    month: MonthOf
    interval: Interval
    number: int
    cents: int
    gain: bool
    again: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What memberships that began in one month bring more, and less, from another month on; cents a month.

    `again` came back after an earlier one.
    """

    began: MonthOf
    month: MonthOf
    up_cents: int
    down_cents: int
    again: bool = False


@dataclass(frozen=True, slots=True)
class MonthOfMoney:
    """One month: what came and went, and how it stood at the end. Cents are per month.

    `up_cents` and `down_cents` are what those who stayed bring more and less: new prices, other plans.
    """

    year: int
    month: int
    new: int
    back: int
    lost: int
    new_cents: int
    back_cents: int
    lost_cents: int
    up_cents: int
    down_cents: int
    members: int
    recurring_cents: int

    @property
    def is_empty(self) -> bool:
        """Whether nobody was there, came or went."""
        return not (self.members or self.new or self.back or self.lost)

    @property
    def began_cents(self) -> int:
        """What the month began with."""
        came = self.new_cents + self.back_cents + self.up_cents
        return self.recurring_cents - came + self.down_cents + self.lost_cents

    @property
    def money_leaving_basis_points(self) -> int | None:
        """The share of the money at the month's beginning that who left took with her; None without any."""
        return self.lost_cents * 10_000 // self.began_cents if self.began_cents > 0 else None

    @property
    def leaving_basis_points(self) -> int | None:
        """The share of members at the month's beginning that was lost in it; None without any."""
        before = self.members - self.new - self.back + self.lost
        return self.lost * 10_000 // before if before > 0 else None


def months_of_money(
    flows: Iterable[Flow], first: MonthOf, last: MonthOf, changes: Iterable[Change] = ()
) -> list[MonthOfMoney]:
    """Every month from `first` to `last`, with what all earlier flows left.

    Flows are of what memberships bring now; `changes` say how it became that.
    """
    numbers: dict[tuple[MonthOf, str], int] = defaultdict(int)
    money: dict[tuple[MonthOf, str], Fraction] = defaultdict(Fraction)
    earliest = first
    for change in changes:
        money[change.month, "up"] += change.up_cents
        money[change.month, "down"] += change.down_cents
        money[change.began, "back" if change.again else "new"] -= change.up_cents - change.down_cents
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
        up_cents, down_cents = money[month, "up"], money[month, "down"]
        members += new + back - lost
        recurring += new_cents + back_cents + up_cents - down_cents - lost_cents
        if month >= first:
            found.append(
                MonthOfMoney(
                    month[0], month[1], new, back, lost, round(new_cents), round(back_cents),
                    round(lost_cents), round(up_cents), round(down_cents), members, round(recurring),
                )
            )  # fmt: skip
        month = after(month)
    return found


@dataclass(frozen=True, slots=True)
class Cohort:
    """Memberships that began in one month, and how many of them were there at the end of it and of each
    month after it."""

    year: int
    month: int
    size: int
    there: tuple[int, ...]


def cohorts(
    spells: Iterable[tuple[MonthOf, MonthOf | None, int]], first: MonthOf, last: MonthOf
) -> list[Cohort]:
    """A cohort for each month from `first` to `last`, oldest first.

    `spells` are (month in which they began, month in which they ended or None, how many).
    """
    size: dict[MonthOf, int] = defaultdict(int)
    gone: dict[tuple[MonthOf, MonthOf], int] = defaultdict(int)
    for began, ended, number in spells:
        size[began] += number
        if ended is not None:
            gone[began, ended] += number
    found, month = [], first
    while month <= last:
        there, left, at = [], size[month], month
        while at <= last:
            left -= gone[month, at]
            there.append(left)
            at = after(at)
        found.append(Cohort(*month, size[month], tuple(there)))
        month = after(month)
    return found


def after(month: MonthOf, count: int = 1) -> MonthOf:
    """The month `count` months later; earlier for a negative count."""
    years, number = divmod(month[0] * 12 + month[1] - 1 + count, 12)
    return years, number + 1
