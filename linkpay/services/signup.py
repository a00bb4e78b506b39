"""Purchases that Kajabi announces: a hint that somebody should get a mandate link, nothing more.

Kajabi gave the access itself, so nothing is granted here; without a mandate in time it is revoked.
"""

from datetime import datetime
from enum import StrEnum

from linkpay.domain.calendar import days_later
from linkpay.domain.subscription import SubscriptionEvent, SubscriptionState
from linkpay.ports import Announcement
from linkpay.services import checkout, letters, lifecycle, ordering, standing
from linkpay.store import grants, journal, people, sites, subscriptions
from linkpay.store.db import FOR_CHANGE, Tx
from linkpay.store.tables import Site
from linkpay.store.tables.people import Access


class Outcome(StrEnum):
    """What an announcement came to."""

    OPENED = "opened"
    UNMAPPED = "unmapped_offer"
    NO_PLAN = "no_plan"
    RUNNING = "already_running"
    OUR_OWN = "our_own_grant"


def open_from_kajabi(tx: Tx, site: Site, purchase: Announcement, now: datetime) -> Outcome:
    """Open a pending subscription for a mapped offer and mail the link that makes the mandate."""
    offer = sites.offer_by_kajabi_id(tx, site.id, purchase.offer_id)
    if offer is None:
        return Outcome.UNMAPPED
    plans = sites.plans(tx, offer)
    if not plans:
        return Outcome.NO_PLAN
    name = purchase.name or purchase.email
    customer = people.customer_for(tx, site.id, purchase.email, name, site.locale, now)
    member = people.member_for(tx, site.id, purchase.email, name, purchase.external_user_id, now)
    tx.refresh(customer, with_for_update=FOR_CHANGE)
    if subscriptions.pending_for(tx, customer.id, offer.id) is not None:
        return Outcome.RUNNING
    owned = subscriptions.of_customer(tx, customer.id, offer.id)
    if any(standing.is_hers(tx, one) for one in owned):
        return Outcome.RUNNING
    grant = grants.find(tx, member.id, offer.id)
    if grant is not None and grant.wanted is Access.GRANTED:
        return Outcome.OUR_OWN
    tried = ordering.had_trial(tx, customer, plans[0]) is not None
    subscription = checkout.open_subscription(
        tx, plans[0], customer, member, "kajabi", now, without_trial=tried
    )
    policy = sites.policy_of(site, subscription.policy)
    ends_at = days_later(now, policy.mandate_days, site.zone)
    checkout.wait_for_mandate(tx, subscription, ends_at, now)
    charge = checkout.first_charge(tx, site, subscription, now)
    journal.record(tx, "signed_up", "kajabi", now, subscription=subscription, plan=plans[0].slug)
    letters.owe(
        tx, "mandate_wanted", subscription, step=f"subscription:{subscription.id}:mandate", now=now,
        charge_id=charge.id, until=ends_at.isoformat(),
    )  # fmt: skip
    return Outcome.OPENED


def expire(tx: Tx, subscription_id: int, now: datetime) -> str:
    """The time for making a mandate is over: end the sign-up and take the access away."""
    subscription = subscriptions.lock(tx, subscription_id)
    if subscription.state is not SubscriptionState.PENDING:
        return "settled"
    lifecycle.end(tx, subscription, SubscriptionEvent.SIGNUP_EXPIRED, "clock", now)
    return "done"
