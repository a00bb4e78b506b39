"""Evidence for what must always be true: set-based, in bounded batches, by index. It only reads."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, case, cast, exists, func, literal, or_, select

from linkpay.domain.charge import ChargeMoney
from linkpay.domain.invariants import ChargeEvidence, DebitEvidence
from linkpay.domain.ledger import EntryKind
from linkpay.domain.snapshots import Sequence as MollieSequence
from linkpay.domain.subscription import LIVE, SubscriptionState
from linkpay.store.db import Tx
from linkpay.store.grants import is_late
from linkpay.store.tables import (
    Attention,
    Charge,
    Consent,
    Event,
    Grant,
    Inbox,
    LedgerEntry,
    Mandate,
    Notice,
    Outbox,
    Payment,
    Refund,
    Subscription,
)
from linkpay.store.tables.money import Stroke
from linkpay.store.tables.people import Access

_K = EntryKind
_PAID = (_K.PAYMENT, _K.PAYMENT_UNDONE, _K.OUTSIDE, _K.OUTSIDE_UNDONE)
_REFUNDED = (_K.REFUND, _K.REFUND_UNDONE)
_CHARGED_BACK = (_K.CHARGEBACK, _K.CHARGEBACK_UNDONE)


@dataclass(frozen=True, slots=True)
class Changed:
    """What changed since the marks, and how far the next marks reach: (ledger, event) ids.

    `more` says that what changed even later was left for another look.
    """

    charge_ids: Sequence[int]
    payment_ids: Sequence[int]
    subscription_ids: Sequence[int]
    ledger_mark: int
    event_mark: int
    more: bool


def changed(tx: Tx, marks: tuple[int, int], limit: int, settled_before: datetime) -> Changed:
    """At most `limit` facts and events after the marks; everything that changes writes one or the other.

    The next marks stay behind what is not `settled_before` an instant: numbers are given before they are
    committed, so an earlier one may still come.
    """
    ledger_mark, event_mark = marks
    facts = tx.execute(
        select(LedgerEntry.id, LedgerEntry.charge_id, LedgerEntry.created_at)
        .where(LedgerEntry.id > ledger_mark)
        .order_by(LedgerEntry.id)
        .limit(limit)
    ).all()
    events = tx.execute(
        select(Event.id, Event.payment_id, Event.subscription_id, Event.created_at)
        .where(Event.id > event_mark)
        .order_by(Event.id)
        .limit(limit)
    ).all()
    settled = [
        [row.id for row in takewhile(lambda row: row.created_at < settled_before, rows)]
        for rows in (facts, events)
    ]
    return Changed(
        sorted({row.charge_id for row in facts}),
        sorted({row.payment_id for row in events if row.payment_id is not None}),
        sorted({row.subscription_id for row in events if row.subscription_id is not None}),
        settled[0][-1] if settled[0] else ledger_mark,
        settled[1][-1] if settled[1] else event_mark,
        more=any(len(ids) == limit for ids in settled),
    )


def next_ids(
    tx: Tx, table: type[Charge] | type[Payment] | type[Grant] | type[Subscription], after: int, limit: int
) -> Sequence[int]:
    """The next ids of a table, in order, to go over all of it in parts."""
    return tx.scalars(select(table.id).where(table.id > after).order_by(table.id).limit(limit)).all()


def newest_marks(tx: Tx) -> tuple[int, int]:
    """The newest ledger entry and event: where watching begins."""
    return tx.scalar(select(func.max(LedgerEntry.id))) or 0, tx.scalar(select(func.max(Event.id))) or 0


def charges(tx: Tx, ids: Collection[int]) -> list[ChargeEvidence]:
    """These charges beside their ledger; those with neither sums nor ledger are left out."""

    def total(kinds: Sequence[EntryKind]) -> ColumnElement[int]:
        return func.coalesce(
            func.sum(case((LedgerEntry.kind.in_(kinds), LedgerEntry.amount_cents), else_=0)), 0
        )

    query = (
        select(
            Charge, total(_PAID), -total(_REFUNDED), -total(_CHARGED_BACK), _on_way().scalar_subquery(),
            func.max(LedgerEntry.created_at, type_=LedgerEntry.created_at.type),
        )
        .outerjoin(LedgerEntry, LedgerEntry.charge_id == Charge.id)
        .where(Charge.id.in_(ids))
        .group_by(Charge.id)
        .order_by(Charge.id)
    )  # fmt: skip
    return [
        ChargeEvidence(
            charge.id, charge.site_id, charge.currency, charge.money,
            ChargeMoney(charge.amount_cents, int(paid), int(refunded), int(charged_back)), int(on_way or 0),
            newest_at or charge.created_at,
        )
        for charge, paid, refunded, charged_back, on_way, newest_at in tx.execute(query)
    ]  # fmt: skip


def _on_way() -> Select[int]:
    """Cents of refunds of a charge that are owed or sent and not in its ledger yet."""
    booked = exists(
        select(LedgerEntry.id).where(
            LedgerEntry.site_id == Refund.site_id, LedgerEntry.ref == Refund.mollie_id
        )
    )
    return (
        select(func.sum(Refund.amount_cents))
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Payment.charge_id == Charge.id, Refund.stroke != Stroke.REFUSED, ~booked)
        .correlate(Charge)
    )


def debits(tx: Tx, ids: Collection[int]) -> list[DebitEvidence]:
    """Those of these payments that are debits and were sent, with what allowed them."""
    consented = exists(select(Consent.id).where(Consent.subscription_id == Subscription.id))
    query = (
        select(Payment, Charge, Subscription, Mandate, consented, _untold())
        .join(Charge, Charge.id == Payment.charge_id)
        .join(Subscription, Subscription.id == Charge.subscription_id)
        .outerjoin(Mandate, Mandate.id == Payment.mandate_id)
        .where(
            Payment.id.in_(ids), Payment.sequence == MollieSequence.RECURRING,
            Payment.key_used_at.is_not(None), Payment.stroke != Stroke.REFUSED,
        )
        .order_by(Payment.id)
    )  # fmt: skip
    return [
        DebitEvidence(
            payment.id, payment.site_id, payment.key_used_at or payment.created_at,
            own_mandate=mandate is not None and mandate.customer_id == payment.customer_id,
            unusable_at=mandate.unusable_at if mandate else None, consented=bool(agreed), told=not untold,
            starts_on=charge.starts_on, ended_at=_ended_at(subscription), cancel_on=subscription.cancel_on,
            cancel_asked_at=subscription.cancel_asked_at,
            in_terms=charge.is_check or subscription.terms.has_period(charge.period),
        )
        for payment, charge, subscription, mandate, agreed, untold in tx.execute(query)
    ]  # fmt: skip


def _untold() -> ColumnElement[bool]:
    """Whether no notice of a SEPA debit had left, at a site that kept notices by then."""
    kept = exists(
        select(Notice.id).where(Notice.site_id == Payment.site_id, Notice.created_at <= Payment.created_at)
    )
    left = exists(
        select(Notice.id).where(
            Notice.subscription_id == Subscription.id, Notice.mandate_id == Payment.mandate_id,
            Notice.amount_cents >= Payment.amount_cents, Notice.sent_at <= Payment.key_used_at,
        )
    )  # fmt: skip
    return and_(Mandate.method == "directdebit", kept, ~left)


def _ended_at(subscription: Subscription) -> datetime | None:
    return subscription.ended_at if subscription.state is SubscriptionState.ENDED else None


def grants_of(tx: Tx, subscription_ids: Collection[int]) -> Sequence[int]:
    """The grants of the members and offers of these subscriptions."""
    return tx.scalars(
        select(Grant.id)
        .join(
            Subscription,
            and_(Subscription.member_id == Grant.member_id, Subscription.offer_id == Grant.offer_id),
        )
        .where(Subscription.id.in_(subscription_ids))
        .distinct()
    ).all()


def grants(tx: Tx, ids: Collection[int]) -> Sequence[Grant]:
    """These grants as they are now."""
    return tx.scalars(select(Grant).where(Grant.id.in_(ids)).order_by(Grant.id)).all()


def over_time(tx: Tx, site_id: int, before: datetime, limit: int) -> Sequence[int]:
    """A site's grants that are still wanted though they were to be looked at before an instant."""
    return tx.scalars(
        select(Grant.id)
        .where(Grant.site_id == site_id, Grant.until < before, Grant.wanted == Access.GRANTED)
        .order_by(Grant.until)
        .limit(limit)
    ).all()


def without_grant(tx: Tx, subscription_ids: Collection[int]) -> Sequence[Subscription]:
    """Those of these running subscriptions whose member never had a grant of what she bought."""
    granted = exists(
        select(Grant.id).where(
            Grant.member_id == Subscription.member_id, Grant.offer_id == Subscription.offer_id
        )
    )
    return tx.scalars(
        select(Subscription)
        .where(Subscription.id.in_(subscription_ids), Subscription.state.in_(LIVE), ~granted)
        .order_by(Subscription.id)
    ).all()


def behind(tx: Tx, before: datetime, limit: int) -> Sequence[Grant]:
    """Grants that are late since before an instant, where no person was asked yet."""
    parked = exists(
        select(Outbox.id).where(
            Outbox.kind == "apply_grant", Outbox.target_id == Grant.id, Outbox.parked_at.is_not(None),
            Outbox.done_at.is_(None),
        )
    )  # fmt: skip
    return tx.scalars(
        select(Grant).where(is_late(before), ~parked).order_by(Grant.wanted_at).limit(limit)
    ).all()


def unseen(tx: Tx, table: type[Inbox] | type[Outbox], limit: int) -> Sequence[Inbox | Outbox]:
    """Parked rows that no open item of the attention list tells of, oldest first."""
    name = table.__tablename__
    about: list[ColumnElement[bool]] = [Attention.subject == literal(f"{name}:") + cast(table.id, String)]
    if table is Inbox:
        # Messages about one offer share an item.
        told = table.last_error.like(literal("%Kajabi offer ") + func.substr(Attention.subject, 7))
        about.append(and_(Attention.subject.like("offer:%"), told))
    else:
        about += [
            and_(
                Outbox.kind == kind, Attention.subject == literal(f"{what}:") + cast(Outbox.target_id, String)
            )
            for kind, what in (("apply_grant", "grant"), ("send_refund", "refund"))
        ]
    is_told = exists(
        select(Attention.id).where(
            Attention.site_id == table.site_id, Attention.solved_at.is_(None), or_(*about)
        )
    )
    parked = (table.parked_at.is_not(None), table.done_at.is_(None), ~is_told)
    query: Select[Any] = select(table).where(*parked).order_by(table.id).limit(limit)
    return tx.scalars(query).all()


def overdue_by_site(tx: Tx, before: datetime) -> dict[int, int]:
    """How many rows of each site should have been done before an instant and are held by nobody."""
    found: dict[int, int] = {}
    for table in (Inbox, Outbox):
        query = select(table.site_id, func.count(table.id)).where(
            table.done_at.is_(None), table.parked_at.is_(None), table.run_at < before
        )
        for site_id, number in tx.execute(query.group_by(table.site_id)):
            found[site_id] = found.get(site_id, 0) + number
    return found
