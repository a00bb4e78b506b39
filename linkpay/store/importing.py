"""What an import looks up and puts in, beside what everybody does."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from linkpay.domain.subscription import LIVE
from linkpay.store.db import Tx, insert_once
from linkpay.store.tables import Base, Coupon, Mandate, Plan, Redemption, Subscription


def plan(tx: Tx, site_id: int, slug: str) -> Plan | None:
    """A plan of this site, archived or not: who runs on it keeps it."""
    return tx.scalar(select(Plan).where(Plan.site_id == site_id, Plan.slug == slug))


def charged_elsewhere(tx: Tx, site_id: int, mollie_mandate_id: str) -> bool:
    """Whether another site here charges this mandate: both would ask for the same money."""
    query = (
        select(Subscription.id)
        .join(Mandate, Mandate.id == Subscription.mandate_id)
        .where(
            Mandate.mollie_id == mollie_mandate_id, Subscription.site_id != site_id,
            Subscription.state.in_(LIVE),
        )
        .limit(1)
    )  # fmt: skip
    return tx.scalar(query) is not None


def put(tx: Tx, table: type[Base], **values: Any) -> bool:
    """Insert unless a unique rule holds such a row already; says whether it did."""
    return insert_once(tx, table, **values) is not None


def put_coupon(tx: Tx, site_id: int, values: dict[str, Any], now: datetime) -> bool:
    """A coupon, unless its code is there."""
    return put(tx, Coupon, site_id=site_id, created_at=now, **values)


def redeem(tx: Tx, subscription: Subscription, row: dict[str, Any], now: datetime) -> None:
    """The coupon of a subscription as it was agreed, whatever the coupon says today."""
    coupon = tx.scalars(
        select(Coupon).where(Coupon.site_id == subscription.site_id, Coupon.code == row["coupon"])
    ).one()
    tx.add(
        Redemption(
            site_id=subscription.site_id, coupon_id=coupon.id, subscription_id=subscription.id,
            kind=row["discount_kind"], value=row["discount_value"], duration=row["discount_duration"],
            periods=row["discount_periods"], counted_at=row["discount_counted_at"], created_at=now,
        )
    )  # fmt: skip


def mandate(tx: Tx, subscription: Subscription) -> Mandate | None:
    """The mandate that a subscription is charged on."""
    return tx.get(Mandate, subscription.mandate_id) if subscription.mandate_id else None
