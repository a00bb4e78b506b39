"""Money facts out of what Mollie says. Each fact has an outside reference and is booked once.

A payment's status stays `paid` when money goes back, so facts come from the payment and its
refunds and chargebacks, never from an edge between two statuses (Mollie webhooks documentation).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from linkpay.domain.money import Money
from linkpay.domain.snapshots import PaymentSnapshot, PaymentStatus


class EntryKind(StrEnum):
    """`payment`, `outside` and what undoes a refund or chargeback bring money in; the others take it out.

    `outside` is money that came past Mollie, as an owner said.
    """

    PAYMENT = "payment"
    PAYMENT_UNDONE = "payment_undone"
    REFUND = "refund"
    REFUND_UNDONE = "refund_undone"
    CHARGEBACK = "chargeback"
    CHARGEBACK_UNDONE = "chargeback_undone"
    OUTSIDE = "outside"
    OUTSIDE_UNDONE = "outside_undone"


#: Refunds in these statuses have not taken money, or have given it back.
_REFUND_CAME_TO_NOTHING = frozenset({"failed", "canceled"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One money fact. `amount` is positive when it comes in; `ref` is unique within a site."""

    kind: EntryKind
    ref: str
    amount: Money
    occurred_at: datetime


def facts(snapshot: PaymentSnapshot, booked: Collection[str]) -> list[Entry]:
    """The facts in `snapshot` that are not `booked` yet, in the order they must be written.

    `booked` holds the references already in the ledger for this payment. What was booked and is no
    longer so (a SEPA debit that was paid and then failed, a refund that was canceled) comes out as
    a fact of its own; nothing is ever changed or removed.
    """
    found: list[Entry] = []
    found += _payment_facts(snapshot, booked)
    for refund in snapshot.refunds:
        stands = refund.status not in _REFUND_CAME_TO_NOTHING
        if stands:
            found.append(Entry(EntryKind.REFUND, refund.id, -refund.amount, refund.created_at))
        elif refund.id in booked:
            found.append(
                Entry(EntryKind.REFUND_UNDONE, f"{refund.id}/undone", refund.amount, refund.created_at)
            )
    for chargeback in snapshot.chargebacks:
        found.append(Entry(EntryKind.CHARGEBACK, chargeback.id, -chargeback.amount, chargeback.created_at))
        if chargeback.reversed_at is not None:
            found.append(
                Entry(
                    EntryKind.CHARGEBACK_UNDONE,
                    f"{chargeback.id}/undone",
                    chargeback.amount,
                    chargeback.reversed_at,
                )
            )
    return [entry for entry in found if entry.ref not in booked]


def _payment_facts(snapshot: PaymentSnapshot, booked: Collection[str]) -> list[Entry]:
    paid_at = snapshot.paid_at or snapshot.created_at
    found: list[Entry] = []
    if snapshot.amount.cents == 0:
        return found  # a card was proven; no money moved
    if snapshot.status is PaymentStatus.PAID:
        found.append(Entry(EntryKind.PAYMENT, snapshot.id, snapshot.amount, paid_at))
    # Mollie: a SEPA debit "could also change" to failed up to five business days after the due date.
    if snapshot.status is PaymentStatus.FAILED and snapshot.id in booked:
        undone_at = snapshot.ended_at or paid_at
        found.append(Entry(EntryKind.PAYMENT_UNDONE, f"{snapshot.id}/undone", -snapshot.amount, undone_at))
    return found


def is_paid_anew(snapshot: PaymentSnapshot, booked: Collection[str]) -> bool:
    """Whether it is paid though its money was booked and undone: a fact has one reference, so no other
    fact can say that the money is there after all, and a person has to look at it."""
    return snapshot.status is PaymentStatus.PAID and f"{snapshot.id}/undone" in booked
