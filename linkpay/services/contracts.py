"""What a customer can withdraw from, until when, and what would come of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from linkpay.domain.calendar import local_day
from linkpay.domain.money import Money
from linkpay.domain.order_number import order_number, same_number
from linkpay.domain.subscription import SubscriptionState
from linkpay.domain.withdrawal import in_time, last_day
from linkpay.services import standing, withdrawal_money
from linkpay.store import agreements, charges, foresight, journal, people, sites, subscriptions
from linkpay.store.db import Tx
from linkpay.store.tables import Offer, Site, Subscription


@dataclass(frozen=True, slots=True)
class Contract:
    """One purchase, as the page about withdrawing names it.

    `last_on` is the last day on which it can be withdrawn from; `in_time` speaks of the declaration.
    """

    subscription_id: int
    token: str
    number: str
    offer_title: str
    agreed_on: date
    last_on: date
    in_time: bool


@dataclass(frozen=True, slots=True)
class Coming:
    """What comes of withdrawing: money that goes back by itself and by the seller's hand, and whether a
    debit under way is stopped or sent back. `pro_rata` says that days used are paid for."""

    refund: Money
    by_hand: Money
    pro_rata: bool
    debit_runs: bool


def of_customer(tx: Tx, site: Site, email: str, received_at: datetime) -> list[Contract]:
    """Everything that the customer with this address bought and did not withdraw from, newest first."""
    customer = people.customer_by_email(tx, site.id, email)
    if customer is None:
        return []
    bought = subscriptions.of_payer(tx, customer.id)
    foresight.contracts(tx, bought)
    found = [contract(tx, site, one, received_at) for one in reversed(bought) if _is_contract(tx, one)]
    return [one for one in found if one is not None]


def contract(tx: Tx, site: Site, subscription: Subscription, received_at: datetime) -> Contract | None:
    """A purchase with its days; None for one whose contract was made elsewhere, before it came here."""
    agreed_at = _agreed_at(tx, subscription)
    if agreed_at is None:
        return None
    days, agreed_on = _days(tx, site, subscription), local_day(agreed_at, site.zone)
    return Contract(
        subscription.id, subscription.token, order_number(subscription.token),
        tx.get_one(Offer, subscription.offer_id).title, agreed_on, last_day(agreed_on, days),
        in_time(agreed_at, received_at, days=days, zone=site.zone),
    )  # fmt: skip


def open_for(tx: Tx, site: Site, subscription: Subscription, now: datetime) -> Contract | None:
    """The contract of a purchase that can be withdrawn from at this moment; None where it cannot."""
    found = contract(tx, site, subscription, now) if _is_contract(tx, subscription) else None
    return found if found is not None and found.in_time else None


def open_tokens(tx: Tx, site: Site, customer_id: int | None, now: datetime) -> frozenset[str]:
    """The purchases of a customer that can be withdrawn from at this moment, by the secret of their pages."""
    bought = subscriptions.of_payer(tx, customer_id) if customer_id is not None else ()
    foresight.contracts(tx, bought)
    return frozenset(one.token for one in bought if open_for(tx, site, one, now) is not None)


def meant(contracts: Sequence[Contract], reference: str) -> Contract | None:
    """The one that somebody means by an order number or by what she calls it; None where that is not sure."""
    for one in contracts:
        if same_number(reference, one.token):
            return one
    named = [one for one in contracts if one.offer_title.casefold() in reference.casefold()]
    found = named or list(contracts)
    return found[0] if len(found) == 1 else None


def preview(tx: Tx, subscription_id: int, received_at: datetime) -> Coming:
    """What withdrawing from it by a declaration of that moment comes to, changing nothing."""
    subscription = subscriptions.get(tx, subscription_id)
    due = withdrawal_money.due(tx, subscription, received_at)
    made = [] if subscription.paid_within_id else charges.of_subscription(tx, subscription.id)
    return Coming(
        Money(due.cents, subscription.currency), Money(due.by_hand_cents, subscription.currency),
        due.pro_rata and subscription.started_at is not None,
        any(standing.debit_is_out(tx, charge) for charge in made),
    )  # fmt: skip


def _is_contract(tx: Tx, subscription: Subscription) -> bool:
    if agreements.was_withdrawn(tx, subscription.id):
        return False
    return subscription.started_at is not None or subscription.state is SubscriptionState.PENDING


def _agreed_at(tx: Tx, subscription: Subscription) -> datetime | None:
    """When the contract that stands was made: when its first payment came, or when it was begun anew."""
    again = journal.last_event_at(tx, subscription.id, "reactivated")
    if again is not None:
        return again
    started_at = subscription.started_at
    taken_over = subscription.origin == "import" and started_at is not None
    if taken_over and started_at is not None and started_at >= subscription.created_at:
        return None
    return started_at or subscription.created_at


def _days(tx: Tx, site: Site, subscription: Subscription) -> int:
    """The days that she has: those that count now, or those that she was told if they were more."""
    asked = [one for one in people.consents(tx, subscription.id) if one.kind == "start_at_once"]
    told = [int(one.data.get("days", 0)) for one in asked]
    return max([sites.policy_of(site, subscription.policy).withdrawal_days, *told])
