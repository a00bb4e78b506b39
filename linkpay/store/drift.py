"""Runs of the nightly comparison with Kajabi, and what they found."""

from collections.abc import Sequence

from sqlalchemy import func, or_, select

from linkpay.store.db import Tx
from linkpay.store.remembering import asked_once, current
from linkpay.store.tables import DriftFinding, DriftRun, Grant
from linkpay.store.tables.people import Access


def run(tx: Tx, run_id: int) -> DriftRun:
    """The run as it is now; it must exist."""
    return current(tx, DriftRun, run_id)


def finding(tx: Tx, finding_id: int) -> DriftFinding:
    """The finding as it is now; it must exist."""
    return current(tx, DriftFinding, finding_id)


@asked_once
def findings(tx: Tx, run_id: int) -> Sequence[DriftFinding]:
    """All that a run found, in order."""
    return tx.scalars(
        select(DriftFinding).where(DriftFinding.run_id == run_id).order_by(DriftFinding.id)
    ).all()


def open_findings(tx: Tx, run_id: int) -> Sequence[DriftFinding]:
    """What a run found and nobody put right."""
    return [found for found in findings(tx, run_id) if not found.repaired]


def unseen(tx: Tx, of: DriftRun) -> Sequence[Grant]:
    """Grants that Kajabi confirmed before a run began and that it has not seen."""
    return tx.scalars(
        select(Grant)
        .where(
            Grant.offer_id == of.offer_id, Grant.wanted == Access.GRANTED, Grant.applied == Access.GRANTED,
            Grant.applied_version == Grant.version, Grant.applied_at < of.created_at,
            or_(Grant.verified_at.is_(None), Grant.verified_at < of.created_at),
        )
        .order_by(Grant.id)
    ).all()  # fmt: skip


@asked_once
def newest_run(tx: Tx, offer_id: int) -> int | None:
    """The id of an offer's newest finished run."""
    query = select(func.max(DriftRun.id))
    return tx.scalar(query.where(DriftRun.offer_id == offer_id, DriftRun.finished_at.is_not(None)))


def newest_runs(tx: Tx, site_id: int, each: int) -> Sequence[DriftRun]:
    """The newest runs of every offer of a site, offer by offer, newest first."""
    place = func.row_number().over(partition_by=DriftRun.offer_id, order_by=DriftRun.id.desc())
    ranked = select(DriftRun.id, place.label("place")).where(DriftRun.site_id == site_id).subquery()
    return tx.scalars(
        select(DriftRun)
        .join(ranked, ranked.c.id == DriftRun.id)
        .where(ranked.c.place <= each)
        .order_by(DriftRun.offer_id, DriftRun.id.desc())
    ).all()
