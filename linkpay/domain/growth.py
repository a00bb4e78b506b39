"""How a membership grows when each month brings so many and a share of those there leaves."""

from collections.abc import Iterator
from dataclasses import dataclass

_WHOLE = 10_000  # basis points
_MOST_MONTHS = 120


@dataclass(frozen=True, slots=True)
class Month:
    """One month of a forecast. `members` are there when it is charged, and `cents` is what they pay."""

    number: int
    joined: int
    left: int
    members: int
    cents: int


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What an owner supposes. `leaving_basis_points` is the share of members that leaves each month, of
    those who were there the month before; people leave whole, so it is rounded down."""

    new_members: int
    price_cents: int
    leaving_basis_points: int
    start_members: int = 0

    def __post_init__(self) -> None:
        if self.new_members < 0 or self.start_members < 0:
            raise ValueError("members are counted from nobody on")
        if self.price_cents < 0:
            raise ValueError("a price is nothing or something")
        if not 0 <= self.leaving_basis_points <= _WHOLE:
            raise ValueError("between nobody and everybody leaves")


def grow(assumed: Assumptions, months: int) -> Iterator[Month]:
    """The months of a forecast, beginning with number 1. Nobody leaves in the month in which she joined.

    Ten new members a month at 50 euro of whom 20 percent leave are 10, 18 and 25 members.
    """
    if not 0 <= months <= _MOST_MONTHS:
        raise ValueError(f"a forecast reaches {_MOST_MONTHS} months at most")
    members = assumed.start_members
    for number in range(1, months + 1):
        left = members * assumed.leaving_basis_points // _WHOLE
        members += assumed.new_members - left
        yield Month(number, assumed.new_members, left, members, members * assumed.price_cents)
