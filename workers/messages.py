"""Inbox rows: what Mollie and Kajabi told us, followed up."""

from dataclasses import dataclass
from datetime import datetime

from linkpay.errors import InputError, Missing, Permanent, Retryable
from linkpay.services import checkout, debits, settlement, signup
from linkpay.services.parts import Parts
from linkpay.store import charges, journal, sites, work
from linkpay.store.db import Tx
from linkpay.store.tables import Inbox, Payment
from linkpay.store.together import About

_LOOKS, _LOOKS_FOR_OURS = 3, 10


@dataclass(frozen=True, slots=True)
class Question:
    """What Mollie is to be asked: with which key, and about which of our payments, if we know it by now."""

    key: str
    payment_id: int | None


def begin(parts: Parts, tx: Tx, row: Inbox, _now: datetime) -> Question | None:
    """What a message of Mollie asks for; Kajabi's say all that they have to say."""
    if row.source != "mollie":
        return None
    return Question(checkout.key_of(tx, parts, row.site_id), charges.payment_id_of(tx, row.site_id, row.ref))


def handle(parts: Parts, row: Inbox, question: Question | None) -> None:
    """Follow up one message; finished in the transaction of its effect."""
    if question is not None:
        _mollie(parts, row, question)
    else:
        _kajabi(parts, row)


def _mollie(parts: Parts, row: Inbox, question: Question) -> None:
    """Look at the payment and book what is new. An id that is not ours costs one look and no more."""
    known_id = question.payment_id
    try:
        seen = checkout.look(parts, question.key, row.ref, "mollie")
    except Missing as problem:
        _not_there(parts, row, problem)
        return
    now = parts.clock.now()
    parts.together.write(lambda tx: _book(tx, row, known_id, seen, now), About(payment_id=known_id))


def _book(tx: Tx, row: Inbox, known_id: int | None, seen: settlement.Sighting, now: datetime) -> None:
    if known_id is not None:
        payment: Payment | None = charges.payment(tx, known_id)
    else:
        payment = charges.payment_by_mollie_id(tx, row.site_id, row.ref)
    if payment is None:
        # The webhook came before the answer to our own request was stored, or was never stored.
        payment = charges.payment_by_uid(tx, row.site_id, seen.payment.metadata.get("linkpay", ""))
    if payment is None:
        settlement.key_works(tx, row.site_id, now)
        work.finish(tx, row, now, outcome="foreign")
        return
    outcome = settlement.settle(tx, payment.id, seen, now)
    if outcome == settlement.Outcome.BOOKED:
        debits.follow(tx, payment, seen.payment, now)
    if outcome == settlement.Outcome.STRANGE_STATUS:
        raise Retryable("Mollie names a payment status that this version does not know")
    work.finish(tx, row, now, outcome=outcome.value)


def _not_there(parts: Parts, row: Inbox, problem: Missing) -> None:
    """Mollie does not promise to find at once what it has just made, so one answer proves nothing.

    An id that is not ours is given up after a few looks, one of ours only after many.
    """
    with parts.database.read() as tx:
        ours = charges.payment_id_of(tx, row.site_id, row.ref) is not None
    if row.attempts < (_LOOKS_FOR_OURS if ours else _LOOKS):
        raise Retryable(problem.detail, status=problem.status)
    if ours:
        raise Permanent(f"Mollie does not know {row.ref} any more: {problem.detail}")
    now = parts.clock.now()
    with parts.database.write() as tx:
        settlement.key_works(tx, row.site_id, now)
        work.finish(tx, row, now, outcome="unknown_at_mollie")


def _kajabi(parts: Parts, row: Inbox) -> None:
    now = parts.clock.now()
    try:
        said = parts.access.read_announcement(row.content_type, row.body)
    except InputError as problem:
        with parts.database.write() as tx:
            work.park(tx, row, f"{problem.code}: {problem.message}", now)
            journal.need_attention(
                tx, site_id=row.site_id, kind="kajabi_message", subject=f"inbox:{row.id}", now=now,
                detail=f"A message from Kajabi could not be understood: {problem.message}",
            )  # fmt: skip
        return
    with parts.database.write() as tx:
        if said.ignored is not None:
            work.finish(tx, row, now, outcome="ignored")
            return
        outcome = signup.open_from_kajabi(tx, sites.get(tx, row.site_id), said, now)
        if outcome in (signup.Outcome.UNMAPPED, signup.Outcome.NO_PLAN):
            work.park(tx, row, f"{outcome}: Kajabi offer {said.offer_id}", now)
            journal.need_attention(
                tx, site_id=row.site_id, kind="kajabi_message", subject=f"offer:{said.offer_id}", now=now,
                detail=f"Kajabi tells of a purchase of offer {said.offer_id}, which no plan here sells.",
                problem="unmapped", kajabi_offer=said.offer_id,
            )  # fmt: skip
            return
        work.finish(tx, row, now, outcome=outcome.value)
