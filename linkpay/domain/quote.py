"""What a choice costs: now, and on which days afterwards. The same rules that charge it compute it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from linkpay.domain.calendar import add_intervals
from linkpay.domain.coupon import Discount, Duration
from linkpay.domain.plan import Terms
from linkpay.domain.pricing import Line, lines, total


@dataclass(frozen=True, slots=True)
class Run:
    """Equal collections one after the other: `times` of `cents`, the first on `starts_on`.

    `times` is None where they go on until somebody stops.
    """

    starts_on: date
    cents: int
    times: int | None


@dataclass(frozen=True, slots=True)
class Quote:
    """`now` is what the first payment is made of, `runs` what is collected later.

    `anchor_on` is the first day of the first regular period, `bound_until` the first day after a
    minimum term, None without one.
    """

    now: tuple[Line, ...]
    runs: tuple[Run, ...]
    anchor_on: date
    bound_until: date | None

    @property
    def due_cents(self) -> int:
        """What is to be paid now, before anything proves an account."""
        return total(self.now)


def quote(
    terms: Terms, today: date, *, vat_basis_points: int, discount: Discount | None = None,
    extras: Sequence[Line] = (),
) -> Quote:  # fmt: skip
    """The price of `terms` for somebody who pays first on `today`; `extras` are bumps."""
    now = lines(
        terms, terms.first_period, vat_basis_points=vat_basis_points, discount=discount, extras=extras
    )
    anchor = today + timedelta(days=terms.trial.days) if terms.trial else today
    bound = add_intervals(anchor, terms.interval, terms.minimum_periods) if terms.minimum_periods else None
    return Quote(tuple(now), tuple(runs(terms, anchor, terms.first_period + 1, discount)), anchor, bound)


def runs(
    terms: Terms, anchor: date, first: int, discount: Discount | None, *, anchor_index: int = 0
) -> Iterator[Run]:
    """Collections from period `first` on, equal ones taken together; `anchor` begins `anchor_index`."""
    last = terms.periods or max(first, _steady_from(discount)) + 1
    amounts = [_cents(terms, index, discount) for index in range(first, last)]
    start = first
    for index in range(first, last):
        is_last = index == last - 1
        if not is_last and amounts[index - first + 1] == amounts[index - first]:
            continue
        goes_on = is_last and terms.periods is None
        times = None if goes_on else index - start + 1
        yield Run(add_intervals(anchor, terms.interval, start - anchor_index), amounts[index - first], times)
        start = index + 1


def _cents(terms: Terms, index: int, discount: Discount | None) -> int:
    return total(lines(terms, index, vat_basis_points=0, discount=discount))


def _steady_from(discount: Discount | None) -> int:
    """The first period from which on every period of a membership costs the same."""
    if discount is None or discount.duration is Duration.FOREVER:
        return 0
    return discount.periods or 1
