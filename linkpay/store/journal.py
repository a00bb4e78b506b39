"""What people read: events, mails, and the attention list."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Select, select, update
from sqlalchemy.orm import InstrumentedAttribute

from linkpay.domain.invariants import PASSING, Broken, Finding
from linkpay.store.db import Tx, insert_once
from linkpay.store.remembering import asked_once, current
from linkpay.store.tables import Attention, Event, Mail, Member, Payment, Subscription

T = TypeVar("T")
_SET_ASIDE = timedelta(days=1)


def record(
    tx: Tx, kind: str, actor: str, now: datetime, *, subscription: Subscription,
    payment: Payment | None = None, **data: Any,
) -> None:  # fmt: skip
    """Write one event about a subscription. `data` holds plain JSON values, never secrets."""
    tx.add(
        Event(
            site_id=subscription.site_id, kind=kind, actor=actor, created_at=now, data=data,
            customer_id=subscription.customer_id, subscription_id=subscription.id,
            payment_id=payment.id if payment else None,
        )
    )  # fmt: skip


def record_about(
    tx: Tx, kind: str, actor: str, now: datetime, *, member: Member, offer_id: int | None = None, **data: Any
) -> None:
    """Write one event about a member rather than a purchase of hers, or about her and an offer."""
    named = {"offer_id": offer_id, **data} if offer_id is not None else data
    tx.add(
        Event(site_id=member.site_id, kind=kind, actor=actor, created_at=now, data=named, member_id=member.id)
    )


def record_site(tx: Tx, site_id: int, kind: str, actor: str, now: datetime, **data: Any) -> None:
    """Write one event about the site itself: what it sells, its settings, who manages it."""
    tx.add(Event(site_id=site_id, kind=kind, actor=actor, created_at=now, data=data))


def need_attention(
    tx: Tx, *, site_id: int, kind: str, subject: str, detail: str, now: datetime, **data: Any
) -> None:
    """Ask for a person once per open trouble. `kind` stands in `services.attention_kinds`; `data` is what
    its words and answers need, as plain JSON values; `detail` is for logs."""
    insert_once(
        tx, Attention, site_id=site_id, kind=kind, subject=subject, detail=detail[:500], data=data,
        created_at=now,
    )  # fmt: skip


def subjects_of(tx: Tx, site_id: int, kind: str) -> set[str]:
    """About what people were ever asked in this way."""
    return set(
        tx.scalars(select(Attention.subject).where(Attention.site_id == site_id, Attention.kind == kind))
    )


def ask_to_refund(
    tx: Tx, *, site_id: int, subject: str, detail: str, now: datetime, cents: int, **data: Any
) -> None:
    """Ask a person to send `cents` back: on top of what an open item about the same subject asks for."""
    item = tx.scalar(
        select(Attention).where(
            Attention.site_id == site_id, Attention.kind == "refund", Attention.subject == subject,
            Attention.solved_at.is_(None),
        )
    )  # fmt: skip
    if item is None:
        need_attention(
            tx, site_id=site_id, kind="refund", subject=subject, detail=detail, now=now, cents=cents, **data
        )
    else:
        item.data = item.data | {"cents": int(item.data["cents"]) + cents}


@asked_once
def asked_to_refund(tx: Tx, site_id: int, subject: str) -> int:
    """What people were asked to send back about a subject, in cents, whether they have done so or not: of
    that nobody tells us more."""
    query = select(Attention.data).where(
        Attention.site_id == site_id, Attention.kind == "refund", Attention.subject == subject
    )
    return sum(int(data["cents"]) for data in tx.scalars(query) if data.get("problem") == "by_hand")


def file_finding(tx: Tx, found: Finding, now: datetime) -> int | None:
    """Ask for a person about a broken statement; the item's id when it is new.

    What a person looked at and set aside is not asked about again; what comes and goes is, a day later.
    """
    about = [Attention.site_id == found.site_id, Attention.kind == found.broken.value,
             Attention.subject == found.subject, Attention.solved_by.is_not(None)]  # fmt: skip
    if found.broken in PASSING:
        about.append(Attention.solved_at > now - _SET_ASIDE)
    if tx.scalar(select(Attention.id).where(*about).limit(1)) is not None:
        return None
    return insert_once(
        tx, Attention, site_id=found.site_id, kind=found.broken.value, subject=found.subject,
        detail=found.detail[:500], data=found.data, created_at=now,
    )  # fmt: skip


def open_findings(tx: Tx, limit: int) -> Sequence[Attention]:
    """The broken statements that are open on any site, oldest first, at most `limit`."""
    kinds = [kind.value for kind in Broken]
    query = select(Attention).where(Attention.solved_at.is_(None), Attention.kind.in_(kinds))
    return tx.scalars(query.order_by(Attention.id).limit(limit)).all()


def filed_with(tx: Tx, item_id: int) -> Sequence[Attention]:
    """An item, and what was filed about its site in the same moment and is still open."""
    first = tx.get_one(Attention, item_id)
    query = select(Attention).where(
        Attention.site_id == first.site_id, Attention.created_at == first.created_at,
        Attention.kind.in_([kind.value for kind in Broken]), Attention.solved_at.is_(None),
    )  # fmt: skip
    return tx.scalars(query.order_by(Attention.id)).all()


def solved(tx: Tx, *, site_id: int, kind: str, subject: str, now: datetime) -> None:
    """The trouble went away."""
    tx.execute(
        update(Attention)
        .where(
            Attention.site_id == site_id, Attention.kind == kind, Attention.subject == subject,
            Attention.solved_at.is_(None),
        )
        .values(solved_at=now)
    )  # fmt: skip


def solve(
    tx: Tx, item: Attention, *, by: str, solution: str, now: datetime, reason: str | None = None
) -> None:
    """A person solved it. Of two who press at once the first is written down."""
    data = item.data | ({"reason": reason[:200]} if reason else {})
    tx.execute(
        update(Attention)
        .where(Attention.id == item.id, Attention.solved_at.is_(None))
        .values(solved_at=now, solved_by=by, solution=solution, data=data)
    )


def attention(tx: Tx, site_id: int, item_id: int) -> Attention | None:
    """A trouble of this site as it is now, open or not."""
    query = select(Attention).where(Attention.site_id == site_id, Attention.id == item_id)
    return tx.scalar(query.execution_options(populate_existing=True))


def write_mail(tx: Tx, **values: Any) -> int | None:
    """Keep a written mail; None when its step was mailed before."""
    return insert_once(tx, Mail, **values)


def mail(tx: Tx, mail_id: int) -> Mail:
    """The mail as it is now; it must exist."""
    return current(tx, Mail, mail_id)


def last_mail(tx: Tx, subscription_id: int, kind: str) -> Mail | None:
    """The newest mail of this kind about a subscription, sent or owed."""
    return tx.scalar(
        select(Mail)
        .where(Mail.subscription_id == subscription_id, Mail.kind == kind)
        .order_by(Mail.id.desc())
        .limit(1)
    )


@asked_once
def last_event_at(tx: Tx, subscription_id: int, kind: str) -> datetime | None:
    """When an event of this kind last happened to a subscription."""
    return tx.scalar(_last(Event.created_at, subscription_id, kind))


def last_actor(tx: Tx, subscription_id: int, kind: str) -> str | None:
    """Who was behind the last event of this kind that happened to a subscription."""
    return tx.scalar(_last(Event.actor, subscription_id, kind))


def _last(column: InstrumentedAttribute[T], subscription_id: int, kind: str) -> Select[T]:
    return (
        select(column)
        .where(Event.subscription_id == subscription_id, Event.kind == kind)
        .order_by(Event.id.desc())
        .limit(1)
    )
