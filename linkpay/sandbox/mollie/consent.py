"""The life of mandates: revoked by the merchant, broken by the bank, picked by Mollie."""

from datetime import datetime

from linkpay.sandbox.records import Mandate, Subscription
from linkpay.sandbox.world import World

BREAKING_REASONS = frozenset({"AC01", "AC04", "AC06", "MD01", "MD06", "MD07"})


def revoke(world: World, mandate: Mandate, now: datetime) -> None:
    """Withdraw a mandate; the subscriptions that stand on it end."""
    if mandate.revoked_at is not None:
        return
    mandate.revoked_at, mandate.status = now, "invalid"
    world.books.mandates.save(mandate)
    for subscription in world.books.subscriptions.where("customer_id", mandate.customer_id):
        stands = subscription.mandate_id is None and usable(world, mandate.customer_id) is not None
        if subscription.status in ("active", "pending") and not stands:
            if subscription.mandate_id not in (mandate.id, None):
                continue
            end_subscription(world, subscription, now)


def end_subscription(world: World, subscription: Subscription, now: datetime) -> None:
    """Cancel a subscription for good; the mandate stays."""
    subscription.status, subscription.canceled_at, subscription.next_on = "canceled", now, None
    world.books.cancel_timers(subscription.id)
    world.books.subscriptions.save(subscription)


def usable(world: World, customer_id: str, method: str | None = None) -> Mandate | None:
    """The newest valid mandate of a customer (for `method`), which is the one Mollie picks by itself."""
    for mandate in reversed(world.books.mandates.where("customer_id", customer_id)):
        if mandate.status == "valid" and method in (None, mandate.method):
            return mandate
    return None


def invalidate(world: World, mandate_id: str | None) -> None:
    """The bank no longer honours a mandate; nobody is told."""
    mandate = world.books.mandates.get(mandate_id)
    if mandate is not None and mandate.revoked_at is None:
        mandate.status = "invalid"
        world.books.mandates.save(mandate)
