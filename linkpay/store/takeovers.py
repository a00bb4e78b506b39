"""Take-overs: subscriptions at Mollie that become ours, one row for each."""

from collections.abc import Sequence

from sqlalchemy import select

from linkpay.domain.subscription import LIVE
from linkpay.store.db import FOR_CHANGE, Tx, insert_once
from linkpay.store.remembering import current
from linkpay.store.tables import Customer, Member, Plan, Subscription, Takeover


def get(tx: Tx, takeover_id: int) -> Takeover:
    """The take-over as it is now; it must exist."""
    return current(tx, Takeover, takeover_id)


def lock(tx: Tx, takeover_id: int) -> Takeover:
    """The take-over as it is now, held until the end of the transaction."""
    return tx.scalars(
        select(Takeover)
        .where(Takeover.id == takeover_id)
        .with_for_update(**FOR_CHANGE)
        .execution_options(populate_existing=True)
    ).one()


def put(tx: Tx, **values: object) -> Takeover:
    """The row for one subscription at Mollie, made when there is none, held until the transaction's end."""
    insert_once(tx, Takeover, **values)
    return tx.scalars(
        select(Takeover)
        .where(
            Takeover.site_id == values["site_id"],
            Takeover.mollie_subscription_id == values["mollie_subscription_id"],
        )
        .with_for_update(**FOR_CHANGE)
    ).one()


def of_site(tx: Tx, site_id: int) -> Sequence[Takeover]:
    """Every take-over of a site, oldest first."""
    return tx.scalars(select(Takeover).where(Takeover.site_id == site_id).order_by(Takeover.id)).all()


def find(tx: Tx, site_id: int, mollie_subscription_id: str) -> Takeover | None:
    """The take-over of one subscription at Mollie."""
    return tx.scalar(
        select(Takeover).where(
            Takeover.site_id == site_id, Takeover.mollie_subscription_id == mollie_subscription_id
        )
    )


def plans(tx: Tx, site_id: int) -> Sequence[Plan]:
    """The plans that can be bought at a site, in the owner's order."""
    return tx.scalars(
        select(Plan)
        .where(Plan.site_id == site_id, Plan.archived_at.is_(None))
        .order_by(Plan.position, Plan.id)
    ).all()


def payer(tx: Tx, site_id: int, mollie_id: str, email: str) -> Customer | None:
    """The customer who is this one at Mollie, or else the one with this e-mail."""
    at_mollie = tx.scalar(
        select(Customer).where(Customer.site_id == site_id, Customer.mollie_id == mollie_id)
    )
    return at_mollie or tx.scalar(
        select(Customer).where(Customer.site_id == site_id, Customer.email == email)
    )


def runs(tx: Tx, customer_id: int, offer_id: int) -> Subscription | None:
    """A subscription of a customer for an offer that can be charged again one day."""
    return tx.scalar(
        select(Subscription)
        .where(
            Subscription.customer_id == customer_id, Subscription.offer_id == offer_id,
            Subscription.state.in_(LIVE),
        )
        .order_by(Subscription.id)
        .limit(1)
    )  # fmt: skip


def is_blocked(tx: Tx, site_id: int, email: str) -> bool:
    """Whether the owner blocked the member with this e-mail."""
    query = select(Member.id).where(
        Member.site_id == site_id, Member.email == email, Member.blocked_at.is_not(None)
    )
    return tx.scalar(query) is not None
