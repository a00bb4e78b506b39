"""Sending money back: by itself to who paid twice, and whole or in parts when somebody asks for it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from linkpay.domain.ledger import Entry, EntryKind
from linkpay.domain.money import Money
from linkpay.domain.snapshots import Sequence as Kind
from linkpay.domain.strokes import Move, NextMove, next_move
from linkpay.errors import Conflict, InputError
from linkpay.services import letters
from linkpay.store import charges, journal, ledger, subscriptions, work
from linkpay.store.db import Tx, insert_once
from linkpay.store.tables import Charge, Payment, Refund, Subscription
from linkpay.store.tables.money import Stroke

#: The reason of the refund that nobody has to ask for.
PAID_TWICE = "paid_twice"
#: How long the payer of a SEPA debit may have it reversed without a reason (Mollie's help pages).
_REVERSIBLE = timedelta(days=56)
_REASON_LENGTH = 40
#: What the bank shows of it.
_DESCRIPTIONS = {PAID_TWICE: "Refund of a double payment", "withdrawal": "Refund after withdrawal"}


def send_back_surplus(tx: Tx, subscription: Subscription, charge: Charge, now: datetime) -> None:
    """Owe the refund of what came in beyond the charge, newest payment first."""
    under_way = sum(charges.refunds_under_way(tx, charge.id).values())
    send_back_part(tx, subscription, charge, PAID_TWICE, charge.money.surplus_cents - under_way, now)


def surplus_refs(tx: Tx, charge: Charge) -> frozenset[str]:
    """Those of the booked refunds of a charge that were meant to give back what came in beyond it."""
    if all(entry.kind is not EntryKind.REFUND for entry in ledger.entries(tx, charge.id)):
        return frozenset()
    sent = charges.refunds_of(tx, charge.id)
    return frozenset(one.mollie_id for one in sent if one.mollie_id and _is_surplus(one.reason))


def send_back_part(
    tx: Tx, subscription: Subscription, charge: Charge, reason: str, cents: int, now: datetime
) -> int:
    """Owe the refund of some of a charge, newest payment first, never more than each still holds.

    Returns how many of the `cents` are taken care of: owed now, or with people, since Mollie refused to
    send that payment back for this reason before. Every call is a decision of its own: the caller has left
    out what is on its way, and does not ask twice for one decision.
    """
    left = cents
    paid = [payment for payment in charges.payments(tx, charge.id) if payment.paid_at is not None]
    for payment in sorted(paid, key=lambda made: made.paid_at or now, reverse=True):
        amount = min(held_cents(tx, payment), left)
        if amount > 0:
            send_back(tx, subscription, payment, _numbered(tx, payment, reason), amount, now)
            left -= amount
    return cents - left


def _numbered(tx: Tx, payment: Payment, reason: str) -> str:
    """The reason with a number where a payment was sent back for it before, and may be once more."""
    sent = [one for one in charges.refunds_of(tx, payment.charge_id) if one.payment_id == payment.id]
    before = [one for one in sent if one.reason == reason or one.reason.startswith(f"{reason}:")]
    if not before or any(one.stroke is Stroke.REFUSED and one.key_used_at is not None for one in before):
        return reason
    return f"{reason}:{len(before)}"


def held_cents(tx: Tx, payment: Payment) -> int:
    """What we hold of a payment, less what is on its way back."""
    booked = sum(entry.amount_cents for entry in ledger.entries_of_payment(tx, payment.id))
    return booked - charges.refunds_under_way(tx, payment.charge_id).get(payment.id, 0)


def send_back(
    tx: Tx, subscription: Subscription, payment: Payment, reason: str, cents: int, now: datetime,
    *, actor: str = "linkpay",
) -> None:  # fmt: skip
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
        tx, "refund_owed", actor, now, subscription=subscription, payment=payment, reason=reason,
        amount_cents=cents,
    )  # fmt: skip
    if _is_surplus(reason):
        letters.owe(
            tx, "paid_twice", subscription, step=f"refund:{refund_id}", now=now, charge_id=payment.charge_id
        )


def order(
    tx: Tx, charge_id: int, cents: int | None, reason: str, actor: str, now: datetime,
    *, despite_reversal: bool = False,
) -> list[Refund]:  # fmt: skip
    """Owe a refund of a charge: `cents` of it, or all that is kept (None); the refunds that it takes.

    `reason` is at most 40 characters and names the request: asked again with the same one, the refunds of
    the first time are returned. Raises Conflict when more is asked for than is kept, and while a SEPA debit
    that would be sent back may still be reversed at its bank, unless `despite_reversal`: then the money
    could go out twice. The caller has seen that the charge is of its own site.
    """
    if not 0 < len(reason) <= _REASON_LENGTH:
        raise InputError("refund_reason", "Name the refund in 1 to 40 characters.", "reason")
    charge = charges.get(tx, charge_id)
    subscription = subscriptions.lock(tx, charge.subscription_id)
    if before := charges.refunds_for(tx, charge_id, reason):
        if cents is not None and sum(refund.amount_cents for refund in before) != cents:
            raise Conflict("refund_named", "A refund of another amount has this name already.", "reason")
        return before
    shares = _shares(tx, charge_id, cents, now, despite_reversal=despite_reversal)
    for payment, share in shares:
        send_back(tx, subscription, payment, reason, share, now, actor=actor)
    made = charges.refunds_for(tx, charge_id, reason)
    letters.owe(
        tx, "refunded", subscription, step=f"refund:{made[0].id}", now=now, charge_id=charge_id,
        refund_cents=sum(refund.amount_cents for refund in made),
    )  # fmt: skip
    return made


def _shares(
    tx: Tx, charge_id: int, cents: int | None, now: datetime, *, despite_reversal: bool
) -> list[tuple[Payment, int]]:
    """How much of each payment goes back: first of what cannot be reversed, the newest first."""
    held = {payment: held_cents(tx, payment) for payment in charges.payments(tx, charge_id)}
    most = sum(cents for cents in held.values() if cents > 0)
    wanted = most if cents is None else cents
    if wanted <= 0 and cents is not None:
        raise InputError("refund_amount", "A refund is at least one cent.", "cents")
    if wanted > most or most == 0:
        raise Conflict(
            "refund_too_much", f"At most {most} cents can be sent back: what came in by Mollie and was kept,"
            " less what is on its way.", "cents",
        )  # fmt: skip
    shares = []
    for payment in sorted(held, key=lambda one: (reversible_until(one, now) is not None, -one.id)):
        share = min(max(held[payment], 0), wanted)
        until = reversible_until(payment, now)
        if share and until is not None and not despite_reversal:
            raise Conflict(
                "refund_reversible",
                f"The member's bank may still reverse this debit, until {until:%Y-%m-%d}: a refund and a"
                " reversal would pay her twice. Wait until then, or say that it is to be sent all the same.",
                "despite_reversal",
            )
        if share:
            shares.append((payment, share))
            wanted -= share
    return shares


def reversible_until(payment: Payment, now: datetime) -> datetime | None:
    """Until when the payer may have a SEPA debit reversed without a reason; None for any other, or later."""
    if payment.method != "directdebit" or payment.sequence is not Kind.RECURRING:
        return None
    ends_at = (payment.paid_at or payment.created_at) + _REVERSIBLE
    return ends_at if ends_at > now else None


@dataclass(frozen=True, slots=True)
class Returning:
    """One refund that this worker may send now."""

    refund_id: int
    uid: str
    mollie_payment_id: str
    idempotency_key: str
    amount: Money
    description: str
    next: NextMove
    claimed_at: datetime
    repeated: bool


def claim(tx: Tx, refund_id: int, now: datetime) -> Returning | None:
    """Claim a refund to send it; None when it was decided before, or its reason went away meanwhile."""
    refund = charges.refund(tx, refund_id)
    if refund.stroke in (Stroke.KNOWN, Stroke.REFUSED):
        return None
    payment = charges.payment(tx, refund.payment_id)
    subscription = subscriptions.lock(tx, charges.get(tx, payment.charge_id).subscription_id)
    if refund.key_used_at is None and not _still_owed(tx, subscription, payment, refund):
        refund.stroke = Stroke.REFUSED
        journal.record(
            tx, "refund_dropped", "linkpay", now, subscription=subscription, payment=payment,
            reason=refund.reason,
        )  # fmt: skip
        return None
    move = next_move(refund.key_used_at, now)
    refund.stroke, refund.claimed_at = Stroke.SENDING, now
    repeated = refund.key_used_at is not None
    if move.move is Move.SEND:
        refund.key_used_at = refund.key_used_at or now
    return Returning(
        refund.id, refund.uid, payment.mollie_id or "", refund.idempotency_key,
        Money(refund.amount_cents, refund.currency), _description(refund), move, now, repeated,
    )  # fmt: skip


def _description(refund: Refund) -> str:
    return _DESCRIPTIONS.get(refund.reason.partition(":")[0], "Refund")


def _is_surplus(reason: str) -> bool:
    return reason.partition(":")[0] == PAID_TWICE


def _still_owed(tx: Tx, subscription: Subscription, payment: Payment, refund: Refund) -> bool:
    """Whether a refund is still right just before it is sent for the first time.

    A bank may have taken the money back meanwhile; what it took from the one payment is no surplus of the
    other. A sign-up that was let go gets all of its money back.
    """
    held = sum(entry.amount_cents for entry in ledger.entries_of_payment(tx, payment.id))
    if not _is_surplus(refund.reason) or subscription.started_at is None:
        return held >= refund.amount_cents
    surplus = charges.get(tx, payment.charge_id).money.surplus_cents
    return min(held, surplus) >= refund.amount_cents


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


def try_again(tx: Tx, refund_id: int, now: datetime) -> None:
    """Owe a refund again that was refused, as a new request: what was in its way may be gone."""
    refund = charges.refund(tx, refund_id)
    if refund.stroke is not Stroke.REFUSED:
        return
    refund.stroke, refund.idempotency_key, refund.key_used_at = Stroke.PREPARED, str(uuid.uuid4()), None
    refund.mollie_id = None
    work.add(
        tx, site_id=refund.site_id, kind="send_refund", ref=f"{refund.id}:{refund.idempotency_key[:8]}",
        target_id=refund.id, run_at=now, now=now,
    )  # fmt: skip


def refused(tx: Tx, refund_id: int, why: str, now: datetime) -> None:
    """Mollie will not refund this: a person must."""
    refund = charges.refund(tx, refund_id)
    refund.stroke = Stroke.REFUSED
    journal.need_attention(
        tx, site_id=refund.site_id, kind="refund", subject=f"refund:{refund.id}", now=now,
        detail=f"A refund of {refund.amount_cents} cents was refused: {why}",
        charge_id=charges.payment(tx, refund.payment_id).charge_id, cents=refund.amount_cents,
        currency=refund.currency,
    )  # fmt: skip


def watch(tx: Tx, charge: Charge, booked: Sequence[Entry], now: datetime) -> None:
    """Ask for a person where more went out than came in, and where a refund of ours came to nothing."""
    subject, kept = f"charge:{charge.id}", charge.money.kept_cents
    changed = any(entry.amount.cents < 0 for entry in booked) or kept >= 0
    if changed and (charge.refunded_cents or charge.charged_back_cents):  # else nothing ever went out
        journal.solved(tx, site_id=charge.site_id, kind="loss", subject=subject, now=now)
    if kept < 0:
        journal.need_attention(
            tx, site_id=charge.site_id, kind="loss", subject=subject, now=now,
            detail=f"More went back than came in: {-kept} cents are lost.",
            charge_id=charge.id, cents=-kept, currency=charge.currency,
        )  # fmt: skip
    for entry in booked:
        if entry.kind is not EntryKind.REFUND_UNDONE:
            continue
        refund = charges.refund_by_mollie_id(tx, charge.site_id, entry.ref.removesuffix("/undone"))
        if refund is not None:
            refund.stroke = Stroke.REFUSED
            journal.need_attention(
                tx, site_id=charge.site_id, kind="refund", subject=f"refund:{refund.id}", now=now,
                detail=f"A refund of {refund.amount_cents} cents came to nothing at Mollie.",
                charge_id=charge.id, cents=refund.amount_cents, currency=refund.currency,
            )  # fmt: skip
