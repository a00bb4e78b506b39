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


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed: `periods` is the number of charges ever, None without an end."""

    kind: PlanKind
    amount: Money
    interval: Interval
    periods: int | None = None

    def __post_init__(self) -> None:
        if self.amount.cents <= 0:
            raise ValueError("a plan asks for money")
        expected = {PlanKind.ONE_TIME: self.periods == 1, PlanKind.MEMBERSHIP: self.periods is None}
        if not expected.get(self.kind, self.periods is not None and self.periods >= 2):
            raise ValueError(f"{self.kind} cannot have {self.periods} periods")

    @property
    def needs_mandate(self) -> bool:
        """Whether anything is collected after the first payment."""
        return self.periods != 1

    def has_period(self, index: int) -> bool:
        """Whether period `index` (from 0) is ever charged."""
        return self.periods is None or index < self.periods
