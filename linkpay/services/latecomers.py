"""Money of who leaves: a debit that was under way, days left unused, credit left over."""

from datetime import datetime, timedelta

from linkpay.domain.calendar import day_starts_at, local_day
from linkpay.domain.charge import UNSETTLED, ChargeEvent, ChargeState, move
from linkpay.domain.leaving import Unused, unused
from linkpay.domain.pricing import credit_used, from_plain
from linkpay.domain.snapshots import Sequence
from linkpay.services import refunds, standing, withdrawal_money
from linkpay.store import agreements, charges, journal, sites
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Payment, Site, Subscription


def paid_after_the_end(
    tx: Tx, subscription: Subscription, charge: Charge, payment: Payment | None, now: datetime
) -> None:
    """A charge of an ended subscription was paid: by a debit that could not be stopped, or by a person."""
    if agreements.was_withdrawn(tx, subscription.id):
        withdrawal_money.owe(tx, subscription, now)
        return
    if not _was_under_way(subscription, payment):
        journal.need_attention(
            tx, site_id=subscription.site_id, kind="late_paid", subject=f"charge:{charge.id}", now=now,
            detail="A payment came in for a subscription that has ended. It was booked; refund it or agree.",
            charge_id=charge.id, cents=charge.money.kept_cents, currency=charge.currency,
        )  # fmt: skip
        return
    site = sites.get(tx, subscription.site_id)
    policy = sites.policy_of(site, subscription.policy)
    if _left_at_once(subscription, site) and policy.running_debit_on_cancel == "refund":
        refunds.send_back_part(tx, subscription, charge, "canceled", charge.money.kept_cents, now)
    else:
        send_unused_back(tx, subscription, charge, now)


def ask_about_days_paid_anew(tx: Tx, subscription: Subscription, charge: Charge, now: datetime) -> None:
    """Money came for a charge that was let go of: ask a person where its days were paid anew meanwhile."""
    anew = [
        other
        for other in charges.of_subscription(tx, subscription.id)
        if other.id > charge.id
        and not other.is_check
        and other.money.kept_cents > 0
        and other.starts_on < charge.ends_on
        and charge.starts_on < other.ends_on
    ]
    if anew:
        journal.need_attention(
            tx, site_id=subscription.site_id, kind="late_paid", subject=f"charge:{charge.id}", now=now,
            detail="A payment came in for days that were paid anew. It was booked; refund it or agree.",
            charge_id=charge.id, cents=charge.money.kept_cents, currency=charge.currency, problem="anew",
        )  # fmt: skip


def send_unused_back(tx: Tx, subscription: Subscription, charge: Charge, now: datetime) -> None:
    """Money came in for days of which some are left out by a cancellation: owe their refund, if agreed so."""
    asked_at, ends_on = subscription.cancel_asked_at, subscription.cancel_on
    site = sites.get(tx, subscription.site_id)
    if asked_at is None or ends_on is None or not _leaves_days_out(subscription, charge, site):
        return
    stood = standing.of(tx, site, subscription, asked_at)
    by_member = standing.is_member(subscription.canceled_by or "")
    for left_out in unused(stood, ends_on, at_once=False, by_member=by_member):
        if left_out.charge_id == charge.id:
            send_days_back(tx, subscription, left_out, now)


def send_days_back(tx: Tx, subscription: Subscription, left_out: Unused, now: datetime) -> None:
    """Owe the refund of days that are left out: the charge is for the days before them from now on.

    What credit paid of them is credit again, and sent back with what is left of it in the end.
    """
    charge = charges.get(tx, left_out.charge_id)
    if charge.money.kept_cents <= 0 < charge.money.owed_cents:
        return  # its debit is under way: when the money is there
    if left_out.credit_cents:
        agreements.add_credit(
            tx, subscription, left_out.credit_cents, reason="unused", now=now, charge_id=charge.id,
            ref=f"unused:{charge.id}:{left_out.from_on}",
        )  # fmt: skip
    _send_back(tx, subscription, charge, "unused_days", left_out.cents - left_out.credit_cents, now)
    charge.ends_on = left_out.from_on


def _send_back(
    tx: Tx, subscription: Subscription, charge: Charge, reason: str, cents: int, now: datetime
) -> int:
    """Owe some of a charge back, and ask a person to send what came in past Mollie; how much both come to."""
    sent = refunds.send_back_part(tx, subscription, charge, reason, cents, now)
    by_hand = min(cents - sent, max(0, standing.outside_cents(tx, charge)))
    if by_hand > 0:
        journal.ask_to_refund(
            tx, site_id=subscription.site_id, subject=f"charge:{charge.id}", now=now,
            detail="Money goes back that came in past Mollie.", cents=by_hand, problem="by_hand",
            currency=charge.currency,
        )  # fmt: skip
    return sent + by_hand


def give_up_old_days(tx: Tx, subscription: Subscription, paid: Charge) -> None:
    """The new plan is paid for: days of the old one that became credit give nothing more."""
    given_up = agreements.switched_away(tx, subscription.id)
    for charge in charges.of_subscription(tx, subscription.id) if given_up else ():
        if charge.id in given_up and charge.period < paid.period and charge.ends_on > paid.starts_on:
            charge.ends_on = max(paid.starts_on, charge.starts_on + timedelta(days=1))


def credit_to_return(tx: Tx, site: Site, subscription: Subscription) -> int:
    """What of her credit is money that she paid for days she gave up; it goes back when she leaves."""
    if not sites.policy_of(site, subscription.policy).refund_unused_days:
        return 0
    if agreements.was_withdrawn(tx, subscription.id):
        return 0  # it is reckoned in what goes back then
    in_hand = agreements.credit_cents(tx, subscription.id)
    return min(in_hand, agreements.switch_credit_cents(tx, subscription.id))


def send_credit_back(tx: Tx, subscription: Subscription, now: datetime) -> None:
    """It has ended: owe the refund of credit that no charge will use any more, newest payment first."""
    if not agreements.was_withdrawn(tx, subscription.id):
        _take_credit_back(tx, subscription, now)
    cents = credit_to_return(tx, sites.get(tx, subscription.site_id), subscription)
    if cents <= 0:
        return
    ref = f"returned:{now.isoformat()}"
    if not agreements.add_credit(tx, subscription, -cents, reason="returned", ref=ref, now=now):
        return
    for charge in reversed(charges.of_subscription(tx, subscription.id)):
        back = min(cents, max(charge.money.kept_cents, 0))
        if back > 0:
            cents -= _send_back(tx, subscription, charge, "credit_left", back, now)


def _take_credit_back(tx: Tx, subscription: Subscription, now: datetime) -> None:
    """Credit buys nothing in a charge of which nothing was ever paid: it is hers again, and the charge, whose
    price it lowered, is let go. One whose debit is out keeps it until the bank has said what became of it."""
    for charge in charges.of_subscription(tx, subscription.id):
        used = credit_used(from_plain(charge.lines))
        is_open = charge.state in UNSETTLED and not standing.debit_is_out(tx, charge)
        if not used or charge.money.paid_cents or not (is_open or charge.state is ChargeState.VOID):
            continue
        if is_open:
            charge.state = move(charge.state, ChargeEvent.VOIDED)
        agreements.add_credit(
            tx, subscription, used, reason="unpaid", ref=f"unpaid:{charge.id}", now=now, charge_id=charge.id
        )


def _was_under_way(subscription: Subscription, payment: Payment | None) -> bool:
    if payment is None or payment.sequence is not Sequence.RECURRING or subscription.ended_at is None:
        return False
    return subscription.cancel_asked_at is not None and payment.created_at <= subscription.ended_at


def _left_at_once(subscription: Subscription, site: Site) -> bool:
    asked_at = subscription.cancel_asked_at
    return asked_at is not None and subscription.cancel_on == local_day(asked_at, site.zone)


def _leaves_days_out(subscription: Subscription, charge: Charge, site: Site) -> bool:
    ends_at = subscription.access_ends_at
    return ends_at is not None and ends_at < day_starts_at(charge.ends_on, site.zone)
