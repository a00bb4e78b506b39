"""Debits: sending an attempt in three strokes, and following payments that no webhook told of."""

from dataclasses import dataclass
from datetime import datetime

from linkpay.domain.snapshots import MandateStatus, PaymentSnapshot, Sequence
from linkpay.domain.strokes import Move, next_move, too_late
from linkpay.errors import CredentialsRefused, Missing, OutcomeUnknown, Permanent, Retryable, TooLate
from linkpay.services import announcing, checkout, debits, settlement
from linkpay.services.mandate_renewal import ASK_AGAIN, GIVE_UP
from linkpay.services.parts import Parts
from linkpay.store import charges, people, subscriptions, work
from linkpay.store.db import Tx
from linkpay.store.tables import Customer, Outbox
from linkpay.store.tables.money import Stroke
from linkpay.store.together import About
from workers import absence, books

#: Mollie does not promise to find at once what it has just made: so often is a payment looked for.
_LOOKS = 10


def send(parts: Parts, row: Outbox, ready: "debits.Sending | Unproven | None") -> None:
    """Send one debit that `begin` made ready, with claim and key committed; then the answer is booked."""
    sending = _proven(parts, row, ready)
    if sending is None:
        return
    if sending.next.move is Move.SEARCH:
        _search(parts, row, sending)
        return
    if too_late(sending.claimed_at, parts.clock.now()):
        raise TooLate("too much time passed between claiming and sending")
    try:
        snapshot = parts.payments.create_payment(sending.key, sending.order)
    except OutcomeUnknown:
        with parts.database.write() as tx:
            debits.outcome_unknown(tx, row.target_id)
        raise
    except CredentialsRefused:
        raise
    except Permanent as problem:
        # Refused now says nothing of the time before: an earlier try with this key may have been done.
        found = _found(parts, row, sending) if sending.repeated else None
        if found is None:
            _refused(parts, row, problem)
        else:
            _book(parts, row, found)
        return
    _book(parts, row, snapshot)


def _book(parts: Parts, row: Outbox, snapshot: PaymentSnapshot) -> None:
    now = parts.clock.now()

    def book(tx: Tx) -> None:
        settlement.settle(tx, row.target_id, settlement.Sighting(snapshot, None, "worker"), now)
        debits.follow(tx, charges.payment(tx, row.target_id), snapshot, now)
        work.finish(tx, row, now)

    parts.together.write(book, About(payment_id=row.target_id))


def _refused(parts: Parts, row: Outbox, problem: Permanent) -> None:
    """Mollie will not take this debit. Which mandate it dislikes only people can tell: ask for a new one."""
    code = "no_mandate" if "mandate" in problem.detail.lower() else "refused_by_mollie"
    now = parts.clock.now()
    with parts.database.write() as tx:
        settlement.attempt_refused(tx, row.target_id, code, now)
        work.finish(tx, row, now)


def _proven(parts: Parts, row: Outbox, ready: "debits.Sending | Unproven | None") -> debits.Sending | None:
    """The same, once Mollie said that the mandate may be debited, where only Mollie can tell."""
    if not isinstance(ready, Unproven):
        return ready
    if not _is_proven(parts, row, ready):
        return None
    now = parts.clock.now()
    again = parts.together.write(lambda tx: begin(parts, tx, row, now), About(payment_id=row.target_id))
    return _proven(parts, row, again)


@dataclass(frozen=True, slots=True)
class Unproven:
    """A mandate that Mollie is to be asked about, with the site's key."""

    key: str
    customer_id: str
    mandate_id: str


def begin(parts: Parts, tx: Tx, row: Outbox, now: datetime) -> "debits.Sending | Unproven | None":
    """Claim the debit if it may go out now; else it is put off, refused or needless, and None."""
    if books.holds_back(tx, row, now):
        return None
    key = checkout.key_of(tx, parts, row.site_id)
    subscriptions.lock_for_payment(tx, row.target_id)
    payment = charges.payment(tx, row.target_id)
    mandate = debits.mandate_of(tx, payment)
    if debits.mandate_refused(payment, mandate):
        settlement.attempt_refused(tx, row.target_id, "no_mandate", now)
        work.finish(tx, row, now)
        return None
    if unproven := debits.unproven_mandate(tx, payment, mandate):
        return Unproven(key, *unproven)
    return _claim_proven(tx, row, key, parts.base_url, now)


def _claim_proven(tx: Tx, row: Outbox, key: str, base_url: str, now: datetime) -> debits.Sending | None:
    """The same where the mandate may be debited; what its notice does not reach waits."""
    wait_until = (
        None if announcing.is_told(tx, row.target_id, now) else announcing.hold(tx, row.target_id, now)
    )
    if wait_until is not None:
        work.postpone(tx, row, wait_until, "pre-notification", fresh=True)
        return None
    sending = debits.claim(tx, row.target_id, key=key, base_url=base_url, now=now)
    if sending is None:
        work.finish(tx, row, now)
        return None
    if sending.next.move is Move.WAIT and sending.next.at is not None:
        work.postpone(tx, row, sending.next.at, "quiet time before looking")
        return None
    return sending


def _is_proven(parts: Parts, row: Outbox, unproven: Unproven) -> bool:
    """Whether Mollie says that a mandate may be debited which we do not know as valid.

    One that stays pending is waited for as long as a renewal is; then she is asked for another.
    """
    seen = parts.payments.fetch_mandate(unproven.key, unproven.customer_id, unproven.mandate_id)
    now = parts.clock.now()
    with parts.database.write() as tx:
        payment = charges.payment(tx, row.target_id)
        people.put_mandate(tx, site_id=row.site_id, customer_id=payment.customer_id, seen=seen, now=now)
        if seen.status is MandateStatus.VALID:
            return True
        if seen.status is MandateStatus.PENDING and now - payment.created_at < GIVE_UP:
            work.postpone(tx, row, now + ASK_AGAIN, "mandate pending", fresh=True)
            return False
        settlement.attempt_refused(tx, row.target_id, "no_mandate", now)
        work.finish(tx, row, now)
    return False


def _search(parts: Parts, row: Outbox, sending: debits.Sending) -> None:
    """No answer for an hour: adopt what Mollie has of ours, whatever its status, or begin anew."""
    found = _found(parts, row, sending)
    if found is not None:
        _book(parts, row, found)
        return
    now = parts.clock.now()
    with parts.database.write() as tx:
        debits.renew_key(tx, row.target_id)
        work.postpone(tx, row, now, "nothing found, new key", fresh=True)


def _found(parts: Parts, row: Outbox, sending: debits.Sending) -> PaymentSnapshot | None:
    """The payment at Mollie that carries our id, read whole; None when there is none."""
    customer = sending.order.customer_id
    if customer is None:
        return None
    with absence.doubted(parts.clock, row):
        for listed in parts.payments.list_customer_payments(sending.key, customer):
            if listed.metadata.get("linkpay") == sending.uid:
                return parts.payments.fetch_payment(sending.key, listed.id)
    return None


def poll(parts: Parts, row: Outbox) -> None:
    """Look at a payment that may have changed without a word, on the schedule of its age."""
    with parts.database.read() as tx:
        payment = charges.payment(tx, row.target_id)
        is_there = payment.stroke is not Stroke.REFUSED and payment.mollie_id is not None
        key = checkout.key_of(tx, parts, row.site_id) if is_there else ""
    if payment.stroke is Stroke.REFUSED:
        with parts.database.write() as tx:
            work.finish(tx, row, parts.clock.now())
        return
    if payment.mollie_id is None:
        _poll_unanswered(parts, row)
        return
    try:
        seen = checkout.look(parts, key, payment.mollie_id, "poller")
    except Missing as problem:
        if row.attempts < _LOOKS:
            raise Retryable(problem.detail, status=problem.status) from problem
        raise Permanent(f"Mollie does not know {payment.mollie_id} any more: {problem.detail}") from problem
    now = parts.clock.now()

    def book(tx: Tx) -> None:
        settlement.settle(tx, payment.id, seen, now)
        look_at = debits.next_look_at(seen.payment, payment.created_at, now)
        if look_at is None:
            work.finish(tx, row, now)
        else:
            work.postpone(tx, row, look_at, fresh=True)

    parts.together.write(book, About(payment_id=payment.id))


def _poll_unanswered(parts: Parts, row: Outbox) -> None:
    """An attempt without an answer. A debit's own job resolves it; a buyer who left resolves nothing."""
    now = parts.clock.now()
    key = checkout.site_key(parts, row.site_id)
    with parts.database.write() as tx:
        payment = charges.payment(tx, row.target_id)
        move = next_move(payment.key_used_at or payment.created_at, now)
        if payment.sequence is Sequence.RECURRING or move.move is not Move.SEARCH:
            work.postpone(tx, row, move.at or debits.next_poll_at(payment.created_at, now), fresh=True)
            return
        customer = tx.get_one(Customer, payment.customer_id)
        never_sent = payment.key_used_at is None or customer.mollie_id is None
        sending = None if never_sent else debits.reading(tx, payment, key, parts.base_url, now)
    found = _found(parts, row, sending) if sending else None
    if found is not None:
        _book_poll(parts, row, found)
        return
    with parts.database.write() as tx:
        settlement.attempt_refused(tx, row.target_id, None, now)
        work.finish(tx, row, now)


def _book_poll(parts: Parts, row: Outbox, found: PaymentSnapshot) -> None:
    now = parts.clock.now()
    with parts.database.write() as tx:
        settlement.settle(tx, row.target_id, settlement.Sighting(found, None, "poller"), now)
        work.postpone(tx, row, now, fresh=True)


def stop(parts: Parts, row: Outbox) -> None:
    """Stop a debit that is under way for somebody who left; what comes in all the same is sent back."""
    key = checkout.site_key(parts, row.site_id)
    with parts.database.read() as tx:
        payment = charges.payment(tx, row.target_id)
    now = parts.clock.now()
    if payment.is_open and payment.mollie_id is None:
        raise Retryable("Mollie has not said yet under which id it is under way")
    if payment.mollie_id is not None and not payment.is_over:
        try:
            parts.payments.cancel_payment(key, payment.mollie_id)
        except CredentialsRefused:
            raise
        except Permanent:
            pass  # too late to stop it: its money will be sent back when it is there
        seen = checkout.look(parts, key, payment.mollie_id, "worker")
        now = parts.clock.now()
        with parts.database.write() as tx:
            settlement.settle(tx, payment.id, seen, now)
            work.finish(tx, row, now)
        return
    with parts.database.write() as tx:
        work.finish(tx, row, now)
