"""Money as integer minor units with a currency; the only place that reads or writes amount strings."""

import re
from dataclasses import dataclass

# Currencies without minor units that Mollie supports (facts: amounts are strings with the exact
# number of decimals of the currency; ISK and JPY have none).
_NO_DECIMALS = frozenset({"ISK", "JPY"})
_CURRENCY = re.compile(r"[A-Z]{3}")
_VALUE = re.compile(r"(-?)(\d{1,12})(?:\.(\d+))?", re.ASCII)


@dataclass(frozen=True, order=False, slots=True)
class Money:
    """`cents` is the number of minor units (euro cents; whole yen). May be zero or negative."""

    cents: int
    currency: str = "EUR"

    def __post_init__(self) -> None:
        if not isinstance(self.cents, int) or isinstance(self.cents, bool):
            raise TypeError("cents must be an int: money is never a float")
        if not _CURRENCY.fullmatch(self.currency):
            raise ValueError(f"not a currency code: {self.currency!r}")

    def __add__(self, other: "Money") -> "Money":
        return Money(self.cents + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.cents - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.cents, self.currency)

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise ValueError(f"cannot mix {self.currency} and {other.currency}")
        return other.cents


def decimals(currency: str) -> int:
    """How many decimals amounts in `currency` have."""
    return 0 if currency in _NO_DECIMALS else 2


def amount_string(money: Money) -> str:
    """The exact decimal string, e.g. ``Money(5000) -> "50.00"``; no thousands mark."""
    places = decimals(money.currency)
    if places == 0:
        return str(money.cents)
    sign = "-" if money.cents < 0 else ""
    whole, rest = divmod(abs(money.cents), 100)
    return f"{sign}{whole}.{rest:02d}"


def parse_amount(value: str, currency: str) -> Money:
    """Read an exact decimal string. Raises ValueError for any other shape or number of decimals."""
    match = _VALUE.fullmatch(value) if isinstance(value, str) else None
    places = decimals(currency)
    if match is None or len(match[3] or "") != places:
        raise ValueError(f"not an amount in {currency}: {value!r}")
    cents = int(match[2] + (match[3] or ""))
    return Money(-cents if match[1] else cents, currency)


def split_evenly(total: Money, parts: int) -> list[Money]:
    """`parts` amounts that sum to `total` to the cent; what does not divide goes to the first."""
    if parts < 1:
        raise ValueError("at least one part")
    each, rest = divmod(total.cents, parts)
    return [Money(each + (rest if i == 0 else 0), total.currency) for i in range(parts)]
