"""What people did to a site, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text

from linkpay.store.db import Tx
from linkpay.store.tables import Customer, Event, Inbox, Mail, Member

#: In the words of the index: neither database finds it by any others.
_BY_PEOPLE = text("substr(actor, 1, 5) = 'owner'")


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody did, and whom it is about where it is about somebody."""

    event: Event
    about: str


def acts(
    tx: Tx, site_id: int, *, actor: str | None = None, before: int | None = None, limit: int = 50
) -> Sequence[Act]:
    """What was done by whoever manages the site, of one of them when asked, older than number `before`."""
    query = (
        select(Event, Customer.email, Member.email)
        .outerjoin(Customer, Customer.id == Event.customer_id)
        .outerjoin(Member, Member.id == Event.member_id)
        .where(Event.site_id == site_id, _BY_PEOPLE)
        .order_by(Event.id.desc())
        .limit(limit)
    )
    if actor is not None:
        query = query.where(Event.actor == actor)
    if before is not None:
        query = query.where(Event.id < before)
    return [Act(event, payer or member or "") for event, payer, member in tx.execute(query)]


def newest(tx: Tx, site_id: int, kind: str) -> Event | None:
    """The last time that people did something of this kind to the site."""
    query = select(Event).where(Event.site_id == site_id, Event.kind == kind, _BY_PEOPLE)
    return tx.scalar(query.order_by(Event.id.desc()).limit(1))


def last_webhook_at(tx: Tx, site_id: int) -> datetime | None:
    """When Mollie last reached us about this site."""
    query = select(Inbox.created_at).where(Inbox.site_id == site_id, Inbox.source == "mollie")
    return tx.scalar(query.order_by(Inbox.id.desc()).limit(1))


def last_mail_at(tx: Tx, site_id: int) -> datetime | None:
    """When the mail server last took a mail of this site."""
    query = select(Mail.sent_at).where(Mail.site_id == site_id, Mail.sent_at.is_not(None))
    return tx.scalar(query.order_by(Mail.id.desc()).limit(1))
