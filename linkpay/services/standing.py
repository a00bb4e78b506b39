"""Where a subscription stands, in the terms of the rules about leaving, pausing and switching."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from linkpay.domain.calendar import local_day
from linkpay.domain.leaving import PaidSpan, Series, Standing
from linkpay.domain.pricing import LineKind, credit_used, from_plain
from linkpay.domain.snapshots import PaymentStatus
from linkpay.domain.subscription import LIVE, SubscriptionState
from linkpay.store import agreements, charges, grants, journal, ledger, price_changes, sites
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Site, Subscription
from linkpay.store.tables.people import Access

_WAITING = frozenset({SubscriptionState.PENDING, SubscriptionState.SUSPENDED, SubscriptionState.PAUSED})
#: What of a charge buys its days; fees, extras and checks buy something else.
_FOR_DAYS = frozenset({LineKind.PERIOD, LineKind.TRIAL, LineKind.DISCOUNT})


def of(tx: Tx, site: Site, subscription: Subscription, now: datetime) -> Standing:
    """The facts by which is decided how this subscription may be left."""
    today = local_day(now, site.zone)
    made = charges.of_subscription(tx, subscription.id)
    given_up = agreements.switched_away(tx, subscription.id)
    to_come = [charge for charge in made if charge.ends_on > today and charge.id not in given_up]
    # One that was paid past Mollie meanwhile buys nothing more: it goes back by itself.
    running = [charge for charge in to_come if charge.money.owed_cents and debit_is_out(tx, charge)]
    policy, bound = sites.policy_of(site, subscription.policy), subscription.bound_until
    cut_on = cut_short_on(subscription, made)
    days = series(subscription)
    if cut_on is not None and days is not None:
        days = replace(days, anchor_on=cut_on, anchor_index=days.next_index)
    # Whom a higher price was told may leave before it counts, whatever term and notice were agreed.
    way_out = price_changes.way_out(tx, subscription, today)
    return Standing(
        kind=subscription.kind,
        policy=replace(policy, cancel_notice_days=0) if way_out else policy,
        now=now,
        zone=site.zone,
        series=days,
        paid_until=cut_on or subscription.next_charge_on,
        bound_until=min(bound, way_out) if bound and way_out else bound,
        in_trial=subscription.trial_days > 0 and subscription.next_index == 0,
        renewed=_renewed(tx, subscription, made),
        is_waiting=subscription.state in _WAITING,
        paid=[_held_span(tx, charge) for charge in to_come if charge.money.owed_cents == 0],
        running=span(running[-1], expected=True) if running else None,
        charged_until=made[-1].ends_on if made else None,
    )


def is_member(actor: str) -> bool:
    """Whether the member herself acts, on whom the agreed terms are binding; others speak for the owner."""
    return actor.split(":", 1)[0] == "member"


def is_sellers(actor: str | None) -> bool:
    """Whether somebody is known to have done it, and it was not the member herself."""
    return actor is not None and not is_member(actor)


def is_hers(tx: Tx, owned: Subscription) -> bool:
    """Whether it makes buying the same again a mistake: it runs, or its access is for ever.

    Who got back everything that she paid has no access any more, so she may buy again.
    """
    if owned.state in LIVE:
        return True
    grant = grants.find(tx, owned.member_id, owned.offer_id)
    completed = owned.state is SubscriptionState.COMPLETED
    return completed and grant is not None and grant.wanted is Access.GRANTED


def series(subscription: Subscription) -> Series | None:
    """The days of its periods; None before it began."""
    if subscription.anchor_on is None:
        return None
    return Series(
        subscription.anchor_on,
        subscription.anchor_index,
        subscription.next_index,
        subscription.terms.interval,
    )


def cut_short_on(subscription: Subscription, made: Sequence[Charge]) -> date | None:
    """The first day behind a last period that was charged for some of its days only; None where all were."""
    days, next_on = series(subscription), subscription.next_charge_on
    if days is None or next_on is None or not made:
        return None
    last = made[-1]
    is_its_start = last.starts_on == days.starts_on(days.next_index - 1)
    return last.ends_on if is_its_start and last.ends_on < next_on else None


def span(charge: Charge, *, expected: bool = False) -> PaidSpan:
    """The days of a charge and what they cost; `expected` counts what is still to come in as kept."""
    lines = from_plain(charge.lines)
    worth = sum(line.cents for line in lines if line.kind in _FOR_DAYS) if lines else charge.amount_cents
    kept = charge.money.kept_cents + (charge.money.owed_cents if expected else 0)
    used = credit_used(lines)
    return PaidSpan(charge.id, charge.starts_on, charge.ends_on, max(worth, 0), kept, used)


def _held_span(tx: Tx, charge: Charge) -> PaidSpan:
    """The days of a paid charge, of which nothing is kept that is on its way back, or credit again."""
    found = span(charge)
    under_way = sum(charges.refunds_under_way(tx, charge.id).values()) + asked_by_hand(tx, charge)
    again = agreements.credit_given(tx, charge.subscription_id).get(charge.id, 0) if found.credit_cents else 0
    return replace(
        found, kept_cents=found.kept_cents - under_way, credit_cents=max(0, found.credit_cents - again)
    )


def outside_cents(tx: Tx, charge: Charge) -> int:
    """What of a charge came in past Mollie and no person was asked to send back."""
    return ledger.outside_cents(tx, charge.id) - asked_by_hand(tx, charge)


def asked_by_hand(tx: Tx, charge: Charge) -> int:
    """What of a charge people were asked to send back, since it came in past Mollie."""
    # One that was paid and failed after all brought nothing.
    paid = [one for one in charges.payments(tx, charge.id) if one.status is PaymentStatus.PAID]
    if charge.paid_cents <= sum(payment.amount_cents for payment in paid):
        return 0  # all came by Mollie
    return journal.asked_to_refund(tx, charge.site_id, f"charge:{charge.id}")


def debit_is_out(tx: Tx, charge: Charge) -> bool:
    """Whether a debit of the charge may be at Mollie, so that it can no longer be taken back here."""
    payment = charges.open_payment(tx, charge.id)
    return payment is not None and charges.debit_runs(payment) and payment.key_used_at is not None


def _renewed(tx: Tx, subscription: Subscription, made: Sequence[Charge]) -> bool:
    switched_at = journal.last_event_at(tx, subscription.id, "switched")
    of_this_plan = [
        charge
        for charge in made
        if charge.period >= 0 and (switched_at is None or charge.created_at >= switched_at)
    ]
    return len(of_this_plan) > 1
