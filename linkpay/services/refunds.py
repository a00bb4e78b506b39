"""Sending money back: what was paid twice, or for days that are not used."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from linkpay.domain.money import Money
from linkpay.domain.strokes import Move, NextMove, next_move
from linkpay.services import letters
from linkpay.store import charges, journal, work
from linkpay.store.db import Tx, insert_once
from linkpay.store.tables import Charge, Payment, Refund, Subscription
from linkpay.store.tables.money import Stroke

#: Refunds that come unasked have a mail of their own; the others are told by what led to them.
_UNASKED = frozenset({"paid_twice"})


def send_back_surplus(tx: Tx, subscription: Subscription, charge: Charge, now: datetime) -> None:
    """Owe the refund of what came in beyond the charge, newest payment first."""
    send_back_part(tx, subscription, charge, "paid_twice", charge.money.surplus_cents, now)


def send_back_part(
    tx: Tx, subscription: Subscription, charge: Charge, reason: str, cents: int, now: datetime
) -> None:
    """Owe the refund of some of a charge, newest payment first, never more than each still holds."""
    paid = [payment for payment in charges.payments(tx, charge.id) if payment.paid_at is not None]
    for payment in sorted(paid, key=lambda made: made.paid_at or now, reverse=True):
        kept = sum(entry.amount_cents for entry in charges.entries_of_payment(tx, payment.id))
        amount = min(kept, cents)
        if amount > 0:
            send_back(tx, subscription, payment, reason, amount, now)
            cents -= amount


def send_back(
    tx: Tx, subscription: Subscription, payment: Payment, reason: str, cents: int, now: datetime
) -> None:
    """Owe one refund of a payment for one reason; noticing the reason again owes nothing new."""
    refund_id = insert_once(
        tx, Refund, site_id=payment.site_id, payment_id=payment.id, uid=str(uuid.uuid4()), reason=reason,
        amount_cents=cents, currency=payment.currency, idempotency_key=str(uuid.uuid4()), created_at=now,
    )  # fmt: skip
    if refund_id is None:
        return
    work.add(
        tx, site_id=payment.site_id, kind="send_refund", ref=str(refund_id), target_id=refund_id,
        run_at=now, now=now,
    )  # fmt: skip
    journal.record(
        tx, "refund_owed", "linkpay", now, subscription=subscription, payment=payment, reason=reason,
        amount_cents=cents,
    )  # fmt: skip
    if reason in _UNASKED:
        letters.owe(
            tx, "paid_twice", subscription, step=f"refund:{refund_id}", now=now, charge_id=payment.charge_id
        )


@dataclass(frozen=True, slots=True)
class Returning:
    """One refund that this worker may send now."""

    refund_id: int
    uid: str
    mollie_payment_id: str
    idempotency_key: str
    amount: Money
    next: NextMove
    claimed_at: datetime
    repeated: bool


def claim(tx: Tx, refund_id: int, now: datetime) -> Returning | None:
    """Claim a refund to send it; None when Mollie already confirmed or refused it."""
    refund = charges.refund(tx, refund_id)
    if refund.stroke in (Stroke.KNOWN, Stroke.REFUSED):
        return None
    payment = charges.payment(tx, refund.payment_id)
    move = next_move(refund.key_used_at, now)
    refund.stroke, refund.claimed_at = Stroke.SENDING, now
    repeated = refund.key_used_at is not None
    if move.move is Move.SEND:
        refund.key_used_at = refund.key_used_at or now
    return Returning(
        refund.id, refund.uid, payment.mollie_id or "", refund.idempotency_key,
        Money(refund.amount_cents, refund.currency), move, now, repeated,
    )  # fmt: skip


def confirm(tx: Tx, refund_id: int, mollie_id: str) -> None:
    """Mollie holds the refund under this id; the ledger follows when the payment is looked at."""
    refund = charges.refund(tx, refund_id)
    refund.stroke, refund.mollie_id = Stroke.KNOWN, mollie_id


def outcome_unknown(tx: Tx, refund_id: int) -> None:
    """It was sent and no answer came."""
    charges.refund(tx, refund_id).stroke = Stroke.UNKNOWN


def renew_key(tx: Tx, refund_id: int) -> None:
    """Nothing of ours was found at Mollie after the quiet time: the next send is a new request."""
    refund = charges.refund(tx, refund_id)
    refund.idempotency_key, refund.key_used_at = str(uuid.uuid4()), None


def refused(tx: Tx, refund_id: int, why: str, now: datetime) -> None:
    """Mollie will not refund this: a person must."""
    refund = charges.refund(tx, refund_id)
    refund.stroke = Stroke.REFUSED
    journal.need_attention(
        tx, site_id=refund.site_id, kind="refund", subject=f"refund:{refund.id}", now=now,
        detail=f"A refund of {refund.amount_cents} cents was refused: {why}",
    )  # fmt: skip
