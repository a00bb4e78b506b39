"""Laying the ledger beside Mollie's lists, to the cent, and putting right what differs.

Like the checkout this calls Mollie between its transactions: one list, then whatever differs, one by one. It
may run anywhere, any number of times: it books differences only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from linkpay.domain.books import Comparison, Difference, Why, compare
from linkpay.domain.snapshots import PaymentSnapshot
from linkpay.errors import Missing
from linkpay.services import checkout, debits, recovery, settlement
from linkpay.services.parts import Parts
from linkpay.services.settlement import Sighting
from linkpay.store import books, charges, inbox
from linkpay.store.db import Tx
from linkpay.store.tables import BookCheck

#: So many differences are looked at in one go.
AT_ONCE = 20
_LINES = 100


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it. `found` differed at first, `left` do so still. Of those that there was no time for,
    `waiting` are looked at as messages, and `unread` are in no book: only the next run takes them in.
    """

    since: datetime
    made_at: datetime
    comparison: Comparison
    found: int
    adopted: int
    waiting: int
    unread: int

    @property
    def left(self) -> tuple[Difference, ...]:
        """What nothing explains yet."""
        return self.comparison.differences


def run(parts: Parts, site_id: int, since: datetime, *, at_once: int = AT_ONCE) -> Report:
    """Compare all payments made since then, look at what differs, compare again, keep the report.

    Raises Conflict ``not_connected`` and ProviderError.
    """
    key = checkout.site_key(parts, site_id)
    listed = sorted(parts.payments.list_payments_since(key, since), key=lambda seen: seen.created_at)
    _name_answers(parts, site_id, listed)
    first = _compared(parts, site_id, listed)
    seen_by_id = {seen.id: seen for seen in listed}
    adopted = 0
    unread, others = _in_turn(parts, site_id, first.differences, seen_by_id)
    for difference in [*unread, *others][:at_once]:
        fresh, was_adopted = _put_right(parts, site_id, key, seen_by_id[difference.mollie_id], difference)
        seen_by_id[fresh.id] = fresh
        adopted += was_adopted
    waiting = [one for one in others[max(at_once - len(unread), 0) :] if one.why is not Why.UNKNOWN]
    now = parts.clock.now()
    with parts.database.write() as tx:
        awaited = inbox.awaited(tx, site_id)
        for difference in waiting:
            if difference.mollie_id not in awaited:
                inbox.note(tx, site_id=site_id, ref=difference.mollie_id, why="books", now=now)
    last = _compared(parts, site_id, seen_by_id.values()) if first.differences else first
    # Also what Mollie lists and could not find just now: it was not looked at either.
    left, _ = _in_turn(parts, site_id, last.differences, seen_by_id)
    report = Report(since, now, last, len(first.differences), adopted, len(waiting), len(left))
    with parts.database.write() as tx:
        _keep(tx, site_id, report)
    return report


def _in_turn(
    parts: Parts, site_id: int, differences: Iterable[Difference], seen_by_id: Mapping[str, PaymentSnapshot]
) -> tuple[list[Difference], list[Difference]]:
    """What is in no book and was never looked at, oldest first; and all else, what nothing explained last.

    Otherwise a few that nobody can explain would keep all later ones from being taken in, for ever.
    """
    unknown = [one for one in differences if one.why is Why.UNKNOWN]
    marks = {one.mollie_id: seen_by_id[one.mollie_id].metadata.get("linkpay", "") for one in unknown}
    with parts.database.read() as tx:
        copied, told = books.known_uids(tx, site_id, set(marks.values())), recovery.reported(tx, site_id)
    unread = [one for one in unknown if marks[one.mollie_id] not in copied and one.mollie_id not in told]
    new = {one.mollie_id for one in unread}
    others = [one for one in differences if one.mollie_id not in new]
    return unread, sorted(others, key=lambda one: one.why is Why.UNKNOWN)


def _compared(parts: Parts, site_id: int, listed: Iterable[PaymentSnapshot]) -> Comparison:
    ours = list(listed)
    with parts.database.read() as tx:
        return compare(ours, books.booked(tx, site_id, {seen.id for seen in ours}))


def _name_answers(parts: Parts, site_id: int, listed: Sequence[PaymentSnapshot]) -> None:
    """Attempts whose answer was lost get their id first, so that nothing is taken in beside them."""
    now = parts.clock.now()
    with parts.database.read() as tx:
        known = books.booked(tx, site_id, {seen.id for seen in listed})
        marks = {seen.metadata.get("linkpay", "") for seen in listed if seen.id not in known}
        ours = books.known_uids(tx, site_id, marks)
    for seen in listed:
        if seen.id in known or seen.metadata.get("linkpay", "") not in ours:
            continue
        with parts.database.write() as tx:
            payment = charges.payment_by_uid(tx, site_id, seen.metadata["linkpay"])
            if payment is not None:
                recovery.name_customer(tx, payment, seen)
                settlement.settle(tx, payment.id, Sighting(seen, None, "reconcile"), now)
                debits.follow(tx, charges.payment(tx, payment.id), seen, now)


def _put_right(
    parts: Parts, site_id: int, key: str, listed: PaymentSnapshot, difference: Difference
) -> tuple[PaymentSnapshot, bool]:
    """Look at one payment whole and book it; (what Mollie shows now, whether our books had lost it)."""
    try:
        seen = checkout.look(parts, key, listed.id, "reconcile")
    except Missing:
        return listed, False
    with parts.database.read() as tx:
        asks = difference.why is Why.UNKNOWN and recovery.needs_mandate(tx, site_id, seen.payment)
    if asks and seen.mandate is None:
        mandate = parts.payments.fetch_mandate(
            key, seen.payment.customer_id or "", seen.payment.mandate_id or ""
        )
        seen = Sighting(seen.payment, mandate, seen.actor)
    now = parts.clock.now()
    with parts.database.write() as tx:
        payment = charges.payment_by_mollie_id(tx, site_id, listed.id)
        if payment is not None:
            settlement.settle(tx, payment.id, seen, now)
            debits.follow(tx, charges.payment(tx, payment.id), seen.payment, now)
            return seen.payment, False
        if recovery.adopt(tx, site_id, seen, now):
            return seen.payment, True
        # One that copies the mark of another is a mismatch, and told of as such.
        if not books.known_uids(tx, site_id, {seen.payment.metadata.get("linkpay", "")}):
            recovery.report_unknown(tx, site_id, seen.payment, now)
    return seen.payment, False


def _keep(tx: Tx, site_id: int, report: Report) -> None:
    compared = report.comparison
    figures: dict[str, Any] = {
        "payments": compared.payments, "ours": asdict(compared.ours), "theirs": asdict(compared.theirs),
        "foreign": compared.foreign, "foreign_cents": compared.foreign_cents, "found": report.found,
        "adopted": report.adopted, "waiting": report.waiting,
        "lines": [asdict(difference) for difference in report.left[:_LINES]],
    }  # fmt: skip
    books.keep(
        tx,
        BookCheck(
            site_id=site_id, since=report.since, differs=len(report.left), figures=figures,
            created_at=report.made_at,
        ),
    )  # fmt: skip
