"""A second payment at Mollie for one attempt of ours: who held its request up, held it too long.

Mollie honours an idempotency key for one hour. A request that a network or a frozen machine lets go later
than that makes another payment, under an id of its own but with our id in its metadata. It is taken in as
an attempt of its own, so that its money is booked and what came in twice goes back by itself.
"""

from datetime import datetime

from linkpay.domain.snapshots import PaymentSnapshot, Sequence
from linkpay.services import debits
from linkpay.store import charges, journal
from linkpay.store.db import Tx
from linkpay.store.tables import Customer, Mandate, Payment, Subscription
from linkpay.store.tables.money import Stroke

_NAMED = "twin:"


def is_twin(payment: Payment) -> bool:
    """Whether nobody meant to ask for this payment: it is never the attempt that we wait for."""
    return payment.uid.startswith(_NAMED)


def row_for(
    tx: Tx, subscription: Subscription, payment: Payment, seen: PaymentSnapshot, now: datetime
) -> Payment:
    """The row that a sighting belongs to: the attempt whose id it carries, or its twin, made at first sight.

    A twin is stopped where Mollie still can. Whatever merely copies our id stays a mismatch of the attempt.
    The caller holds the lock of the subscription.
    """
    if payment.mollie_id in (None, seen.id) or not _same_request(tx, payment, seen):
        return payment
    if known := charges.payment_by_mollie_id(tx, payment.site_id, seen.id):
        return known
    twin = Payment(
        site_id=payment.site_id, charge_id=payment.charge_id, customer_id=payment.customer_id,
        uid=f"{_NAMED}{seen.id}"[:36], sequence=payment.sequence, mandate_id=payment.mandate_id,
        amount_cents=payment.amount_cents, currency=payment.currency, stroke=Stroke.KNOWN, is_open=False,
        idempotency_key=f"{_NAMED}{seen.id}"[:36], mollie_id=seen.id, created_at=seen.created_at,
    )  # fmt: skip
    tx.add(twin)
    tx.flush()
    debits.owe_stop(tx, twin, now)
    journal.record(
        tx, "second_payment", "mollie", now, subscription=subscription, payment=twin, ref=seen.id,
        amount_cents=twin.amount_cents,
    )  # fmt: skip
    return twin


def _same_request(tx: Tx, payment: Payment, seen: PaymentSnapshot) -> bool:
    """Whether it was asked for exactly as the attempt was."""
    customer, mandate = tx.get_one(Customer, payment.customer_id), payment.mandate_id
    asked = (payment.uid, payment.sequence, customer.mollie_id, payment.amount_cents, payment.currency)
    named = seen.metadata.get("linkpay")
    same = asked == (named, seen.sequence, seen.customer_id, seen.amount.cents, seen.amount.currency)
    if payment.sequence is not Sequence.RECURRING or mandate is None:
        return same
    return same and seen.mandate_id == tx.get_one(Mandate, mandate).mollie_id
