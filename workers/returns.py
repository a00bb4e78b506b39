"""Refunds, in the same three strokes as debits."""

from linkpay.domain.strokes import Move, too_late
from linkpay.errors import CredentialsRefused, OutcomeUnknown, Permanent, TooLate
from linkpay.services import checkout, refunds
from linkpay.services.parts import Parts
from linkpay.store import charges, inbox, work
from linkpay.store.tables import Outbox
from workers import absence, books


def send(parts: Parts, row: Outbox) -> None:
    """Send one refund back; the ledger follows when the payment is looked at again."""
    with parts.database.write() as tx:
        if books.holds_back(tx, row, parts.clock.now()):
            return
        key = checkout.key_of(tx, parts, row.site_id)
        returning = refunds.claim(tx, row.target_id, parts.clock.now())
        if returning is None:
            work.finish(tx, row, parts.clock.now())
            return
        if returning.next.move is Move.WAIT and returning.next.at is not None:
            work.postpone(tx, row, returning.next.at, "quiet time before looking")
            return
    if returning.next.move is Move.SEARCH:
        _search(parts, row, returning, key)
        return
    if too_late(returning.claimed_at, parts.clock.now()):
        raise TooLate("too much time passed between claiming and sending")
    try:
        made = parts.payments.refund(
            key, returning.mollie_payment_id, idempotency_key=returning.idempotency_key,
            amount=returning.amount, description=returning.description, metadata={"linkpay": returning.uid},
        )  # fmt: skip
    except OutcomeUnknown:
        with parts.database.write() as tx:
            refunds.outcome_unknown(tx, row.target_id)
        raise
    except CredentialsRefused:
        raise
    except Permanent as problem:
        if returning.repeated and _adopt(parts, row, returning, key):
            return
        with parts.database.write() as tx:
            refunds.refused(tx, row.target_id, problem.detail, parts.clock.now())
            work.finish(tx, row, parts.clock.now())
        return
    _confirm(parts, row, made.id)


def _search(parts: Parts, row: Outbox, returning: refunds.Returning, key: str) -> None:
    if _adopt(parts, row, returning, key):
        return
    with parts.database.write() as tx:
        refunds.renew_key(tx, row.target_id)
        work.postpone(tx, row, parts.clock.now(), "nothing found, new key", fresh=True)


def _adopt(parts: Parts, row: Outbox, returning: refunds.Returning, key: str) -> bool:
    """Take the refund at Mollie that carries our id for ours; False when there is none."""
    with absence.doubted(parts.clock, row):
        known = list(parts.payments.list_payment_refunds(key, returning.mollie_payment_id))
    for made in known:
        if made.metadata.get("linkpay") == returning.uid:
            _confirm(parts, row, made.id)
            return True
    return False


def _confirm(parts: Parts, row: Outbox, mollie_id: str) -> None:
    now = parts.clock.now()
    with parts.database.write() as tx:
        refunds.confirm(tx, row.target_id, mollie_id)
        payment = charges.payment(tx, charges.refund(tx, row.target_id).payment_id)
        if payment.mollie_id is not None:
            inbox.note(tx, site_id=row.site_id, ref=payment.mollie_id, why="refund", now=now)
        work.finish(tx, row, now)
