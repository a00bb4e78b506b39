"""Mandates and their renewals: which one is charged, which one nobody needs any more."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, func, select

from linkpay.domain.snapshots import Sequence as PaymentSequence
from linkpay.domain.subscription import SubscriptionState
from linkpay.store.db import Tx
from linkpay.store.remembering import current
from linkpay.store.tables import Charge, Mandate, Payment, Renewal, Subscription


def get(tx: Tx, mandate_id: int) -> Mandate:
    """The mandate as it is now; it must exist."""
    return current(tx, Mandate, mandate_id)


def given_at(tx: Tx, mandate_id: int) -> datetime | None:
    """When the newest first payment that made a mandate was paid; None where none did, as after an import."""
    return tx.scalar(
        select(func.max(Payment.paid_at)).where(
            Payment.mandate_id == mandate_id, Payment.sequence == PaymentSequence.FIRST
        )
    )


def is_used(tx: Tx, mandate_id: int) -> bool:
    """Whether a subscription that may still be charged names it."""
    query = select(Subscription.id).where(
        Subscription.mandate_id == mandate_id, Subscription.state != SubscriptionState.ENDED
    )
    return bool(tx.scalar(select(exists(query))))


def debit_runs(tx: Tx, mandate_id: int) -> bool:
    """Whether an attempt to collect on it is under way."""
    query = select(Payment.id).where(Payment.mandate_id == mandate_id, Payment.is_open)
    return bool(tx.scalar(select(exists(query))))


def subscriptions_on(tx: Tx, customer_id: int, mandate_id: int) -> list[int]:
    """The subscriptions of a customer that are collected on a mandate, oldest first."""
    return list(
        tx.scalars(
            select(Subscription.id)
            .where(Subscription.customer_id == customer_id, Subscription.mandate_id == mandate_id)
            .order_by(Subscription.id)
        )
    )


def of_customer(tx: Tx, customer_id: int) -> Sequence[Mandate]:
    """All mandates that a customer ever gave, oldest first."""
    return tx.scalars(select(Mandate).where(Mandate.customer_id == customer_id).order_by(Mandate.id)).all()


def newest_subscription(tx: Tx, customer_id: int) -> Subscription | None:
    """The newest purchase of a customer, where what concerns all of hers is written down."""
    return tx.scalar(
        select(Subscription)
        .where(Subscription.customer_id == customer_id)
        .order_by(Subscription.id.desc())
        .limit(1)
    )


def renewal_by_charge(tx: Tx, charge_id: int) -> Renewal | None:
    """The renewal whose check this charge is."""
    return tx.scalar(
        select(Renewal).where(Renewal.charge_id == charge_id).execution_options(populate_existing=True)
    )


def renewal_by_token(tx: Tx, site_id: int, token: str) -> tuple[Renewal, Charge] | None:
    """The renewal whose page carries this secret, with its check."""
    row = tx.execute(
        select(Renewal, Charge)
        .join(Charge, Charge.id == Renewal.charge_id)
        .where(Charge.site_id == site_id, Charge.token == token)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def checks(tx: Tx, subscription_id: int) -> Sequence[Charge]:
    """The checks of a subscription's accounts, newest first."""
    return tx.scalars(
        select(Charge)
        .join(Renewal, Renewal.charge_id == Charge.id)
        .where(Charge.subscription_id == subscription_id)
        .order_by(Charge.period)
        .execution_options(populate_existing=True)
    ).all()
