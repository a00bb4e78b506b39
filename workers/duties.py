"""Small pieces of work: ladder steps, expired sign-ups, mails, and the daily watch over a site."""

from contextlib import suppress
from datetime import datetime, timedelta

from linkpay.errors import Missing, ProviderError, Retryable
from linkpay.ports import Letter
from linkpay.services import (
    access,
    checkout,
    checkup,
    dunning,
    forgetting,
    lateness,
    letters,
    numbers,
    reconciling,
    retention,
    settlement,
    signup,
    turning,
    withdrawing,
)
from linkpay.services.parts import Parts
from linkpay.store import charges, inbox, ledger, work
from linkpay.store import numbers as store
from linkpay.store.db import Tx
from linkpay.store.tables import Outbox

_WATCH_EVERY = timedelta(days=1)
_WATCH_LIMIT = 1000
#: What is older changes by refunds and chargebacks alone, which have lists of their own.
_COMPARED = timedelta(days=14)
_UNDONE = "/undone"


def dunning_step(parts: Parts, row: Outbox) -> None:
    """One dated step after a failed collection."""
    now = parts.clock.now()
    with parts.database.write() as tx:
        again_at = dunning.run_step(tx, row.target_id, row.id, row.ref, now)
        if again_at is None:
            work.finish(tx, row, now)
        else:
            work.postpone(tx, row, again_at, fresh=True)


def expire_signup(parts: Parts, row: Outbox) -> None:
    """The time for making a mandate is over."""
    now = parts.clock.now()
    with parts.database.write() as tx:
        signup.expire(tx, row.target_id, now)
        work.finish(tx, row, now)


def write_mail(parts: Parts, tx: Tx, row: Outbox, now: datetime) -> Letter | None:
    """Write the mail and keep it; None when there is nothing to tell any more."""
    letter = letters.compose(tx, row.target_id, parts.base_url, now)
    if letter is None:
        work.finish(tx, row, now)
    return letter


def send_mail(parts: Parts, row: Outbox, letter: Letter | None) -> None:
    """Hand what was written to the mail server."""
    if letter is None:
        return
    parts.mailer.send(letter)
    now = parts.clock.now()

    def left(tx: Tx) -> None:
        letters.mark_sent(tx, row.target_id, now)
        if row.last_error is not None:
            letters.let_in(tx, row.site_id, now)
        work.finish(tx, row, now)

    parts.together.write(left)


def forget_person(parts: Parts, row: Outbox) -> None:
    """Wipe who somebody was, once her access is closed and her last mail has left."""
    now = parts.clock.now()
    with parts.database.write() as tx:
        look_at = forgetting.go_on(tx, row.ref, now)
        if look_at is None:
            work.finish(tx, row, now)
        else:
            work.postpone(tx, row, look_at, "waits for Kajabi or the mail server", fresh=True)


def withdrawal_waits(parts: Parts, row: Outbox) -> None:
    """A declaration of withdrawal that nobody proved: show it to the owner where it may be a customer's."""
    now = parts.clock.now()
    with parts.database.write() as tx:
        withdrawing.ask_owner(tx, row.target_id, now)
        work.finish(tx, row, now)


def watch_site(parts: Parts, row: Outbox) -> None:
    """Look once a day for money that went back without a word: chargebacks and refunds of months ago.

    A SEPA debit can be reversed for 13 months; one list per site and day finds it as surely as
    asking about every payment, and costs one call.
    """
    _notice_that_we_were_down(parts, row)
    retention.let_go(parts, row.site_id)
    key = checkout.site_key(parts, row.site_id)
    with suppress(ProviderError):
        checkup.note_methods(parts, row.site_id, key)
    try:
        found = _gone_out(parts, key)
    except Missing as problem:
        # An account's own lists are always there: such an answer is bad weather, and the watch goes on.
        raise Retryable(problem.detail, status=problem.status) from problem
    now = parts.clock.now()
    with parts.database.write() as tx:
        settlement.key_works(tx, row.site_id, now)
        for payment_id, refs in found.items():
            payment = charges.payment_by_mollie_id(tx, row.site_id, payment_id)
            if payment is None:
                continue
            booked = ledger.booked_refs(tx, payment.id)
            if any(_is_news(ref, booked) for ref in refs):
                inbox.note(tx, site_id=row.site_id, ref=payment_id, why="daily watch", now=now)
    # Our whole ledger beside Mollie's list, once a day; what differs is looked at and booked on the way.
    reconciling.run(parts, row.site_id, now - _COMPARED)
    with parts.database.write() as tx:
        work.postpone(tx, row, parts.clock.now() + _WATCH_EVERY, fresh=True)


def count_numbers(parts: Parts, row: Outbox) -> None:
    """Count the numbers of a large site, so that its pages need not."""
    now = parts.clock.now()
    with parts.database.read() as tx:
        figures = numbers.count(tx, row.site_id, now)
    with parts.database.write() as tx:
        store.keep(tx, row.site_id, figures, now)
        work.finish(tx, row, now)


def _notice_that_we_were_down(parts: Parts, row: Outbox) -> None:
    """The watch is due at every site on every day: where it comes late, nothing ran since it was due."""
    now = parts.clock.now()
    if now - row.run_at <= lateness.LATE:
        return
    with parts.database.write() as tx:
        for subscription in lateness.we_were_down(tx, row.site_id, row.run_at, now):
            access.review_purchase(tx, subscription, now)


def _gone_out(parts: Parts, key: str) -> dict[str, set[str]]:
    """What went out of each payment, and what of it came back, by the ledger's references."""
    found: dict[str, set[str]] = {}
    for payment_id, chargeback in parts.payments.list_chargebacks(key, limit=_WATCH_LIMIT):
        refs = found.setdefault(payment_id, set())
        refs.add(chargeback.id)
        if chargeback.reversed_at is not None:
            refs.add(f"{chargeback.id}{_UNDONE}")
    for payment_id, refund in parts.payments.list_refunds(key, limit=_WATCH_LIMIT):
        came_to_nothing = refund.status in ("failed", "canceled")
        found.setdefault(payment_id, set()).add(f"{refund.id}{_UNDONE}" if came_to_nothing else refund.id)
    return found


def _is_news(ref: str, booked: set[str]) -> bool:
    """Whether the ledger lacks this; what came back matters only where its going out is booked."""
    went_out = ref.removesuffix(_UNDONE)
    return ref not in booked and (went_out == ref or went_out in booked)


def turn(parts: Parts, row: Outbox) -> None:
    """The day has come for which something was decided."""
    now = parts.clock.now()
    with parts.database.write() as tx:
        look_at = turning.turn(tx, row.target_id, now)
        if look_at is None:
            work.finish(tx, row, now)
        else:
            work.postpone(tx, row, look_at, fresh=True)
