"""What a coupon takes off a period's price, and whether it may be used."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

_WHOLE = 10_000  # basis points


class DiscountKind(StrEnum):
    """`amount` takes cents off, `percent` basis points of the price."""

    AMOUNT = "amount"
    PERCENT = "percent"


class Duration(StrEnum):
    """How many periods, from the first regular one on, a discount is given."""

    ONCE = "once"
    PERIODS = "periods"
    FOREVER = "forever"


@dataclass(frozen=True, slots=True)
class Discount:
    """A coupon as one subscription uses it. Trials, fees and extras are never discounted."""

    kind: DiscountKind
    value: int
    duration: Duration
    periods: int | None = None

    def __post_init__(self) -> None:
        if self.value <= 0 or (self.kind is DiscountKind.PERCENT and self.value > _WHOLE):
            raise ValueError("a discount takes something off, and at most all")
        if (self.duration is Duration.PERIODS) != (self.periods is not None):
            raise ValueError("only a discount for some periods says for how many")

    def covers(self, index: int) -> bool:
        """Whether period `index` (from 0; a trial is -1) is discounted."""
        match self.duration:
            case Duration.ONCE:
                return index == 0
            case Duration.PERIODS:
                return 0 <= index < (self.periods or 0)
            case Duration.FOREVER:
                return index >= 0

    @property
    def leaves_nothing_ever(self) -> bool:
        """Whether no period is ever paid for."""
        is_whole = self.kind is DiscountKind.PERCENT and self.value == _WHOLE
        return is_whole and self.duration is Duration.FOREVER

    def cents_off(self, price_cents: int, index: int) -> int:
        """What comes off the price of period `index`; a half cent is rounded in the buyer's favour."""
        if not self.covers(index):
            return 0
        if self.kind is DiscountKind.AMOUNT:
            return min(self.value, price_cents)
        return min(price_cents, (price_cents * self.value + _WHOLE // 2) // _WHOLE)


class Refusal(StrEnum):
    """Why a code cannot be used, for the page to say in its language."""

    UNKNOWN = "coupon_unknown"
    NOT_YET = "coupon_not_yet"
    EXPIRED = "coupon_expired"
    OTHER_PLAN = "coupon_other_plan"
    USED_UP = "coupon_used_up"


@dataclass(frozen=True, slots=True)
class Limits:
    """When, where and how often a code may be used. `ends_on` is its last day; no plans means all."""

    starts_on: date | None = None
    ends_on: date | None = None
    plan_slugs: frozenset[str] = frozenset()
    max_uses: int | None = None


def refusal(limits: Limits, *, plan_slug: str, used: int, today: date) -> Refusal | None:
    """Why the code cannot be used for this plan today, having been used `used` times; None when it can."""
    if limits.starts_on is not None and today < limits.starts_on:
        return Refusal.NOT_YET
    if limits.ends_on is not None and today > limits.ends_on:
        return Refusal.EXPIRED
    if limits.plan_slugs and plan_slug not in limits.plan_slugs:
        return Refusal.OTHER_PLAN
    if limits.max_uses is not None and used >= limits.max_uses:
        return Refusal.USED_UP
    return None
