"""Mails: owed inside the transaction that gives the reason, written and sent afterwards by a job."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from linkpay.domain.money import Money
from linkpay.domain.snapshots import MandateStatus
from linkpay.ports import Letter
from linkpay.services.texts import write_texts
from linkpay.store import charges, journal, sites, work
from linkpay.store.db import Tx
from linkpay.store.tables import Customer, Mail, Mandate, Member, Offer, Subscription

#: Mails that only make sense while the charge is still owed.
_ONLY_WHILE_OWED = frozenset({"payment_failed", "mandate_needed", "payment_taken_back"})


def owe(
    tx: Tx, kind: str, subscription: Subscription, *, step: str, now: datetime,
    charge_id: int | None = None, **data: Any,
) -> None:  # fmt: skip
    """Owe one mail. A `step` that was mailed before, or is owed, is not owed again."""
    mail_id = journal.write_mail(
        tx, site_id=subscription.site_id, subscription_id=subscription.id, charge_id=charge_id,
        step=step, kind=kind, data=data, created_at=now,
    )  # fmt: skip
    if mail_id is not None:
        work.add(
            tx, site_id=subscription.site_id, kind="send_mail", ref=str(mail_id), target_id=mail_id,
            run_at=now, now=now,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """What the texts may speak of. Amounts are Money, instants UTC, addresses complete."""

    site_name: str
    zone: str
    offer_title: str
    customer_name: str
    member_email: str
    amount: Money
    next_charge_on: Any
    account_hint: str | None
    mandate_valid: bool
    order_url: str
    pay_url: str | None
    course_url: str | None
    failure_code: str | None
    until: datetime | None
    support_email: str | None


def compose(tx: Tx, mail_id: int, base_url: str) -> Letter | None:
    """The finished letter; None when its reason is gone or it was sent before. Kept as written."""
    mail = journal.mail(tx, mail_id)
    subscription = tx.get_one(Subscription, mail.subscription_id)
    charge = charges.get(tx, mail.charge_id) if mail.charge_id else None
    if mail.sent_at is not None:
        return None
    if mail.kind in _ONLY_WHILE_OWED and charge is not None and charge.money.owed_cents == 0:
        return None
    site = sites.get(tx, mail.site_id)
    customer = tx.get_one(Customer, subscription.customer_id)
    if mail.text is None:
        facts = _facts(tx, mail, subscription, base_url)
        written = write_texts(mail.kind, customer.locale, facts, mail.data)
        mail.subject, mail.text, mail.html = written.subject, written.text, written.html
        mail.to = customer.email
    domain = base_url.split("://", 1)[1].split("/", 1)[0].split(":", 1)[0]
    return Letter(
        message_id=f"<linkpay-mail-{mail.id}@{domain}>",
        to=mail.to or customer.email,
        sender_name=site.name,
        subject=mail.subject or "",
        text=mail.text or "",
        html=mail.html or "",
        reply_to=site.support_email,
    )


def mark_sent(tx: Tx, mail_id: int, now: datetime) -> None:
    """The mail server took it."""
    mail = journal.mail(tx, mail_id)
    mail.sent_at = now
    subscription = tx.get_one(Subscription, mail.subscription_id)
    journal.record(tx, "mail_sent", "worker", now, subscription=subscription, mail=mail.kind)


def _facts(tx: Tx, mail: Mail, subscription: Subscription, base_url: str) -> Facts:
    site = sites.get(tx, mail.site_id)
    offer = tx.get_one(Offer, subscription.offer_id)
    charge = charges.get(tx, mail.charge_id) if mail.charge_id else None
    mandate = tx.get(Mandate, subscription.mandate_id) if subscription.mandate_id else None
    until = mail.data.get("until")
    return Facts(
        site_name=site.name,
        zone=site.zone,
        offer_title=offer.title,
        customer_name=tx.get_one(Customer, subscription.customer_id).name,
        member_email=tx.get_one(Member, subscription.member_id).email,
        amount=Money(charge.amount_cents if charge else subscription.amount_cents, subscription.currency),
        next_charge_on=subscription.next_charge_on,
        account_hint=mandate.account_hint if mandate else None,
        mandate_valid=mandate is not None and mandate.status is MandateStatus.VALID,
        order_url=f"{base_url}/{site.slug}/order/{subscription.token}",
        pay_url=f"{base_url}/{site.slug}/pay/{charge.token}" if charge else None,
        course_url=offer.course_url or site.login_url,
        failure_code=charge.failure_code if charge else None,
        until=datetime.fromisoformat(until) if until else None,
        support_email=site.support_email,
    )
