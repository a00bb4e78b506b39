"""Collecting a charge on its mandate: preparing the attempt, and each stroke around the call.

Row, call, answer. The attempt and its key are committed before anything is sent; the call happens
outside any transaction; the answer is booked by `settlement`. See docs/adr for why.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from linkpay.domain.charge import ChargeState
from linkpay.domain.money import Money
from linkpay.domain.snapshots import FINAL, MandateStatus, PaymentSnapshot, PaymentStatus, Sequence
from linkpay.domain.strokes import Move, NextMove, next_move
from linkpay.domain.subscription import LIVE, SubscriptionState
from linkpay.ports import PaymentOrder
from linkpay.services import charging
from linkpay.store import charges, sites, subscriptions, work
from linkpay.store.db import Tx
from linkpay.store.remembering import held
from linkpay.store.tables import Charge, Customer, Mandate, Offer, Payment, Subscription
from linkpay.store.tables.money import Stroke

_NOT_CHARGED = frozenset({SubscriptionState.PENDING, SubscriptionState.SUSPENDED, SubscriptionState.PAUSED})


def new_payment(
    tx: Tx, subscription: Subscription, charge: Charge, sequence: Sequence, now: datetime
) -> Payment:
    """A prepared attempt with its key. The database refuses a second open one for the charge."""
    return charges.new_payment(
        tx,
        site_id=subscription.site_id,
        charge_id=charge.id,
        customer_id=subscription.customer_id,
        # Names the period at Mollie, too: books that were lost are found again by it.
        uid=f"{subscription.id}.{charge.period}.{uuid.uuid4().hex[:12]}"[:36],
        sequence=sequence,
        mandate_id=subscription.mandate_id if sequence is Sequence.RECURRING else None,
        amount_cents=charge.money.owed_cents,
        currency=charge.currency,
        idempotency_key=str(uuid.uuid4()),
        created_at=now,
    )


def has_mandate(tx: Tx, subscription: Subscription) -> bool:
    """Whether there is a mandate that may be debited."""
    mandate = held(tx, Mandate, subscription.mandate_id) if subscription.mandate_id else None
    return mandate is not None and mandate.may_be_tried


def prepare(tx: Tx, subscription: Subscription, charge: Charge, now: datetime) -> bool:
    """Owe one debit of the charge; False when there is no mandate to debit."""
    if not has_mandate(tx, subscription):
        return False
    payment = new_payment(tx, subscription, charge, Sequence.RECURRING, now)
    work.add(
        tx, site_id=subscription.site_id, kind="send_payment", ref=payment.uid, target_id=payment.id,
        run_at=now, now=now,
    )  # fmt: skip
    return True


@dataclass(frozen=True, slots=True)
class Sending:
    """One attempt that this worker may send now. `next` says what to do; `order` is what to send.

    `repeated` when this key was on the wire before, so that a refusal now proves nothing about then.
    """

    payment_id: int
    uid: str
    site_id: int
    key: str
    order: PaymentOrder
    next: NextMove
    claimed_at: datetime
    repeated: bool


def claim(tx: Tx, payment_id: int, *, key: str, base_url: str, now: datetime) -> Sending | None:
    """Claim an attempt to send it, committing the moment its key is first used.

    None when it must not be sent: decided already, or its reason went away before the first send.
    `key` is the site's Mollie key.
    """
    subscription = subscriptions.lock_for_payment(tx, payment_id)
    payment = charges.payment(tx, payment_id)
    if payment.key_used_at is None and not still_wanted(tx, subscription, payment):
        let_go(charges.get(tx, payment.charge_id), payment)
        return None
    if not charges.claim_payment(tx, payment_id, now):
        return None
    move = next_move(payment.key_used_at, now)
    repeated = payment.key_used_at is not None
    if move.move is Move.SEND and not repeated:
        payment.key_used_at = now
    return Sending(
        payment.id, payment.uid, payment.site_id, key, _order(tx, subscription, payment, base_url),
        move, now, repeated,
    )  # fmt: skip


def reading(tx: Tx, payment: Payment, key: str, base_url: str, now: datetime) -> Sending:
    """What to look for at Mollie when nothing may be sent."""
    subscription = tx.get_one(Subscription, charges.get(tx, payment.charge_id).subscription_id)
    order = _order(tx, subscription, payment, base_url)
    return Sending(payment.id, payment.uid, payment.site_id, key, order, NextMove(Move.SEARCH), now, True)


def still_wanted(tx: Tx, subscription: Subscription, payment: Payment) -> bool:
    """Whether an attempt that was never sent may be: who leaves owes the periods before her last day,
    and is not debited once more for what failed."""
    charge = charges.get(tx, payment.charge_id)
    if not charging.awaits_payer(subscription, charge):
        return False
    if payment.sequence is not Sequence.RECURRING:
        return True
    if subscription.state is SubscriptionState.CANCELING and subscription.cancel_on is not None:
        return charge.failed_at is None and charge.starts_on < subscription.cancel_on
    return subscription.state in LIVE and subscription.state not in _NOT_CHARGED


def let_go(charge: Charge, payment: Payment) -> None:
    """An attempt is not to be sent any more, and no other takes its place by itself."""
    refuse(payment)
    if charge.state is ChargeState.COLLECTING:
        charge.state = ChargeState.FAILED if charge.failed_at else ChargeState.VOID


def mandate_of(tx: Tx, payment: Payment) -> Mandate | None:
    """The mandate that an attempt names."""
    return held(tx, Mandate, payment.mandate_id) if payment.mandate_id else None


def mandate_refused(payment: Payment, mandate: Mandate | None) -> bool:
    """Whether the mandate of an attempt that was not sent yet was refused for good meanwhile."""
    return mandate is not None and mandate.unusable_at is not None and payment.key_used_at is None


def unproven_mandate(tx: Tx, payment: Payment, mandate: Mandate | None) -> tuple[str, str] | None:
    """(customer, mandate) at Mollie when the attempt names a mandate that we do not know as valid.

    Mollie may leave a mandate pending for a while after the first payment was paid.
    """
    if mandate is None or mandate.status is MandateStatus.VALID or not payment.is_open:
        return None
    customer = held(tx, Customer, payment.customer_id)
    return customer.mollie_id or "", mandate.mollie_id


def _order(tx: Tx, subscription: Subscription, payment: Payment, base_url: str) -> PaymentOrder:
    site = sites.get(tx, payment.site_id)
    charge = charges.get(tx, payment.charge_id)
    customer = held(tx, Customer, payment.customer_id)
    offer = held(tx, Offer, subscription.offer_id)
    mandate = mandate_of(tx, payment)
    by_person = payment.sequence is not Sequence.RECURRING
    page = f"portal/renewals/{charge.token}" if charge.is_check else f"order/{subscription.token}"
    return PaymentOrder(
        idempotency_key=payment.idempotency_key,
        amount=Money(payment.amount_cents, payment.currency),
        description=f"{offer.title} {charge.starts_on.isoformat()}"[:255],
        sequence=payment.sequence,
        webhook_url=f"{base_url}/webhooks/mollie/{site.token}",
        customer_id=customer.mollie_id,
        mandate_id=mandate.mollie_id if mandate else None,
        method=charging.proof_method(charge) if payment.sequence is Sequence.FIRST else None,
        redirect_url=f"{base_url}/{site.slug}/{page}" if by_person else None,
        locale={"nl": "nl_NL", "en": "en_GB"}.get(customer.locale) if by_person else None,
        metadata={"linkpay": payment.uid},
    )


def refuse(payment: Payment) -> None:
    """This attempt never happened and never will."""
    payment.stroke, payment.is_open = Stroke.REFUSED, False


def outcome_unknown(tx: Tx, payment_id: int) -> None:
    """It was sent and no answer came: to be resolved by repeating the key, then by reading."""
    payment = charges.payment(tx, payment_id)
    if payment.stroke is Stroke.SENDING:
        payment.stroke = Stroke.UNKNOWN


def renew_key(tx: Tx, payment_id: int) -> None:
    """Nothing of ours was found at Mollie after the quiet time: the next send is a new request."""
    payment = charges.payment(tx, payment_id)
    if payment.mollie_id is None and payment.is_open:
        payment.idempotency_key, payment.key_used_at = str(uuid.uuid4()), None
        payment.stroke = Stroke.PREPARED


#: A paid SEPA debit may still fail for five business days (Mollie); afterwards only chargebacks come.
_DEBIT_MAY_FAIL = timedelta(days=8)

#: A payment younger than this is not polled because its buyer looks: the webhook is on its way.
LOOK_AFTER_SECONDS = 5

#: When a payment that nothing was heard of is looked at: minutes after it was made.
POLL_MINUTES = (1, 2, 5, 10, 15, 20, 25, 30, 60, 360)


def next_poll_at(created_at: datetime, now: datetime, due_on: date | None = None) -> datetime:
    """The next moment of the poll schedule after `now`: the listed minutes, then daily.

    A SEPA debit is decided by the bank the day after `due_on` at the earliest (Mollie's recurring
    guide); asking before that only spends the provider's patience, so its schedule begins there.
    """
    if due_on is not None:
        decided_at = datetime.combine(due_on + timedelta(days=1), time(12), UTC)
        return decided_at if decided_at > now else now + timedelta(days=1)
    for minutes in POLL_MINUTES:
        at = created_at + timedelta(minutes=minutes)
        if at > now:
            return at
    days = (now - created_at) // timedelta(days=1) + 1
    return created_at + timedelta(days=days)


def next_look_at(seen: PaymentSnapshot, created_at: datetime, now: datetime) -> datetime | None:
    """When to look at a payment again that was just seen so.

    None when only refunds and chargebacks can follow, which the daily watch over the site finds.
    """
    if seen.status is PaymentStatus.PAID and seen.method == "directdebit":
        settled_at = (seen.paid_at or seen.created_at) + _DEBIT_MAY_FAIL
        return settled_at if settled_at > now else None
    if seen.status in FINAL:
        return None
    return next_poll_at(created_at, now, seen.due_on)


def owe_stop(tx: Tx, payment: Payment, now: datetime) -> None:
    """Have a payment that is under way stopped; what comes in all the same is sent back."""
    work.add(
        tx, site_id=payment.site_id, kind="stop_payment", ref=payment.uid, target_id=payment.id,
        run_at=now, now=now,
    )  # fmt: skip


def follow(tx: Tx, attempt: Payment, seen: PaymentSnapshot, now: datetime) -> None:
    """See to it that what was just booked as seen is looked at again if no webhook ever comes: the attempt,
    or another payment that Mollie made of it."""
    is_its_own = attempt.mollie_id == seen.id
    payment = attempt if is_its_own else charges.payment_by_mollie_id(tx, attempt.site_id, seen.id)
    if payment is None:
        return
    look_at = next_look_at(seen, payment.created_at, now)
    if look_at is None:
        work.needless(tx, "poll_payment", payment.uid, now)
    else:
        _owe_poll(tx, payment, look_at, now)


def owe_poll(tx: Tx, payment: Payment, now: datetime) -> None:
    """See to it that a payment that nobody has seen yet is looked at, even if no webhook ever comes."""
    _owe_poll(tx, payment, next_poll_at(payment.created_at, now), now)


def _owe_poll(tx: Tx, payment: Payment, at: datetime, now: datetime) -> None:
    work.schedule(
        tx, site_id=payment.site_id, kind="poll_payment", ref=payment.uid, target_id=payment.id,
        run_at=at, now=now,
    )  # fmt: skip
