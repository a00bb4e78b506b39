"""Links by which one customer can buy one plan by one click, and what was sold so on a mandate.

A secret is made here, handed out once, and kept as a hash.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update

from linkpay.store.db import FOR_CHANGE, Tx, core
from linkpay.store.tables import Subscription, Upsell

#: How long a link can be used.
LIFE = timedelta(days=14)


def make(
    tx: Tx, *, site_id: int, customer_id: int, plan_id: int, now: datetime, mandate_id: int | None = None
) -> str:
    """Make a link; the secret in its address, which nobody can ever read here. With `mandate_id` it charges
    no other mandate."""
    secret = secrets.token_urlsafe(32)
    tx.add(
        Upsell(
            site_id=site_id, hash=_hash(secret), customer_id=customer_id, plan_id=plan_id,
            mandate_id=mandate_id, expires_at=now + LIFE, created_at=now,
        )
    )  # fmt: skip
    tx.flush()
    return secret


def find(tx: Tx, site_id: int, secret: str, *, held: bool = False) -> Upsell | None:
    """The link with this secret, as it is now; held against others who press it."""
    query = select(Upsell).where(Upsell.site_id == site_id, Upsell.hash == _hash(secret))
    query = query.execution_options(populate_existing=True)
    return tx.scalar(query.with_for_update(**FOR_CHANGE) if held else query)


def close_all(tx: Tx, customer_id: int, now: datetime) -> None:
    """Links by which a customer could still buy open nothing any more."""
    tx.execute(
        update(core(Upsell))
        .where(
            core(Upsell).c.customer_id == customer_id, core(Upsell).c.subscription_id.is_(None),
            core(Upsell).c.expires_at > now,
        )
        .values(expires_at=now)
    )  # fmt: skip


def sold_on(tx: Tx, mandate_id: int, since: datetime) -> Sequence[Subscription]:
    """What was bought by one click on a mandate since then, and stands."""
    return tx.scalars(
        select(Subscription).where(
            Subscription.mandate_id == mandate_id, Subscription.origin == "upsell",
            Subscription.created_at >= since,
        )
    ).all()  # fmt: skip


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
