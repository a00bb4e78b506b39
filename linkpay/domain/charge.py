"""A charge is an amount we mean to collect for one period. Its state follows from its money.

Refunds and chargebacks are amounts on it, not states: money refunded by us is not owed again,
money taken back by the bank is.
"""

from dataclasses import dataclass
from enum import StrEnum


class ChargeState(StrEnum):
    """scheduled: nothing tried. open: waits for a person. collecting: a debit runs."""

    SCHEDULED = "scheduled"
    OPEN = "open"
    COLLECTING = "collecting"
    PAID = "paid"
    FAILED = "failed"
    WRITTEN_OFF = "written_off"
    VOID = "void"


#: States in which money is still expected.
UNSETTLED = frozenset({ChargeState.SCHEDULED, ChargeState.OPEN, ChargeState.COLLECTING, ChargeState.FAILED})


@dataclass(frozen=True, slots=True)
class ChargeMoney:
    """Sums over the ledger of one charge, in cents, all positive."""

    amount_cents: int
    paid_cents: int = 0
    refunded_cents: int = 0
    charged_back_cents: int = 0

    @property
    def owed_cents(self) -> int:
        """What the customer still owes: never less than zero."""
        return max(0, self.amount_cents - (self.paid_cents - self.charged_back_cents))

    @property
    def kept_cents(self) -> int:
        """What we hold of it after refunds and chargebacks; negative is a loss."""
        return self.paid_cents - self.refunded_cents - self.charged_back_cents

    @property
    def surplus_cents(self) -> int:
        """What came in twice and must go back by itself."""
        return max(0, self.kept_cents - self.amount_cents)


@dataclass(frozen=True, slots=True)
class Attempts:
    """What is under way for a charge. `failed` stays true from the first failed collection on."""

    running: bool = False
    waiting_for_person: bool = False
    failed: bool = False


def charge_state(now_is: ChargeState, money: ChargeMoney, attempts: Attempts) -> ChargeState:
    """The state a charge has, given its money and attempts.

    Written off and void are decisions of people or policy: only money undoes them.
    """
    if money.owed_cents == 0:
        return ChargeState.PAID
    if now_is in (ChargeState.WRITTEN_OFF, ChargeState.VOID):
        return now_is
    if attempts.running:
        return ChargeState.COLLECTING
    if attempts.failed:
        return ChargeState.FAILED
    if attempts.waiting_for_person:
        return ChargeState.OPEN
    return ChargeState.SCHEDULED
