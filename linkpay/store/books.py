"""Our side of the comparison with Mollie's books, and the reports of it."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, case, func, select

from linkpay.domain.books import Booked, Kept
from linkpay.domain.ledger import EntryKind
from linkpay.store.db import Tx
from linkpay.store.tables import BookCheck, LedgerEntry, Payment

_K = EntryKind
_AT_ONCE = 500  # ids in one statement


def booked(tx: Tx, site_id: int, mollie_ids: Collection[str]) -> dict[str, Booked]:
    """What the ledger holds of each of these payments that we know."""
    found: dict[str, Booked] = {}
    wanted = sorted(mollie_ids)
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        for mollie_id, status, paid, refunded, charged_back in tx.execute(
            _BOOKED, {"site": site_id, "ids": part}
        ):
            found[str(mollie_id)] = Booked(status, Kept(int(paid), int(refunded), int(charged_back)))
    return found


def _sum(*kinds: EntryKind) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((LedgerEntry.kind.in_(kinds), LedgerEntry.amount_cents), else_=0)), 0)


_BOOKED = (
    select(
        Payment.mollie_id, Payment.status, _sum(_K.PAYMENT, _K.PAYMENT_UNDONE),
        -_sum(_K.REFUND, _K.REFUND_UNDONE), -_sum(_K.CHARGEBACK, _K.CHARGEBACK_UNDONE),
    )
    .outerjoin(LedgerEntry, LedgerEntry.payment_id == Payment.id)
    .where(Payment.site_id == bindparam("site"), Payment.mollie_id.in_(bindparam("ids", expanding=True)))
    .group_by(Payment.id)
)  # fmt: skip


def known_uids(tx: Tx, site_id: int, uids: Collection[str]) -> set[str]:
    """Which of these marks belong to an attempt of ours, whether Mollie's id is known or not."""
    if not uids:
        return set()
    query = select(Payment.uid).where(Payment.site_id == site_id, Payment.uid.in_(uids))
    return set(tx.scalars(query))


def keep(tx: Tx, check: BookCheck) -> None:
    """Keep a report."""
    tx.add(check)
    tx.flush()


def newest(tx: Tx, site_id: int, limit: int) -> Sequence[BookCheck]:
    """The newest reports of a site, newest first."""
    query = select(BookCheck).where(BookCheck.site_id == site_id).order_by(BookCheck.id.desc())
    return tx.scalars(query.limit(limit)).all()


def newest_at(tx: Tx, site_id: int) -> datetime | None:
    """When a site's books were last compared."""
    found = newest(tx, site_id, 1)
    return found[0].created_at if found else None
