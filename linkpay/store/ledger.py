"""The ledger: money facts, each written once and never changed."""

from collections.abc import Sequence as ListOf
from datetime import datetime

from sqlalchemy import bindparam, select

from linkpay.domain.ledger import Entry, EntryKind
from linkpay.store.db import Tx, insert_once, insert_row_once
from linkpay.store.remembering import asked_until_written, know, remembered
from linkpay.store.tables import Charge, LedgerEntry, Payment


@asked_until_written(LedgerEntry, "payment_id")
def booked_refs(tx: Tx, payment_id: int) -> set[str]:
    """The outside references that the ledger already holds for a payment."""
    return set(tx.scalars(_BOOKED_REFS, {"payment_id": payment_id}))


_BOOKED_REFS = select(LedgerEntry.ref).where(LedgerEntry.payment_id == bindparam("payment_id"))


def book(tx: Tx, payment: Payment, entry: Entry, now: datetime) -> bool:
    """Write one fact; False when it was there. Facts are never changed or removed."""
    of_charge = remembered(tx, entries, (payment.charge_id,))
    of_payment = remembered(tx, booked_refs, (payment.id,))
    made = insert_row_once(
        tx, LedgerEntry, site_id=payment.site_id, charge_id=payment.charge_id,
        payment_id=payment.id, kind=entry.kind, ref=entry.ref, amount_cents=entry.amount.cents,
        currency=entry.amount.currency, occurred_at=entry.occurred_at, created_at=now,
    )  # fmt: skip
    if made is None:
        return False
    if of_charge is not None:
        know(tx, entries, (payment.charge_id,), [*of_charge, made])
    if of_payment is not None:
        know(tx, booked_refs, (payment.id,), of_payment | {entry.ref})
    return True


def book_outside(tx: Tx, charge: Charge, ref: str, cents: int, now: datetime) -> bool:
    """Write down money that came past Mollie, or (negative) did not come after all; once for each `ref`."""
    kind = EntryKind.OUTSIDE if cents > 0 else EntryKind.OUTSIDE_UNDONE
    booked = insert_once(
        tx, LedgerEntry, site_id=charge.site_id, charge_id=charge.id, kind=kind, ref=ref, amount_cents=cents,
        currency=charge.currency, occurred_at=now, created_at=now,
    )  # fmt: skip
    return booked is not None


def outside_cents(tx: Tx, charge_id: int) -> int:
    """What of a charge came in past Mollie."""
    return sum(entry.amount_cents for entry in entries(tx, charge_id) if entry.payment_id is None)


def find_outside(tx: Tx, site_id: int, ref: str) -> LedgerEntry | None:
    """The money from outside that is booked under this reference."""
    return tx.scalar(
        select(LedgerEntry).where(
            LedgerEntry.site_id == site_id, LedgerEntry.ref == ref, LedgerEntry.kind == EntryKind.OUTSIDE
        )
    )


@asked_until_written(LedgerEntry, "charge_id")
def entries(tx: Tx, charge_id: int) -> ListOf[LedgerEntry]:
    """The ledger of one charge, oldest first."""
    return tx.scalars(_ENTRIES, {"charge_id": charge_id}).all()


_ENTRIES = select(LedgerEntry).where(LedgerEntry.charge_id == bindparam("charge_id")).order_by(LedgerEntry.id)


def entries_of_payment(tx: Tx, payment_id: int) -> ListOf[LedgerEntry]:
    """The ledger of one payment, oldest first."""
    return tx.scalars(
        select(LedgerEntry).where(LedgerEntry.payment_id == payment_id).order_by(LedgerEntry.id)
    ).all()
