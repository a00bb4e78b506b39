"""Booking what Mollie says: facts to the ledger, then charge, subscription, mandate and access.

One function, one transaction, any order, any number of times: it works from the difference between
what Mollie says now and what the ledger holds, never from an edge between two statuses.
"""

from collections.abc import Sequence as ListOf
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from linkpay.domain.charge import LET_GO, Attempts, ChargeState, charge_state, money_of
from linkpay.domain.dunning import ReasonClass, classify
from linkpay.domain.ledger import Entry, EntryKind, facts, is_paid_anew
from linkpay.domain.snapshots import FINAL, MandateSnapshot, PaymentSnapshot, PaymentStatus, Sequence
from linkpay.domain.subscription import SubscriptionEvent, SubscriptionState, move
from linkpay.domain.takeover import adopted_uid
from linkpay.services import (
    access,
    charging,
    dunning,
    latecomers,
    lifecycle,
    mandate_renewal,
    refunds,
    twins,
)
from linkpay.store import charges, journal, ledger, people, sites, subscriptions
from linkpay.store.db import Tx
from linkpay.store.remembering import held
from linkpay.store.tables import Charge, Customer, Payment, Subscription
from linkpay.store.tables.money import Stroke

_OUT_AGAIN = frozenset({EntryKind.CHARGEBACK, EntryKind.PAYMENT_UNDONE})
_CAME_TO_NOTHING = frozenset({PaymentStatus.FAILED, PaymentStatus.CANCELED, PaymentStatus.EXPIRED})


class Outcome(StrEnum):
    """What booking made of a sighting, in a word for the inbox row."""

    BOOKED = "booked"
    NOTHING_NEW = "nothing_new"
    MISMATCH = "mismatch"
    STRANGE_STATUS = "strange_status"


@dataclass(frozen=True, slots=True)
class Sighting:
    """A payment as Mollie shows it, with its mandate where it names one, and who looked."""

    payment: PaymentSnapshot
    mandate: MandateSnapshot | None
    actor: str


def settle(tx: Tx, payment_id: int, seen: Sighting, now: datetime) -> Outcome:
    """Bring everything we hold in line with one sighting of one payment."""
    subscription = subscriptions.lock_for_payment(tx, payment_id)
    payment = twins.row_for(tx, subscription, charges.payment(tx, payment_id), seen.payment, now)
    charge = charges.get(tx, payment.charge_id)
    seen = _undated(payment, seen)
    if why := _mismatch(tx, payment, seen.payment):
        journal.need_attention(
            tx, site_id=payment.site_id, kind="mismatch", subject=f"payment:{payment.id}", now=now,
            detail=f"{seen.payment.id} is not what was asked for: {why}. Nothing was booked.",
        )  # fmt: skip
        return Outcome.MISMATCH
    if seen.payment.status is PaymentStatus.UNKNOWN:
        return Outcome.STRANGE_STATUS
    key_works(tx, payment.site_id, now)
    sites.learn_creditor_id(tx, payment.site_id, seen.payment.creditor_id)
    before = payment.status
    _note_status(payment, seen.payment)
    told = facts(seen.payment, ledger.booked_refs(tx, payment.id))
    booked = [entry for entry in told if ledger.book(tx, payment, entry, now)]
    if not booked and before is payment.status:
        _keep_mandate(tx, subscription, payment, seen, now)
        return Outcome.NOTHING_NEW
    owed_before = charge.money.owed_cents
    sum_up(tx, charge)
    _keep_mandate(tx, subscription, payment, seen, now)
    case = _Case(subscription, charge, payment, seen.payment, booked, owed_before, before)
    _tell(tx, case, seen.actor, now, ended=payment.status is not before)
    _react(tx, case, now)
    access.review_purchase(tx, subscription, now)
    return Outcome.BOOKED


def key_works(tx: Tx, site_id: int, now: datetime) -> None:
    """Mollie answered: the key is good, and a halted site is charged again."""
    if sites.get(tx, site_id).halted_at is not None:
        sites.resume(tx, site_id)
        journal.solved(tx, site_id=site_id, kind="mollie_key", subject=f"site:{site_id}", now=now)


@dataclass(frozen=True, slots=True)
class _Case:
    subscription: Subscription
    charge: Charge
    payment: Payment
    seen: PaymentSnapshot
    booked: ListOf[Entry]
    owed_before: int
    was: PaymentStatus | None

    @property
    def is_paid_now(self) -> bool:
        """Whether all that is owed came in just now; a first payment of nothing counts when it is made."""
        if self.charge.money.owed_cents > 0:
            return False
        proves = self.subscription.started_at is None or self.charge.is_check
        asks_nothing = self.charge.amount_cents == 0 and proves
        made_now = self.payment.status is PaymentStatus.PAID and self.was is not PaymentStatus.PAID
        return self.owed_before > 0 or (asks_nothing and made_now)

    @property
    def is_owed_again(self) -> bool:
        """Whether money that was in is out: since the last look, or in and out between two looks."""
        if self.charge.money.owed_cents == 0 or self.charge.is_check:
            return False
        started = self.subscription.started_at is not None
        went_out = any(entry.kind in _OUT_AGAIN for entry in self.booked)
        return self.owed_before == 0 or (started and went_out and self.charge.failed_at is None)


def _tell(tx: Tx, case: _Case, actor: str, now: datetime, *, ended: bool) -> None:
    """Write down each fact, and that an attempt just came to nothing."""
    subscription, payment = case.subscription, case.payment
    for entry in case.booked:
        journal.record(
            tx, entry.kind.value, actor, now, subscription=subscription, payment=payment, ref=entry.ref,
            amount_cents=entry.amount.cents,
        )  # fmt: skip
    if ended and payment.status in _CAME_TO_NOTHING:
        journal.record(
            tx, f"payment_{payment.status}", actor, now, subscription=subscription, payment=payment,
            reason=payment.failure_code,
        )  # fmt: skip


def _mismatch(tx: Tx, payment: Payment, seen: PaymentSnapshot) -> str | None:
    site = sites.get(tx, payment.site_id)
    customer = held(tx, Customer, payment.customer_id)
    checks = {
        "amount": (seen.amount.cents, payment.amount_cents),
        "currency": (seen.amount.currency, payment.currency),
        "mode": (seen.mode, site.mode),
        "customer": (seen.customer_id or customer.mollie_id, customer.mollie_id),
        "id": (seen.id, payment.mollie_id or seen.id),
        "metadata": (seen.metadata.get("linkpay"), payment.uid),
        "paid once more after it failed": (is_paid_anew(seen, ledger.booked_refs(tx, payment.id)), False),
    }
    if payment.uid == adopted_uid(seen.id) or twins.is_twin(payment):
        del checks["metadata"]
    wrong = [name for name, (theirs, ours) in checks.items() if theirs != ours]
    return ", ".join(wrong) or None


def _undated(payment: Payment, seen: Sighting) -> Sighting:
    """The sighting without its status where that is older than what we know: paid before it bounced, or
    expired before it was paid after all. Its refunds and chargebacks still count."""
    told, known = seen.payment.decided_at, payment.decided_at
    if payment.status is None or told is None or known is None or told >= known:
        return seen
    return replace(seen, payment=replace(seen.payment, status=payment.status))


def _note_status(payment: Payment, seen: PaymentSnapshot) -> None:
    """Copy what the payment is now. An older sighting that comes late never reopens it."""
    payment.stroke, payment.mollie_id = Stroke.KNOWN, seen.id
    payment.checkout_url = seen.checkout_url or payment.checkout_url
    payment.expires_at = seen.expires_at or payment.expires_at
    if payment.is_over and seen.status not in FINAL:
        return
    payment.status, payment.is_open = seen.status, seen.status not in FINAL and not twins.is_twin(payment)
    payment.decided_at = seen.decided_at or payment.decided_at
    payment.method = seen.method or payment.method
    payment.paid_at = seen.paid_at or payment.paid_at
    payment.failure_code = seen.failure_code or payment.failure_code


def sum_up(tx: Tx, charge: Charge) -> None:
    """Copy the ledger's sums onto the charge."""
    money = money_of(charge.amount_cents, ledger.entries(tx, charge.id), refunds.surplus_refs(tx, charge))
    charge.paid_cents, charge.refunded_cents = money.paid_cents, money.refunded_cents
    charge.charged_back_cents = money.charged_back_cents
    charge.surplus_refunded_cents = money.surplus_refunded_cents


def _keep_mandate(
    tx: Tx, subscription: Subscription, payment: Payment, seen: Sighting, now: datetime
) -> None:
    """Record the mandate; one that a paid first payment made is charged from now on, once it is valid."""
    if seen.mandate is None:
        return
    mandate = people.put_mandate(
        tx, site_id=payment.site_id, customer_id=payment.customer_id, seen=seen.mandate, now=now
    )
    made_now = payment.sequence is Sequence.FIRST and payment.status is PaymentStatus.PAID
    if made_now and payment.mandate_id in (None, mandate.id):
        if mandate.unusable_at is not None and payment.created_at > mandate.unusable_at:
            mandate.unusable_at, mandate.unusable_code = None, None  # she gave it anew
        payment.mandate_id = mandate.id
        tx.flush()
        mandate_renewal.made(tx, subscription, payment, mandate, now)


def _react(tx: Tx, case: _Case, now: datetime) -> None:
    subscription, charge, payment = case.subscription, case.charge, case.payment
    was_awaited = payment.sequence is Sequence.RECURRING and not twins.is_twin(payment)
    came_to_nothing = payment.status in _CAME_TO_NOTHING and was_awaited
    _distrust(tx, case, now)
    refunds.watch(tx, charge, case.booked, now)  # first: what came to nothing is not owed a second time
    if case.is_paid_now:
        paid_whole(tx, subscription, charge, payment, now)
    elif charge.state in LET_GO:
        pass  # nobody asks for this money any more, so nobody is helped to pay it
    elif case.is_owed_again:
        _owed_again(tx, case, now)
    elif came_to_nothing and charge.asked_cents > 0:
        dunning.debit_failed(tx, subscription, charge, payment.failure_code, now)
    restate(tx, charge)
    if charge.money.surplus_cents > 0:
        refunds.send_back_surplus(tx, subscription, charge, now)


def paid_whole(
    tx: Tx, subscription: Subscription, charge: Charge, payment: Payment | None, now: datetime
) -> None:
    """All that was owed of a charge is in; `payment` is None where it came past Mollie. Holds the lock."""
    was_let_go = charge.state in LET_GO
    charge.paid_at = (payment.paid_at if payment else None) or now
    charge.failed_at, charge.failure_code, charge.taken_back = None, None, False
    charge.grace_until, charge.dunning_stopped_at = None, None
    charge.state = ChargeState.PAID
    lifecycle.charge_paid(tx, subscription, charge, payment, now)
    if was_let_go and subscription.state is not SubscriptionState.ENDED:
        latecomers.ask_about_days_paid_anew(tx, subscription, charge, now)


def restate(tx: Tx, charge: Charge) -> None:
    """Derive the state of a charge from its money and attempts."""
    subscription = held(tx, Subscription, charge.subscription_id)
    if charge.money.owed_cents == 0 and charging.awaits_payer(subscription, charge):
        charge.state = ChargeState.OPEN  # it asks for no money, yet a card has to be proven
        return
    charge.state = charge_state(charge.state, charge.money, _attempts(tx, charge))


def _distrust(tx: Tx, case: _Case, now: datetime) -> None:
    """What a bank refused for good is never debited again, whatever Mollie calls the mandate."""
    codes = [taken.reason_code for taken in case.seen.chargebacks if taken.reversed_at is None]
    if case.payment.status is PaymentStatus.FAILED and case.payment.sequence is Sequence.RECURRING:
        codes.append(case.payment.failure_code)
    for code in codes:
        if case.payment.mandate_id is not None and classify(code) is not ReasonClass.SOFT:
            people.distrust_mandate(tx, case.payment.mandate_id, code, now)


def _owed_again(tx: Tx, case: _Case, now: datetime) -> None:
    """Money that was in is out again: a chargeback, or a debit that failed after it was paid."""
    chargebacks = [c for c in case.seen.chargebacks if c.reversed_at is None]
    # By a refund it is owed again where it was a surplus, and the bank took the other payment back meanwhile.
    refunded = any(entry.kind is EntryKind.REFUND for entry in case.booked)
    code = next((c.reason_code for c in chargebacks), None if refunded else case.payment.failure_code)
    # A bank that reports an empty account as a chargeback has refused a debit, not a dispute.
    taken_back = (bool(chargebacks) or refunded) and code not in ("AM04", "MS03")
    dunning.begin(tx, case.subscription, case.charge, code=code, taken_back=taken_back, now=now)
    event = SubscriptionEvent.MONEY_TAKEN_BACK if taken_back else SubscriptionEvent.CHARGE_FAILED
    case.subscription.state = move(case.subscription.state, event)


def _attempts(tx: Tx, charge: Charge) -> Attempts:
    tries = charges.payments(tx, charge.id)
    return Attempts(
        running=any(charges.debit_runs(attempt) for attempt in tries),
        waiting_for_person=any(attempt.is_open for attempt in tries),
        failed=charge.failed_at is not None,
    )


def attempt_refused(tx: Tx, payment_id: int, code: str | None, now: datetime) -> None:
    """Mollie refused the request for good: nothing happened, and the debit counts as failed."""
    subscription = subscriptions.lock_for_payment(tx, payment_id)
    payment = charges.payment(tx, payment_id)
    charge = charges.get(tx, payment.charge_id)
    if not payment.is_open or payment.mollie_id is not None:
        return
    payment.stroke, payment.is_open, payment.failure_code = Stroke.REFUSED, False, code
    tx.flush()
    if payment.sequence is Sequence.RECURRING and charge.asked_cents > 0:
        dunning.debit_failed(tx, subscription, charge, code, now)
    restate(tx, charge)
    access.review_purchase(tx, subscription, now)
