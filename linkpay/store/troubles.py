"""What the words about many troubles speak of, read in few statements before they are written."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import and_, func, or_, select

from linkpay.store import charges, drift, sites, subscriptions, work
from linkpay.store.db import Tx
from linkpay.store.remembering import answers, hold, keep
from linkpay.store.tables import (
    Attention,
    Charge,
    Customer,
    DriftFinding,
    DriftRun,
    Grant,
    Inbox,
    Member,
    Offer,
    Outbox,
    Payment,
    Refund,
    Site,
    Subscription,
)

Known = dict[tuple[Any, ...], Any]
_WORK = {"grant": "apply_grant", "refund": "send_refund"}


def opened(tx: Tx, site_id: int, limit: int) -> tuple[Sequence[Attention], int]:
    """What waits for a person on a site, oldest first, and how much does in all.

    What is asked about the first `limit` of it is foreseen (`db.asked_once`).
    """
    query = (
        select(Attention, func.count().over(), Site)
        .join(Site, Site.id == Attention.site_id)
        .where(Attention.site_id == site_id, Attention.solved_at.is_(None))
        .order_by(Attention.id)
        .limit(limit)
    )
    rows = tx.execute(query).all()
    if not rows:
        return [], 0
    items = [row[0] for row in rows]
    sites.know(tx, rows[0][2])
    _foresee(tx, site_id, items)
    return items, rows[0][1]


def _foresee(tx: Tx, site_id: int, items: Collection[Attention]) -> None:
    known = answers(tx)
    if known is None:
        return
    about: dict[str, set[int]] = {}
    for item in items:
        what, _, number = item.subject.partition(":")
        about.setdefault(what, set()).add(int(number) if number.isdigit() else 0)
    _money(tx, known, about)
    _people(tx, known, about)
    _work(tx, known, site_id, about)
    _drift(tx, known, about.get("drift", set()))


def _money(tx: Tx, known: Known, about: dict[str, set[int]]) -> None:
    """Charges, attempts and refunds, and whose they are."""
    refunds = [*tx.scalars(select(Refund).where(Refund.id.in_(about["refund"])))] if "refund" in about else []
    known |= {(charges.refund, one.id): one for one in refunds}
    wanted = about.get("payment", set()) | {one.payment_id for one in refunds}
    payments = [*tx.scalars(select(Payment).where(Payment.id.in_(wanted)))] if wanted else []
    hold(tx, payments)
    wanted = about.get("charge", set()) | {one.charge_id for one in payments}
    if not wanted:
        return
    query = (
        select(Charge, Subscription, Customer)
        .join(Subscription, Subscription.id == Charge.subscription_id)
        .join(Customer, Customer.id == Subscription.customer_id)
    )
    for charge, subscription, customer in tx.execute(query.where(Charge.id.in_(wanted))):
        hold(tx, [charge])
        keep(tx, subscription, customer)


def _people(tx: Tx, known: Known, about: dict[str, set[int]]) -> None:
    """Who is let in to what, by which purchases; and purchases by themselves."""
    if "grant" in about:
        query = (
            select(Grant, Member, Offer, Subscription)
            .join(Member, Member.id == Grant.member_id)
            .join(Offer, Offer.id == Grant.offer_id)
            .outerjoin(
                Subscription,
                and_(Subscription.member_id == Grant.member_id, Subscription.offer_id == Grant.offer_id),
            )
        )
        rows = tx.execute(query.where(Grant.id.in_(about["grant"])).order_by(Subscription.id)).all()
        known |= {(subscriptions.for_access, row[0].member_id, row[0].offer_id): [] for row in rows}
        for grant, member, offer, bought in rows:
            keep(tx, grant, member, offer)
            if bought is not None:
                known[subscriptions.for_access, grant.member_id, grant.offer_id].append(bought)
    if "subscription" in about:
        of = (
            select(Subscription, Customer, Offer)
            .join(Customer, Customer.id == Subscription.customer_id)
            .join(Offer, Offer.id == Subscription.offer_id)
        )
        for row in tx.execute(of.where(Subscription.id.in_(about["subscription"]))):
            keep(tx, *row)


def _work(tx: Tx, known: Known, site_id: int, about: dict[str, set[int]]) -> None:
    """The rows that stand still because of them."""
    for table, name in ((Inbox, "inbox"), (Outbox, "outbox")):
        if name in about:
            found = tx.scalars(work.parked(table).where(table.site_id == site_id, table.id.in_(about[name])))
            known |= {(work.parked_by_id, table, site_id, number): [] for number in about[name]}
            known |= {(work.parked_by_id, table, site_id, row.id): [row] for row in found}
    kinds = {what: kind for what, kind in _WORK.items() if what in about}
    if kinds:
        owed = or_(
            *(and_(Outbox.kind == kind, Outbox.target_id.in_(about[what])) for what, kind in kinds.items())
        )
        known |= {
            (work.parked_work, kind, number): [] for what, kind in kinds.items() for number in about[what]
        }
        for row in tx.scalars(work.parked(Outbox).where(owed)):
            known[work.parked_work, row.kind, row.target_id].append(row)


def _drift(tx: Tx, known: Known, offer_ids: set[int]) -> None:
    """What the newest comparisons with Kajabi found."""
    if not offer_ids:
        return
    newest = select(func.max(DriftRun.id)).where(
        DriftRun.offer_id.in_(offer_ids), DriftRun.finished_at.is_not(None)
    )
    query = (
        select(DriftRun.offer_id, DriftRun.id, DriftFinding)
        .outerjoin(DriftFinding, DriftFinding.run_id == DriftRun.id)
        .where(DriftRun.id.in_(newest.group_by(DriftRun.offer_id)))
        .order_by(DriftFinding.id)
    )
    known |= {(drift.newest_run, number): None for number in offer_ids}
    for offer_id, run_id, finding in tx.execute(query):
        known[drift.newest_run, offer_id] = run_id
        found = known.setdefault((drift.findings, run_id), [])
        if finding is not None:
            found.append(finding)
