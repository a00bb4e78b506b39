"""What a running membership brings in a month, and that it became another amount."""

from datetime import datetime

from linkpay.domain.metrics import monthly
from linkpay.domain.plan import PlanKind
from linkpay.store.db import Tx
from linkpay.store.tables import Subscription, WorthChange


def of(subscription: Subscription) -> int:
    """What it comes to in a month, in cents, before coupons and credit."""
    return round(monthly(subscription.amount_cents, subscription.terms.interval))


def changed(tx: Tx, subscription: Subscription, before_cents: int, now: datetime) -> None:
    """Write down that it brought another amount before, where it did. Caller holds the lock."""
    is_running = subscription.kind is PlanKind.MEMBERSHIP and subscription.started_at is not None
    if is_running and of(subscription) != before_cents:
        tx.add(
            WorthChange(
                site_id=subscription.site_id, subscription_id=subscription.id, before_cents=before_cents,
                after_cents=of(subscription), created_at=now,
            )
        )  # fmt: skip
