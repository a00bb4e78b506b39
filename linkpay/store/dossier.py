"""Everything that one site holds on one person, row by row; `store/erasing.py` wipes from it who she is."""

import re
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import exists, or_, select

from linkpay.store import people
from linkpay.store.db import Tx
from linkpay.store.tables import (
    Base,
    Charge,
    Consent,
    Credit,
    Customer,
    Event,
    Gift,
    Grant,
    LedgerEntry,
    Mail,
    Mandate,
    Member,
    Notice,
    Offer,
    Outbox,
    Payment,
    PriceChange,
    Redemption,
    Refund,
    Subscription,
    Visit,
    Withdrawal,
)
from linkpay.store.tables.people import Access

#: Secrets and machinery: nothing about a person, and not for anybody's eyes.
_HIDDEN = re.compile(
    r"token|hash|.*_sealed|idempotency_key|key_used_at|claimed_at|uid|lease|leased_until|checkout_url|html|"
    r"answer_.*|version|applied_version|doubted_version|stroke|is_open|ordered_by"
)
_ON_SUBSCRIPTION: tuple[tuple[str, Any], ...] = (
    ("charges", Charge), ("consents", Consent), ("announcements", Notice), ("discounts", Redemption),
    ("price_changes", PriceChange), ("credit", Credit), ("mails", Mail),
)  # fmt: skip


def whole(tx: Tx, site_id: int, email: str) -> dict[str, list[dict[str, Any]]]:
    """Every row about the person with this e-mail, by what it is about, as plain JSON values."""
    payers = tx.scalars(_of(Customer, site_id).where(Customer.email == email)).all()
    members = _under_all_addresses(tx, people.by_email(tx, site_id, email))
    emails = {email, *(member.email for member in members)}
    bought = tx.scalars(_of(Subscription, site_id).where(Subscription.customer_id.in_(_ids(payers)))).all()
    found: dict[str, Sequence[Base]] = {
        "payer": payers,
        "member": members,
        "subscriptions": bought,
        "access": tx.scalars(_of(Grant, site_id).where(Grant.member_id.in_(_ids(members)))).all(),
        "gifts": tx.scalars(_of(Gift, site_id).where(Gift.member_id.in_(_ids(members)))).all(),
        "mandates": tx.scalars(_of(Mandate, site_id).where(Mandate.customer_id.in_(_ids(payers)))).all(),
        "payments": tx.scalars(_of(Payment, site_id).where(Payment.customer_id.in_(_ids(payers)))).all(),
        "visits": tx.scalars(_of(Visit, site_id).where(Visit.email.in_(emails))).all(),
        "other_mails": tx.scalars(
            _of(Mail, site_id).where(Mail.subscription_id.is_(None), Mail.to.in_(emails))
        ).all(),
    }
    for name, table in _ON_SUBSCRIPTION:
        query = _of(table, site_id).where(table.subscription_id.in_(_ids(bought)))
        found[name] = tx.scalars(query).all()
    about = or_(Event.subscription_id.in_(_ids(bought)), Event.member_id.in_(_ids(members)))
    found["events"] = tx.scalars(_of(Event, site_id).where(about)).all()
    paid = _ids(found["payments"])
    declared = or_(Withdrawal.email.in_(emails), Withdrawal.subscription_id.in_(_ids(bought)))
    found["withdrawals"] = tx.scalars(_of(Withdrawal, site_id).where(declared)).all()
    found["refunds"] = tx.scalars(_of(Refund, site_id).where(Refund.payment_id.in_(paid))).all()
    found["money"] = tx.scalars(_of(LedgerEntry, site_id).where(LedgerEntry.payment_id.in_(paid))).all()
    return {name: [_plain(row) for row in rows] for name, rows in found.items()}


def _under_all_addresses(tx: Tx, member: Member | None) -> list[Member]:
    """A member, and herself under every address from which her access came; not where it went on."""
    if member is None:
        return []
    family, hers = people.family(tx, member.id), {member.id}
    while came := {one.id for one in family.values() if one.moved_to_id in hers} - hers:
        hers |= came
    return [family[number] for number in sorted(hers)]


def _of(table: type[Any], site_id: int) -> Any:
    return select(table).where(table.site_id == site_id).order_by(table.id)


def _ids(rows: Sequence[Any]) -> list[int]:
    return [row.id for row in rows]


def _plain(row: Base) -> dict[str, Any]:
    values = {column.name: getattr(row, column.name) for column in row.__table__.columns}
    return {name: _value(value) for name, value in values.items() if not _HIDDEN.fullmatch(name)}


def _value(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date) else value


def closed_everywhere(tx: Tx, member_ids: Collection[int]) -> bool:
    """Whether Kajabi has confirmed that these members are out of everything."""
    pending = select(Grant.id).where(
        Grant.member_id.in_(member_ids),
        or_(Grant.wanted != Access.REVOKED, Grant.applied != Grant.wanted),
    )
    return not tx.scalar(select(exists(pending)))


def has_unsent_mails(tx: Tx, site_id: int, email: str, customer_id: int) -> bool:
    """Whether mail to an address, or about its purchases, is still to leave."""
    bought = select(Subscription.id).where(Subscription.customer_id == customer_id)
    query = (
        select(Outbox.id)
        .join(Mail, Mail.id == Outbox.target_id)
        .where(
            Outbox.kind == "send_mail", Outbox.site_id == site_id, Outbox.done_at.is_(None),
            Outbox.parked_at.is_(None), or_(Mail.to == email, Mail.subscription_id.in_(bought)),
        )
    )  # fmt: skip
    return bool(tx.scalar(select(exists(query))))


def titles_of_open(tx: Tx, member_ids: Collection[int]) -> Sequence[str]:
    """The offers that these members are let in to."""
    return tx.scalars(
        select(Offer.title)
        .join(Grant, Grant.offer_id == Offer.id)
        .where(Grant.member_id.in_(member_ids), Grant.wanted == Access.GRANTED)
        .order_by(Offer.title)
    ).all()
