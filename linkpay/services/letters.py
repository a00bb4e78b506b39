"""Mails: owed inside the transaction that gives the reason, written and sent afterwards by a job."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from linkpay.domain.money import Money
from linkpay.domain.snapshots import MandateStatus
from linkpay.ports import Letter
from linkpay.services import coming, doors, new_prices, notices
from linkpay.services.mail_facts import Facts, SiteFacts, kept
from linkpay.services.owner_words import Broken, fill_in
from linkpay.services.texts import Written, spoken, write_texts
from linkpay.store import charges, grants, journal, mail_texts, sites, work
from linkpay.store import notices as store
from linkpay.store.db import Tx
from linkpay.store.tables import Customer, Mail, Mandate, Member, Offer, Site, Subscription
from linkpay.store.tables.people import Access

#: Mails that only make sense while the charge is still owed.
_ONLY_WHILE_OWED = frozenset({"payment_failed", "mandate_needed", "payment_taken_back", "pay_link"})

#: Kinds that are about no subscription.
SITE_KINDS = frozenset(
    {
        "sign_in", "email_change", "email_changed", "forgotten", "gift_open", "gift_over", "cannot_order",
        "withdrawal_received", "upsell_link",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reader:
    """Who gets a mail that is about no subscription."""

    email: str
    locale: str
    name: str = ""


def owe(
    tx: Tx, kind: str, subscription: Subscription, *, step: str, now: datetime,
    charge_id: int | None = None, **data: Any,
) -> int | None:  # fmt: skip
    """Owe one mail and return its id. A `step` that was mailed before, or is owed, is not owed again: None.

    One that names the day of the next debit in `next_debit_on` is that debit's pre-notification, too.
    """
    mail_id = journal.write_mail(
        tx, site_id=subscription.site_id, subscription_id=subscription.id, charge_id=charge_id,
        step=step, kind=kind, data=data, created_at=now,
    )  # fmt: skip
    _owe_sending(tx, subscription.site_id, mail_id, now)
    return mail_id


def owe_to(tx: Tx, kind: str, site_id: int, reader: Reader, *, step: str, now: datetime, **data: Any) -> bool:
    """Owe one mail about no subscription; False when its step was owed before.

    ``path`` in `data` is the page of the site that it leads to.
    """
    mail_id = journal.write_mail(
        tx, site_id=site_id, to=reader.email, locale=reader.locale, step=step, kind=kind, created_at=now,
        data={"name": reader.name, **data},
    )  # fmt: skip
    _owe_sending(tx, site_id, mail_id, now)
    return mail_id is not None


def _owe_sending(tx: Tx, site_id: int, mail_id: int | None, now: datetime) -> None:
    if mail_id is None:
        return
    # A database may give the number of a mail that was dropped to the next one, so the work has its own.
    ref = f"{mail_id}:{uuid.uuid4()}"
    work.add(tx, site_id=site_id, kind="send_mail", ref=ref, target_id=mail_id, run_at=now, now=now)


def compose(tx: Tx, mail_id: int, base_url: str, now: datetime) -> Letter | None:
    """The finished letter; None when its reason is gone or it was sent before. Kept as written, except
    for a link that opens a door: that is made now and told to nobody but its reader."""
    mail = journal.mail(tx, mail_id)
    if mail.sent_at is not None:
        return None
    site = sites.get(tx, mail.site_id)
    if mail.subscription_id is None:
        return _compose_to(tx, mail, site, base_url, now)
    subscription = tx.get_one(Subscription, mail.subscription_id)
    charge = charges.get(tx, mail.charge_id) if mail.charge_id else None
    if mail.kind in _ONLY_WHILE_OWED and charge is not None and charge.asked_cents == 0:
        return None
    if _is_needless(tx, mail, subscription, now):
        return None
    customer = tx.get_one(Customer, subscription.customer_id)
    if mail.text is None:
        facts = _facts(tx, mail, subscription, base_url)
        written = _write(tx, mail, customer.locale, facts, now)
        if mail.kind == "debit_notice" and not notices.is_told_by(tx, mail, written.text, subscription):
            written = write_texts(mail.kind, customer.locale, facts, mail.data)
        mail.subject, mail.text, mail.html = written.subject, written.text, written.html
        mail.to = customer.email
        notices.keep(tx, mail, subscription)
    return _letter(mail, site, base_url, Written(mail.subject or "", mail.text, mail.html or ""))


def _is_needless(tx: Tx, mail: Mail, subscription: Subscription, now: datetime) -> bool:
    """Whether what a mail was to announce will not be, as things stand just before it leaves."""
    if mail.kind == "debit_notice" and not notices.is_to_come(tx, mail, subscription):
        notices.forget(tx, mail)
        return True
    return mail.kind == new_prices.KIND and not new_prices.ready(tx, mail, subscription, now)


def _compose_to(tx: Tx, mail: Mail, site: Site, base_url: str, now: datetime) -> Letter | None:
    door = doors.behind(tx, mail, now)
    if door is None:
        tx.delete(mail)  # nobody here has this address: not even that it was typed is kept
        return None
    path = door.path
    language = mail.locale or site.locale
    if language != site.locale:
        path += f"?lang={language}"
    url = f"{base_url}/{site.slug}/{path}"
    offer_title = mail.data.get("offer_title", "")
    facts = SiteFacts(
        site.name, site.zone, mail.data.get("name", ""), url, site.support_email, offer_title, **door.told
    )
    written = _write(tx, mail, language, facts, now)
    hidden = written if door.secret is None else _without(door.secret, written)
    mail.subject, mail.text, mail.html = hidden.subject, hidden.text, hidden.html
    return _letter(mail, site, base_url, written)


def _write(tx: Tx, mail: Mail, locale: str, facts: Facts | SiteFacts, now: datetime) -> Written:
    """In the owner's own words where there are any. No word of hers ever stops a mail: ours go instead."""
    own = mail_texts.find(tx, mail.site_id, mail.kind, spoken(locale))
    if own is not None:
        try:
            return write_texts(
                mail.kind, locale, facts, mail.data, render=lambda known: fill_in(own.text, known)
            )
        except Broken as broken:
            journal.need_attention(
                tx, site_id=mail.site_id, kind="mail_text", subject=f"mail_text:{own.kind}:{own.locale}",
                now=now, detail=str(broken), mail=own.kind, locale=own.locale,
            )  # fmt: skip
    return write_texts(mail.kind, locale, facts, mail.data)


def _without(secret: str, written: Written) -> Written:
    """The mail as it may be kept: whoever reads it later can press nothing."""
    return Written(*(part.replace(secret, "…") for part in (written.subject, written.text, written.html)))


def _letter(mail: Mail, site: Site, base_url: str, written: Written) -> Letter:
    domain = base_url.split("://", 1)[1].split("/", 1)[0].split(":", 1)[0]
    return Letter(
        message_id=f"<linkpay-mail-{mail.id}@{domain}>",
        to=mail.to or "",
        sender_name=site.name,
        subject=written.subject,
        text=written.text,
        html=written.html,
        reply_to=site.support_email,
    )


def mark_sent(tx: Tx, mail_id: int, now: datetime) -> None:
    """The mail server took it."""
    mail = journal.mail(tx, mail_id)
    mail.sent_at = now
    if mail.subscription_id is None:
        return
    store.left(tx, mail_id, now)
    if mail.kind == new_prices.KIND:
        new_prices.left(tx, mail, now)
    subscription = tx.get_one(Subscription, mail.subscription_id)
    journal.record(tx, "mail_sent", "worker", now, subscription=subscription, mail=mail.kind)


def _facts(tx: Tx, mail: Mail, subscription: Subscription, base_url: str) -> Facts:
    site = sites.get(tx, mail.site_id)
    offer = tx.get_one(Offer, subscription.offer_id)
    charge = charges.get(tx, mail.charge_id) if mail.charge_id else None
    mandate = tx.get(Mandate, subscription.mandate_id) if subscription.mandate_id else None
    grant = grants.find(tx, subscription.member_id, subscription.offer_id)
    until = mail.data.get("until")
    return Facts(
        site_name=site.name,
        zone=site.zone,
        offer_title=offer.title,
        customer_name=tx.get_one(Customer, subscription.customer_id).name,
        member_email=tx.get_one(Member, subscription.member_id).email,
        amount=Money(
            charge.amount_cents if charge else coming.next_cents(tx, subscription), subscription.currency
        ),
        next_charge_on=subscription.next_charge_on,
        account_hint=mandate.account_hint if mandate else None,
        mandate_valid=mandate is not None and mandate.status is MandateStatus.VALID,
        order_url=f"{base_url}/{site.slug}/order/{subscription.token}",
        portal_url=f"{base_url}/{site.slug}/portal",
        cancel_url=f"{base_url}/{site.slug}/portal/subscriptions/{subscription.token}/cancel",
        pay_url=f"{base_url}/{site.slug}/pay/{charge.token}" if charge else None,
        buy_url=_buy_url(base_url, site.slug, offer.slug, mail.data.get("plan")),
        course_url=offer.course_url or site.login_url,
        failure_code=charge.failure_code if charge else None,
        until=datetime.fromisoformat(until) if until else None,
        access_open=grant is not None and grant.applied is Access.GRANTED,
        support_email=site.support_email,
        debit=notices.of_mail(tx, mail, subscription),
        **kept(mail.data, subscription.currency),
    )


def _buy_url(base_url: str, site: str, offer: str, plan: str | None) -> str:
    """The checkout of an offer; with a plan, of that plan without its trial."""
    address = f"{base_url}/{site}/buy/{offer}"
    return f"{address}?plan={plan}&trial=no" if plan else address


def shut_out(tx: Tx, site_id: int, why: str, now: datetime) -> None:
    """The mail server refuses us, not the letter: mails wait, and somebody has to know."""
    journal.need_attention(
        tx, site_id=site_id, kind="mail_server", subject=f"site:{site_id}", now=now, detail=why
    )


def let_in(tx: Tx, site_id: int, now: datetime) -> None:
    """The mail server took a letter that had failed before."""
    journal.solved(tx, site_id=site_id, kind="mail_server", subject=f"site:{site_id}", now=now)
