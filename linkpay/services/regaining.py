"""What became of charges that failed: paid after all and by what step, asked for still, or given up."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from linkpay.domain.charge import LET_GO, ChargeState
from linkpay.domain.snapshots import Sequence as MollieSequence
from linkpay.store import numbers
from linkpay.store.db import Tx
from linkpay.store.numbers import Failed

_YEAR = timedelta(days=365)


class How(StrEnum):
    """What became of a charge that failed."""

    DEBIT = "debit"
    PAYER = "payer"
    OUTSIDE = "outside"
    ASKED = "asked"
    GIVEN_UP = "given_up"


_PAID = (How.DEBIT, How.PAYER, How.OUTSIDE)


@dataclass(frozen=True, slots=True)
class Step:
    """So many failed charges had this outcome; a further debit has its `debit` number (2 for the second)."""

    how: How
    debit: int
    number: int
    cents: int


@dataclass(frozen=True, slots=True)
class Recovery:
    """Of the charges of a year that failed, how many were paid after all, what that brought in cents, and by
    what step."""

    failed: int
    recovered: int
    cents: int
    steps: Sequence[Step]

    @property
    def basis_points(self) -> int | None:
        """The share that was paid after all; None when nothing ever failed."""
        return self.recovered * 10_000 // self.failed if self.failed else None


def of_site(tx: Tx, site_id: int, today: date) -> Recovery:
    """What became of the charges of the last twelve months that failed."""
    found: dict[tuple[How, int], list[Failed]] = defaultdict(list)
    for one in numbers.failures(tx, site_id, today - _YEAR):
        how = _how(one)
        found[how, one.debits if how is How.DEBIT else 0].append(one)
    steps = [
        Step(how, debit, sum(one.number for one in those), sum(one.cents for one in those))
        for how in How
        for (of, debit), those in sorted(found.items())
        if of is how
    ]
    paid = [step for step in steps if step.how in _PAID]
    failed, number = (sum(step.number for step in those) for those in (steps, paid))
    return Recovery(failed, number, sum(step.cents for step in paid), steps)


def _how(one: Failed) -> How:
    if one.state is ChargeState.PAID:
        if one.paid_by is None:
            return How.OUTSIDE
        return How.DEBIT if one.paid_by is MollieSequence.RECURRING else How.PAYER
    return How.GIVEN_UP if one.state in LET_GO else How.ASKED
