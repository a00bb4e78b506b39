"""What was told of debits to come, and what the rules make of it. Mails are owed by `announcing`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from linkpay.domain import notice
from linkpay.domain.calendar import Interval, Unit, local_day
from linkpay.domain.money import Money
from linkpay.domain.notice import Debit, Rhythm, Told, Verdict
from linkpay.domain.snapshots import MandateStatus
from linkpay.domain.subscription import LIVE
from linkpay.services import coming
from linkpay.services.coming import Next
from linkpay.services.formats import day_text, money_text
from linkpay.store import charges, people, sites
from linkpay.store import notices as store
from linkpay.store.db import Tx
from linkpay.store.remembering import held
from linkpay.store.tables import Charge, Consent, Customer, Mail, Mandate, Notice, Payment, Site, Subscription

_SEPA = "directdebit"
#: Mails after which a series of debits follows, and which tell of it.
_OF_WHAT_FOLLOWS = frozenset({"welcome", "upsell_agreed", "switched", "mandate_renewed", "reactivated"})
_GONE = (MandateStatus.INVALID, MandateStatus.REVOKED)
#: Consents that were kept before their figures were: their words promise two days.
_DAYS_OF_OLD_WORDS = 2


@dataclass(frozen=True, slots=True)
class Coming:
    """A debit that is told, or to be told, as a mail speaks of it.

    `every` says that the ones after it are of the same amount, and how far apart.
    """

    amount: Money
    on: date
    every: Interval | None
    mandate_id: int
    mandate_reference: str | None
    creditor_id: str | None
    account_hint: str | None

    @property
    def plain(self) -> dict[str, Any]:
        """The same as plain values, to be kept with a mail."""
        return {
            "amount_cents": self.amount.cents, "currency": self.amount.currency, "on": self.on.isoformat(),
            "every": [self.every.unit.value, self.every.count] if self.every else None,
            "mandate_id": self.mandate_id, "mandate_reference": self.mandate_reference,
            "creditor_id": self.creditor_id, "account_hint": self.account_hint,
        }  # fmt: skip


def _from_plain(kept: Mapping[str, Any]) -> Coming:
    """A debit as it was kept with a mail."""
    every = kept["every"]
    return Coming(
        Money(kept["amount_cents"], kept["currency"]), date.fromisoformat(kept["on"]),
        Interval(Unit(every[0]), every[1]) if every else None,
        kept["mandate_id"], kept["mandate_reference"], kept["creditor_id"], kept["account_hint"],
    )  # fmt: skip


def sepa_mandate(tx: Tx, subscription: Subscription) -> Mandate | None:
    """The mandate by which a debit would be a SEPA debit; None where nothing is debited, or a card is."""
    mandate = held(tx, Mandate, subscription.mandate_id) if subscription.mandate_id else None
    if mandate is None or mandate.method != _SEPA or mandate.status in _GONE:
        return None
    return mandate


def days_agreed(tx: Tx, site: Site, subscription: Subscription) -> int:
    """Days between notice and debit: what the member agreed to last, else what the policy says."""
    agreed = None
    for consent in people.consents(tx, subscription.id):
        if "notice_days" in consent.data:
            agreed = int(consent.data["notice_days"])
        elif consent.kind == "mandate" and not consent.data:
            agreed = _DAYS_OF_OLD_WORDS
    return sites.policy_of(site, subscription.policy).notice_days if agreed is None else agreed


def next_debit(tx: Tx, subscription: Subscription) -> Debit | None:
    """The debit of the next period that has no charge yet; None when none needs a notice."""
    if sepa_mandate(tx, subscription) is None:
        return None  # a card needs none, so nobody has to work out what it pays
    return _debit_of(tx, subscription, coming.collection(tx, subscription))


def _debit_of(tx: Tx, subscription: Subscription, to_come: Next | None) -> Debit | None:
    mandate = sepa_mandate(tx, subscription)
    if mandate is None or to_come is None or to_come.cents == 0:
        return None
    return Debit(mandate.id, to_come.cents, to_come.due_on, Rhythm(to_come.anchor_on, to_come.interval))


def as_told(tx: Tx, site: Site, subscription: Subscription, to_come: Next) -> Coming | None:
    """A collection to come in the words of a mail, with the series that it begins; None without a notice."""
    debit = _debit_of(tx, subscription, to_come)
    if debit is None:
        return None
    told = describe(tx, site, subscription, debit, debit.due_on)
    return replace(told, every=to_come.interval if to_come.goes_on else None)


def missed_debit(tx: Tx, subscription: Subscription, index: int, due_on: date) -> Debit | None:
    """The debit of a period that is due already; None when none needs a notice."""
    mandate, anchor_on = sepa_mandate(tx, subscription), subscription.anchor_on
    cents = coming.cents_of(tx, subscription, index, due_on)
    if mandate is None or anchor_on is None or cents == 0:
        return None
    return Debit(mandate.id, cents, due_on, Rhythm(anchor_on, subscription.terms.interval))


def debit_again(tx: Tx, subscription: Subscription, charge: Charge, today: date) -> Debit | None:
    """The debit of a charge that failed before, tried again today; None when it needs no notice."""
    mandate = sepa_mandate(tx, subscription)
    if mandate is None or charge.asked_cents == 0:
        return None
    return Debit(mandate.id, charge.asked_cents, today, again=True)


def prepared_debit(tx: Tx, payment: Payment) -> Debit | None:
    """The debit of an attempt that was never on the wire; None when it needs no notice."""
    if payment.key_used_at is not None or not payment.is_open or payment.mandate_id is None:
        return None
    charge = charges.get(tx, payment.charge_id)
    subscription = held(tx, Subscription, charge.subscription_id)
    mandate = held(tx, Mandate, payment.mandate_id)
    if mandate.method != _SEPA or subscription.anchor_on is None:
        return None
    again = charge.failed_at is not None
    rhythm = Rhythm(subscription.anchor_on, subscription.terms.interval)
    return Debit(mandate.id, payment.amount_cents, charge.due_on, rhythm, again=again)


def judge(tx: Tx, site: Site, subscription: Subscription, debit: Debit, today: date) -> Verdict:
    """What the notices so far say of a debit."""
    told = known(tx, site, subscription)
    return notice.verdict(debit, told, days=days_agreed(tx, site, subscription), today=today)


def was_told(tx: Tx, site: Site, subscription: Subscription, debit: Debit, days: int) -> bool:
    """Whether a debit was told for its own day and amount by something that left: it needs no more notice."""
    sent = [one for one in known(tx, site, subscription) if one.sent_on is not None]
    found = notice.verdict(debit, sent, days=days, today=debit.due_on)
    return found.told and found.first_day == debit.due_on


def known(tx: Tx, site: Site, subscription: Subscription) -> list[Told]:
    """All that was told of debits, or is on its way, as the rule sees it."""
    told = [_told(one, site) for one in store.of_subscription(tx, subscription.id)]
    return [one for one in told if one is not None]


def _told(row: Notice, site: Site) -> Told | None:
    if row.mandate_id is None:
        return None
    sent_on = local_day(row.sent_at, site.zone) if row.sent_at else None
    # Her own yes needs no days, and nor does a series that was under way when it was taken over.
    agreed = row.consent_id is not None or row.mail_id is None
    return Told(row.mandate_id, row.amount_cents, row.due_on, sent_on, every_of(row), agreed)


def every_of(row: Notice) -> Interval | None:
    """How far apart the debits of a series are; None for a notice of one debit."""
    if not row.series or row.interval_unit is None or row.interval_count is None:
        return None
    return Interval(Unit(row.interval_unit), row.interval_count)


def describe(tx: Tx, site: Site, subscription: Subscription, debit: Debit, on: date) -> Coming:
    """A debit in the words of a mail."""
    mandate = held(tx, Mandate, debit.mandate_id)
    return Coming(
        amount=Money(debit.cents, subscription.currency),
        on=on,
        every=_every(tx, subscription, debit, on),
        mandate_id=mandate.id,
        mandate_reference=mandate.reference,
        creditor_id=site.creditor_id,
        account_hint=mandate.account_hint,
    )


def _every(tx: Tx, subscription: Subscription, debit: Debit, on: date) -> Interval | None:
    """The rhythm that goes on after this debit, if it does, with the same amount on its own days."""
    if debit.rhythm is None or on != debit.due_on:
        return None
    to_come = coming.collection(tx, subscription)
    is_next = to_come is not None and (to_come.due_on, to_come.cents) == (debit.due_on, debit.cents)
    return to_come.interval if to_come is not None and is_next and to_come.goes_on else None


def of_mail(tx: Tx, mail: Mail, subscription: Subscription) -> Coming | None:
    """The debit that a mail tells of."""
    if mail.data.get("debit"):
        return _from_plain(mail.data["debit"])
    site = sites.get(tx, subscription.site_id)
    if mail.kind in _OF_WHAT_FOLLOWS:
        debit = next_debit(tx, subscription)
        if debit is not None and subscription.not_before_on is not None:
            debit = replace(debit, due_on=max(debit.due_on, subscription.not_before_on))
    elif mail.charge_id is not None and mail.data.get("next_debit_on"):
        on = date.fromisoformat(mail.data["next_debit_on"])
        debit = debit_again(tx, subscription, charges.get(tx, mail.charge_id), on)
    else:
        debit = None
    return describe(tx, site, subscription, debit, debit.due_on) if debit else None


def keep(tx: Tx, mail: Mail, subscription: Subscription) -> None:
    """Keep what a mail tells of a debit as its notice: it counts once the mail left."""
    first = of_mail(tx, mail, subscription)
    if first is None:
        return
    if mail.text is not None:
        store.forget(tx, mail.id)  # what it was to tell before its words were known
    later = [date.fromisoformat(day) for day in mail.data.get("debits_on", ())[1:]]
    for told in (first, *(replace(first, on=day) for day in later)):
        if mail.text is None or is_named(tx, told, mail.text, subscription):
            kept = Told(told.mandate_id, told.amount.cents, told.on, None, told.every)
            store.keep(tx, subscription, kept, mail.created_at, mail_id=mail.id)


def is_to_come(tx: Tx, mail: Mail, subscription: Subscription) -> bool:
    """Whether the debit that a mail was to tell of may still be asked for: who left is told of none."""
    told = of_mail(tx, mail, subscription)
    if told is None or subscription.state not in LIVE or subscription.mandate_id != told.mandate_id:
        return False
    return subscription.cancel_on is None or told.on < subscription.cancel_on


def forget(tx: Tx, mail: Mail) -> None:
    """A mail that was to tell of a debit does not leave: nothing was told."""
    store.forget(tx, mail.id)


def is_told_by(tx: Tx, mail: Mail, text: str, subscription: Subscription) -> bool:
    """Whether a text names the debit that its mail is about."""
    told = of_mail(tx, mail, subscription)
    return told is not None and is_named(tx, told, text, subscription)


def is_named(tx: Tx, told: Coming, text: str, subscription: Subscription) -> bool:
    """Whether a text names the debit: an owner's own words for a mail may leave it out."""
    locale = tx.get_one(Customer, subscription.customer_id).locale
    said = (money_text(told.amount, locale), day_text(told.on, locale), told.mandate_reference or "")
    return all(" ".join(part.split()) in text for part in said)


def agreed_to(tx: Tx, subscription: Subscription, consent: Consent | None) -> None:
    """The next debit, and the series after it, stood on the page on which its payer agreed: she was told."""
    debit = next_debit(tx, subscription)
    if consent is None or debit is None:
        return
    every = _every(tx, subscription, debit, debit.due_on)
    told = Told(debit.mandate_id, debit.cents, debit.due_on, None, every)
    at = consent.created_at
    store.keep(tx, subscription, told, at, consent_id=consent.id, sent_at=at)


def agreed_at_checkout(tx: Tx, subscription: Subscription) -> None:
    """A purchase is paid: the page on which it was agreed to named the first debit and those after it."""
    given = [one for one in people.consents(tx, subscription.id) if one.kind == "mandate" and one.data]
    agreed_to(tx, subscription, given[-1] if given else None)


def agreed_with_account(tx: Tx, subscription: Subscription) -> None:
    """Another account or card is collected from, if the page on which it was given named the next debit."""
    due_on = subscription.next_charge_on
    given = [one for one in people.consents(tx, subscription.id) if one.kind == "mandate"]
    if given and due_on is not None and given[-1].data.get("next_on") == due_on.isoformat():
        agreed_to(tx, subscription, given[-1])
