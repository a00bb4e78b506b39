"""Declarations of withdrawal, as they came in and what became of them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from linkpay.store.db import FOR_CHANGE, Tx, current
from linkpay.store.tables import Withdrawal


def get(tx: Tx, withdrawal_id: int) -> Withdrawal:
    """The declaration as it is now; it must exist."""
    return current(tx, Withdrawal, withdrawal_id)


def by_token(tx: Tx, site_id: int, token: str) -> Withdrawal | None:
    """The declaration whose page carries this secret, as it is now."""
    query = select(Withdrawal).where(Withdrawal.site_id == site_id, Withdrawal.token == token)
    return tx.scalar(query.execution_options(populate_existing=True))


def lock(tx: Tx, withdrawal_id: int) -> Withdrawal:
    """The declaration, held against others who would act on it."""
    return tx.scalars(
        select(Withdrawal)
        .where(Withdrawal.id == withdrawal_id)
        .with_for_update(**FOR_CHANGE)
        .execution_options(populate_existing=True)
    ).one()


def unproven_since(tx: Tx, site_id: int, email: str, since: datetime) -> Sequence[Withdrawal]:
    """What was declared in the name of an address and not proven yet, oldest first."""
    return tx.scalars(
        select(Withdrawal)
        .where(
            Withdrawal.site_id == site_id, Withdrawal.email == email, Withdrawal.received_at > since,
            Withdrawal.proven_at.is_(None),
        )
        .order_by(Withdrawal.id)
    ).all()  # fmt: skip


def of_subscription(tx: Tx, subscription_id: int) -> Withdrawal | None:
    """The declaration by which a contract was withdrawn from."""
    return tx.scalar(
        select(Withdrawal)
        .where(Withdrawal.subscription_id == subscription_id, Withdrawal.done_at.is_not(None))
        .order_by(Withdrawal.id)
        .limit(1)
    )
