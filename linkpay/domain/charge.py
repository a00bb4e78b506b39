"""A charge is an amount we mean to collect for one period. Its state follows from its money.

Refunds and chargebacks are amounts on it, not states: money refunded by us is not owed again,
money taken back by the bank is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from linkpay.domain.ledger import EntryKind


class ChargeState(StrEnum):
    """scheduled: nothing tried. open: waits for a person. collecting: a debit runs."""

    SCHEDULED = "scheduled"
    OPEN = "open"
    COLLECTING = "collecting"
    PAID = "paid"
    FAILED = "failed"
    WRITTEN_OFF = "written_off"
    VOID = "void"


class ChargeEvent(StrEnum):
    """What can become true of a charge: of its money, of what is under way for it, or by a decision."""

    NOTHING_OWED = "nothing_owed"
    DEBIT_RUNS = "debit_runs"
    DEBIT_FAILED = "debit_failed"
    PERSON_PAYS = "person_pays"
    NOTHING_UNDER_WAY = "nothing_under_way"
    LET_GO_OF = "let_go_of"
    VOIDED = "voided"


S, E = ChargeState, ChargeEvent

#: States in which money is still expected.
UNSETTLED = frozenset({S.SCHEDULED, S.OPEN, S.COLLECTING, S.FAILED})
#: States in which somebody decided to ask no more. Money that comes all the same is booked.
LET_GO = frozenset({S.WRITTEN_OFF, S.VOID})

# What is true of money and attempts means the same in every state that still expects money, and in
# `paid`, since money may go out again.
_WHILE_OWED: dict[ChargeEvent, ChargeState] = {
    E.NOTHING_OWED: S.PAID,
    E.DEBIT_RUNS: S.COLLECTING,
    E.DEBIT_FAILED: S.FAILED,
    E.PERSON_PAYS: S.OPEN,
    E.NOTHING_UNDER_WAY: S.SCHEDULED,
}
_DECISIONS: dict[ChargeEvent, ChargeState] = {E.LET_GO_OF: S.WRITTEN_OFF, E.VOIDED: S.VOID}

# One row per state: what each event makes of it. An event not named in a row changes nothing there:
# what is paid is not let go of, and what was let go of is only undone by money.
_MOVES: dict[ChargeState, dict[ChargeEvent, ChargeState]] = {
    S.SCHEDULED: _WHILE_OWED | _DECISIONS,
    S.OPEN: _WHILE_OWED | _DECISIONS,
    S.COLLECTING: _WHILE_OWED | _DECISIONS,
    S.PAID: _WHILE_OWED,
    S.FAILED: _WHILE_OWED | _DECISIONS,
    S.WRITTEN_OFF: {E.NOTHING_OWED: S.PAID},
    S.VOID: {E.NOTHING_OWED: S.PAID},
}


def is_given(state: ChargeState, grace_until: datetime | None) -> bool:
    """Whether its money was let go of and its member was not: nothing is owed for its days any more."""
    return state is ChargeState.WRITTEN_OFF and grace_until is not None


def move(state: ChargeState, event: ChargeEvent) -> ChargeState:
    """The state after `event`; the same state where the event changes nothing."""
    return _MOVES[state].get(event, state)


@dataclass(frozen=True, slots=True)
class ChargeMoney:
    """Sums over the ledger of one charge, in cents, all positive.

    `surplus_refunded_cents` is the part of what was refunded that only gave back what came in twice.
    """

    amount_cents: int
    paid_cents: int = 0
    refunded_cents: int = 0
    charged_back_cents: int = 0
    surplus_refunded_cents: int = 0

    @property
    def owed_cents(self) -> int:
        """What the customer still owes: never less than zero."""
        stayed = self.paid_cents - self.surplus_refunded_cents - self.charged_back_cents
        return max(0, self.amount_cents - stayed)

    @property
    def kept_cents(self) -> int:
        """What we hold of it after refunds and chargebacks; negative is a loss."""
        return self.paid_cents - self.refunded_cents - self.charged_back_cents

    @property
    def surplus_cents(self) -> int:
        """What came in twice and must go back by itself."""
        return max(0, self.kept_cents - self.amount_cents)


class Fact(Protocol):
    """An entry of the ledger."""

    @property
    def kind(self) -> EntryKind: ...
    @property
    def ref(self) -> str: ...
    @property
    def amount_cents(self) -> int: ...
    @property
    def occurred_at(self) -> datetime: ...


_PAID = frozenset({EntryKind.PAYMENT, EntryKind.PAYMENT_UNDONE, EntryKind.OUTSIDE, EntryKind.OUTSIDE_UNDONE})
_CAME_IN = frozenset({EntryKind.PAYMENT, EntryKind.OUTSIDE})
_REFUNDED = frozenset({EntryKind.REFUND, EntryKind.REFUND_UNDONE})


def money_of(
    amount_cents: int, facts: Iterable[Fact], surplus_refs: frozenset[str] = frozenset()
) -> ChargeMoney:
    """The sums of a charge's ledger.

    What of a refund gave back a surplus follows from what we held when it was made, by the provider's
    clock, so that the order in which we heard of it does not matter. Those that `surplus_refs` names we
    meant as that: where a bank took the other payment back meanwhile, nothing is left of either.
    """
    ledger = list(facts)
    paid = sum(fact.amount_cents for fact in ledger if fact.kind in _PAID)
    refunded = -sum(fact.amount_cents for fact in ledger if fact.kind in _REFUNDED)
    charged_back = paid - refunded - sum(fact.amount_cents for fact in ledger)
    undone = {fact.ref.removesuffix("/undone") for fact in ledger if fact.kind is EntryKind.REFUND_UNDONE}
    held, came_in, surplus = 0, 0, 0
    for fact in sorted(ledger, key=lambda fact: (fact.occurred_at, fact.amount_cents < 0, fact.ref)):
        if fact.kind in _REFUNDED and fact.ref.removesuffix("/undone") in undone:
            continue  # it came to nothing: as if it had never been
        if fact.kind is EntryKind.REFUND:
            meant = came_in - amount_cents - surplus if fact.ref in surplus_refs else 0
            surplus += min(-fact.amount_cents, max(0, held - amount_cents, meant))
        held += fact.amount_cents
        if fact.kind in _CAME_IN:
            came_in += fact.amount_cents
    return ChargeMoney(amount_cents, paid, refunded, charged_back, surplus)


@dataclass(frozen=True, slots=True)
class Attempts:
    """What is under way for a charge. `failed` stays true from the first failed collection on."""

    running: bool = False
    waiting_for_person: bool = False
    failed: bool = False


def situation(money: ChargeMoney, attempts: Attempts) -> ChargeEvent:
    """What is true of a charge now, the strongest first."""
    if money.owed_cents == 0:
        return E.NOTHING_OWED
    if attempts.running:
        return E.DEBIT_RUNS
    if attempts.failed:
        return E.DEBIT_FAILED
    return E.PERSON_PAYS if attempts.waiting_for_person else E.NOTHING_UNDER_WAY


def charge_state(now_is: ChargeState, money: ChargeMoney, attempts: Attempts) -> ChargeState:
    """The state a charge has, given its money and attempts.

    Written off and void are decisions of people or policy: only money undoes them.
    """
    return move(now_is, situation(money, attempts))
