"""What goes back to who withdraws: reckoned from all that came in, sent once, and again when more lands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

from linkpay.domain.calendar import local_day
from linkpay.domain.plan import PlanKind
from linkpay.domain.withdrawal import Bought, Held, due_back, spread
from linkpay.services import refunds, standing
from linkpay.store import agreements, charges, journal, people, sites, withdrawals
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Payment, Subscription

REASON = withdrawals.REASON


@dataclass(frozen=True, slots=True)
class Due:
    """What goes back by itself, and what a person has to send, since it came in past Mollie.

    `pro_rata` says that the days used are paid for.
    """

    cents: int
    by_hand_cents: int
    pro_rata: bool


def due(tx: Tx, subscription: Subscription, received_at: datetime) -> Due:
    """What is due now to who withdraws from this contract by a declaration of that moment."""
    pro_rata = _pays_for_days(tx, subscription)
    if subscription.paid_within_id is not None:
        return Due(_of_extra(tx, subscription), 0, False)
    made = charges_of(tx, subscription)
    paid = _payments(tx, made)
    before = sum(_sent_before(tx, charge) for charge in made)
    zone = sites.get(tx, subscription.site_id).zone
    bought = _bought(tx, subscription, made)
    in_hand = agreements.credit_cents(tx, subscription.id)
    in_hand = min(in_hand, sum(agreements.credit_given(tx, subscription.id).values()))
    whole = due_back(bought, local_day(received_at, zone), pro_rata=pro_rata) + in_hand
    open_cents = max(0, whole - before)
    held = sum(cents for _, cents in paid)
    outside = sum(max(0, standing.outside_cents(tx, charge)) for charge in made)
    cents = min(open_cents, held)
    return Due(cents, min(open_cents - cents, outside), pro_rata)


def owe(tx: Tx, subscription: Subscription, now: datetime) -> None:
    """Owe what is due of a contract that was withdrawn from. Caller holds the lock; again owes nothing."""
    withdrawal = withdrawals.of_subscription(tx, subscription.id)
    if withdrawal is None:
        return
    found = due(tx, subscription, withdrawal.received_at)
    if subscription.paid_within_id is not None:
        charge = charges.get(tx, subscription.paid_within_id)
        reason = _extra_reason(subscription)
        refunds.send_back_part(tx, subscription, charge, reason, found.cents, now)
        return
    payments = {payment.id: (payment, held) for payment, held in _payments(tx, charges_of(tx, subscription))}
    held = [Held(key, cents, payment.paid_at or now) for key, (payment, cents) in payments.items()]
    for payment_id, cents in spread(found.cents, held):
        payment = payments[payment_id][0]
        reason = _reason(tx, payment)
        refunds.send_back(tx, subscription, payment, reason, cents, now)
    if found.by_hand_cents:
        journal.need_attention(
            tx, site_id=subscription.site_id, kind="withdrawal", now=now,
            subject=f"subscription:{subscription.id}", problem="by_hand", currency=subscription.currency,
            detail="A withdrawal gives money back that came in past Mollie.", cents=found.by_hand_cents,
            email=withdrawal.email,
        )  # fmt: skip


def charges_of(tx: Tx, subscription: Subscription) -> list[Charge]:
    """The charges of the contract that stands: of one that was begun anew, only what came after that."""
    again = journal.last_event_at(tx, subscription.id, "reactivated")
    made = charges.of_subscription(tx, subscription.id)
    return [charge for charge in made if again is None or charge.created_at >= again]


def _pays_for_days(tx: Tx, subscription: Subscription) -> bool:
    """Whether she asked for a start at once knowing that she would pay for the days; the kinder of what
    she read then and what counts now."""
    policy = sites.policy_of(sites.get(tx, subscription.site_id), subscription.policy)
    asked = [one for one in people.consents(tx, subscription.id) if one.kind == "start_at_once"]
    told = all(one.data.get("refund", "pro_rata") == "pro_rata" for one in asked)
    return policy.withdrawal_refund == "pro_rata" and bool(asked) and told


def _bought(tx: Tx, subscription: Subscription, made: Sequence[Charge]) -> list[Bought]:
    given = agreements.credit_given(tx, subscription.id)
    lasts = subscription.kind is PlanKind.MEMBERSHIP
    found = []
    for charge, later in zip_longest(made, made[1:]):
        span, away = standing.span(charge), given.get(charge.id, 0)
        back = _sent_for(tx, charge, "unused_days") + standing.asked_by_hand(tx, charge)
        # A switch at once begins its new period within the old one.
        cut = later is not None and charge.starts_on < later.starts_on < charge.ends_on
        ends_on = later.starts_on if later is not None and cut else charge.ends_on
        put_in = _came_in(tx, charge) + span.credit_cents - away
        by_day = max(0, span.worth_cents - away - back)
        found.append(Bought(put_in, by_day, charge.starts_on, ends_on, lasts))
    return found


def _came_in(tx: Tx, charge: Charge) -> int:
    """What was paid and kept, as if this withdrawal had sent nothing back yet."""
    held = sum(refunds.held_cents(tx, payment) for payment in charges.payments(tx, charge.id))
    return held + standing.outside_cents(tx, charge) + _sent_before(tx, charge)


def _sent_before(tx: Tx, charge: Charge) -> int:
    return _sent_for(tx, charge, REASON)


def _sent_for(tx: Tx, charge: Charge, reason: str) -> int:
    sent = charges.refunds_of(tx, charge.id)
    return sum(one.amount_cents for one in sent if one.reason.partition(":")[0] == reason)


def _payments(tx: Tx, made: Sequence[Charge]) -> list[tuple[Payment, int]]:
    paid = [one for charge in made for one in charges.payments(tx, charge.id) if one.paid_at is not None]
    return [(payment, max(0, refunds.held_cents(tx, payment))) for payment in paid]


def _reason(tx: Tx, payment: Payment) -> str:
    sent = [one for one in charges.refunds_of(tx, payment.charge_id) if one.payment_id == payment.id]
    count = sum(one.reason.partition(":")[0] == REASON for one in sent)
    return f"{REASON}:{count}" if count else REASON


def _of_extra(tx: Tx, extra: Subscription) -> int:
    """The price of an extra alone, out of the charge that it was paid within."""
    assert extra.paid_within_id is not None  # noqa: S101 - only extras are asked about
    if charges.refunds_for(tx, extra.paid_within_id, _extra_reason(extra)):
        return 0
    paid = charges.payments(tx, extra.paid_within_id)
    return min(extra.amount_cents, sum(max(0, refunds.held_cents(tx, payment)) for payment in paid))


def _extra_reason(extra: Subscription) -> str:
    return f"{withdrawals.EXTRA_REASON}{extra.id}"
