"""How an offer is paid. Terms are frozen into each subscription: a plan may change, a promise not."""

from dataclasses import dataclass
from enum import StrEnum

from linkpay.domain.calendar import Interval
from linkpay.domain.money import Money


class PlanKind(StrEnum):
    """One payment; a fixed number of them; or one each interval until somebody stops."""

    ONE_TIME = "one_time"
    INSTALMENTS = "instalments"
    MEMBERSHIP = "membership"


#: The number of the period that a trial is: it comes before period 0 and counts as none of the agreed ones.
TRIAL_PERIOD = -1
_LONGEST_TRIAL = 366  # days


@dataclass(frozen=True, slots=True)
class Trial:
    """Some days before the first period. `amount_cents` is what they cost; 0 is a free trial."""

    days: int
    amount_cents: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.days <= _LONGEST_TRIAL:
            raise ValueError(f"a trial lasts 1 to {_LONGEST_TRIAL} days")
        if self.amount_cents < 0:
            raise ValueError("a trial costs nothing or something")


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed: `periods` is the number of charges ever, None without an end.

    `amount` is the price of a period; `term_cents` gives each instalment its own. `minimum_periods` is
    how many periods a membership runs at least. `setup_fee_cents` comes on top of the very first payment.
    """

    kind: PlanKind
    amount: Money
    interval: Interval
    periods: int | None = None
    term_cents: tuple[int, ...] = ()
    minimum_periods: int = 0
    trial: Trial | None = None
    setup_fee_cents: int = 0

    def __post_init__(self) -> None:
        if self.amount.cents <= 0:
            raise ValueError("a plan asks for money")
        expected = {PlanKind.ONE_TIME: self.periods == 1, PlanKind.MEMBERSHIP: self.periods is None}
        if not expected.get(self.kind, self.periods is not None and self.periods >= 2):
            raise ValueError(f"{self.kind} cannot have {self.periods} periods")
        is_course = self.kind is PlanKind.INSTALMENTS
        if self.term_cents and not (is_course and len(self.term_cents) == self.periods):
            raise ValueError("amounts of terms are for instalments, one for each")
        if any(cents <= 0 for cents in self.term_cents):
            raise ValueError("every term asks for money")
        if self.minimum_periods < 0 or (self.minimum_periods and self.kind is not PlanKind.MEMBERSHIP):
            raise ValueError("only a membership has a minimum term")
        if self.trial is not None and self.kind is PlanKind.ONE_TIME:
            raise ValueError("what is paid once cannot be tried first")
        if self.setup_fee_cents < 0:
            raise ValueError("a setup fee is nothing or something")

    @property
    def needs_mandate(self) -> bool:
        """Whether anything is collected after the first payment."""
        return self.periods != 1

    @property
    def first_period(self) -> int:
        """The number of the period that the first payment pays for."""
        return 0 if self.trial is None else TRIAL_PERIOD

    @property
    def total_cents(self) -> int | None:
        """What all periods come to before anything is added or taken off; None without an end."""
        if self.periods is None:
            return None
        return sum(self.term_cents) if self.term_cents else self.amount.cents * self.periods

    def has_period(self, index: int) -> bool:
        """Whether period `index` (from 0) is ever charged."""
        return self.periods is None or index < self.periods

    def price_cents(self, index: int) -> int:
        """What period `index` costs before anything is added or taken off."""
        if index == TRIAL_PERIOD:
            return self.trial.amount_cents if self.trial else 0
        return self.term_cents[index] if self.term_cents else self.amount.cents
