"""Everything that one site holds on one person, row by row; and wiping from it who she is."""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Text, cast, delete, exists, or_, select, update

from linkpay.store.db import Tx, core
from linkpay.store.tables import (
    Attention,
    Base,
    Charge,
    Consent,
    Credit,
    Customer,
    Event,
    Gift,
    Grant,
    Inbox,
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
    Takeover,
    Visit,
    Withdrawal,
)
from linkpay.store.tables.people import Access

#: Secrets and machinery: nothing about a person, and not for anybody's eyes.
_HIDDEN = re.compile(
    r"token|hash|.*_sealed|idempotency_key|key_used_at|claimed_at|uid|lease|leased_until|checkout_url|html|"
    r"answer_.*|version|applied_version|doubted_version|stroke|is_open"
)
#: Free texts in which an address may stand, besides what is hers from the start.
_TEXTS: tuple[tuple[type[Base], str], ...] = (
    (Attention, "detail"), (Attention, "data"), (Event, "data"), (Takeover, "why"), (Inbox, "last_error"),
)  # fmt: skip
_ON_SUBSCRIPTION: tuple[tuple[str, Any], ...] = (
    ("charges", Charge), ("consents", Consent), ("announcements", Notice), ("discounts", Redemption),
    ("price_changes", PriceChange), ("credit", Credit), ("events", Event), ("mails", Mail),
)  # fmt: skip


def whole(tx: Tx, site_id: int, email: str) -> dict[str, list[dict[str, Any]]]:
    """Every row about the person with this e-mail, by what it is about, as plain JSON values."""
    payers = tx.scalars(_of(Customer, site_id).where(Customer.email == email)).all()
    members = tx.scalars(_of(Member, site_id).where(Member.email == email)).all()
    bought = tx.scalars(_of(Subscription, site_id).where(Subscription.customer_id.in_(_ids(payers)))).all()
    found: dict[str, Sequence[Base]] = {
        "payer": payers,
        "member": members,
        "subscriptions": bought,
        "access": tx.scalars(_of(Grant, site_id).where(Grant.member_id.in_(_ids(members)))).all(),
        "gifts": tx.scalars(_of(Gift, site_id).where(Gift.member_id.in_(_ids(members)))).all(),
        "mandates": tx.scalars(_of(Mandate, site_id).where(Mandate.customer_id.in_(_ids(payers)))).all(),
        "payments": tx.scalars(_of(Payment, site_id).where(Payment.customer_id.in_(_ids(payers)))).all(),
        "visits": tx.scalars(_of(Visit, site_id).where(Visit.email == email)).all(),
        "other_mails": tx.scalars(
            _of(Mail, site_id).where(Mail.subscription_id.is_(None), Mail.to == email)
        ).all(),
    }
    for name, table in _ON_SUBSCRIPTION:
        query = _of(table, site_id).where(table.subscription_id.in_(_ids(bought)))
        found[name] = tx.scalars(query).all()
    paid = _ids(found["payments"])
    declared = or_(Withdrawal.email == email, Withdrawal.subscription_id.in_(_ids(bought)))
    found["withdrawals"] = tx.scalars(_of(Withdrawal, site_id).where(declared)).all()
    found["refunds"] = tx.scalars(_of(Refund, site_id).where(Refund.payment_id.in_(paid))).all()
    found["money"] = tx.scalars(_of(LedgerEntry, site_id).where(LedgerEntry.payment_id.in_(paid))).all()
    return {name: [_plain(row) for row in rows] for name, rows in found.items()}


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


def wipe(
    tx: Tx, site_id: int, customer: Customer | None, members: Sequence[Member], placeholder: str
) -> None:
    """Take name, address and words of a person out of every row; amounts and dates stay."""
    emails = {one.email for one in (customer, *members) if one is not None}
    names = {one.name for one in (customer, *members) if one is not None and one.name}
    for email in emails:
        _wipe_texts(tx, site_id, email, placeholder)
        tx.execute(
            delete(Visit).where(
                Visit.site_id == site_id, or_(Visit.email == email, Visit.moves_from == email)
            )
        )
        _wipe_mails(tx, Mail.site_id == site_id, Mail.to == email)
    if customer is not None:
        bought = select(Subscription.id).where(Subscription.customer_id == customer.id)
        _wipe_mails(tx, Mail.subscription_id.in_(bought))
        _wipe_purchases(tx, customer.id, names)
    for email in emails:
        tx.execute(
            update(core(Withdrawal))
            .where(core(Withdrawal).c.site_id == site_id, core(Withdrawal).c.email == email)
            .values(email=placeholder, name="", reference="", statement="")
        )


def _wipe_mails(tx: Tx, *which: Any) -> None:
    tx.execute(
        update(Mail)
        .where(*which)
        .values({"subject": "", "text": "", "html": "", "to": "", "data": {}})
        .execution_options(synchronize_session=False)
    )


def _wipe_purchases(tx: Tx, customer_id: int, names: Collection[str]) -> None:
    for subscription in tx.scalars(select(Subscription).where(Subscription.customer_id == customer_id)):
        # The reason from the list is the owner's to count; what she wrote beside it is hers.
        subscription.cancel_reason = (subscription.cancel_reason or "").partition(":")[0] or None
        subscription.company = subscription.vat_number = None
    for mandate in tx.scalars(select(Mandate).where(Mandate.customer_id == customer_id)):
        mandate.account_hint = None
    for consent in tx.scalars(select(Consent).where(Consent.customer_id == customer_id)):
        for name in names:
            consent.text = consent.text.replace(name, "…")


def _wipe_texts(tx: Tx, site_id: int, email: str, placeholder: str) -> None:
    address = re.compile(rf"(?<![\w.+-]){re.escape(email)}(?![\w.-]*\w)", re.IGNORECASE)
    for table, name in _TEXTS:
        column = getattr(table, name)
        query = _of(table, site_id).where(cast(column, Text).ilike(f"%{email}%"))
        for row in tx.scalars(query):
            kept = getattr(row, name)
            if isinstance(kept, str):
                setattr(row, name, address.sub(placeholder, kept))
            else:
                setattr(row, name, json.loads(address.sub(placeholder, json.dumps(kept))))
    for row in _messages(tx, site_id):
        if address.search(row.body.decode("utf-8", "replace")):
            row.body = b""


def _messages(tx: Tx, site_id: int) -> Iterator[Inbox]:
    """Kajabi's messages, a few at a time: they are raw, so each has to be read."""
    after = 0
    query = _of(Inbox, site_id).where(Inbox.source == "kajabi").limit(500)
    while rows := tx.scalars(query.where(Inbox.id > after)).all():
        yield from rows
        after = rows[-1].id
