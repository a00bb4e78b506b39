"""What goes for everybody who comes along from elsewhere: the consent she gave there, and her access."""

from datetime import datetime

from linkpay.domain.calendar import day_starts_at
from linkpay.domain.notice import Told
from linkpay.services import access, notices
from linkpay.services.formats import day_text
from linkpay.store import grants, people, sites
from linkpay.store import notices as store
from linkpay.store.db import Tx
from linkpay.store.tables import Consent, Customer, Mandate, Subscription

_TEXTS = {
    "nl": "Overgenomen uit Mollie. {name} gaf {site} eerder toestemming voor deze afschrijvingen"
    "{mandate}. LinkPay heeft de oorspronkelijke tekst niet gezien.",
    "en": "Taken over from Mollie. {name} allowed {site} these debits before{mandate}. "
    "LinkPay has not seen the original words.",
}
_MANDATES = {"nl": " (machtiging {reference}, {day})", "en": " (mandate {reference}, {day})"}


def consent(tx: Tx, subscription: Subscription, mandate: Mandate | None, now: datetime) -> None:
    """Record that the payer had agreed before: nothing is charged without a consent that is kept."""
    if people.consents(tx, subscription.id):
        return
    customer = tx.get_one(Customer, subscription.customer_id)
    language = customer.locale if customer.locale in _TEXTS else "nl"
    signed_on = mandate.signed_on if mandate else None
    told = ""
    if mandate is not None and signed_on is not None:
        reference = mandate.reference or mandate.mollie_id
        told = _MANDATES[language].format(reference=reference, day=day_text(signed_on, language))
    text = _TEXTS[language].format(
        name=customer.name, site=sites.get(tx, subscription.site_id).name, mandate=told
    )
    tx.add(
        Consent(
            site_id=subscription.site_id, customer_id=customer.id, subscription_id=subscription.id,
            kind="mandate", locale=language, text=text, created_at=now,
            data={"imported": True, "signed_on": signed_on.isoformat() if signed_on else None},
        )
    )  # fmt: skip


def told_before(tx: Tx, subscription: Subscription, mandate: Mandate | None, now: datetime) -> None:
    """The debits of this amount and rhythm go on: whoever collected them before told of the series.

    That was when the mandate was signed, as far as anybody knows. A change of amount, day or account is told
    by us like every other.
    """
    debit = notices.next_debit(tx, subscription)
    if debit is None or mandate is None or debit.mandate_id != mandate.id:
        return
    zone = sites.get(tx, subscription.site_id).zone
    series = Told(mandate.id, debit.cents, debit.due_on, None, subscription.terms.interval)
    signed_at = day_starts_at(mandate.signed_on, zone) if mandate.signed_on else now
    store.keep(tx, subscription, series, now, sent_at=min(now, signed_at))


def let_in(tx: Tx, subscription: Subscription, now: datetime) -> None:
    """Give the access that the money buys. She was welcomed elsewhere, so nobody welcomes her again."""
    access.review_purchase(tx, subscription, now)
    grant = grants.find(tx, subscription.member_id, subscription.offer_id)
    if grant is not None and grant.first_granted_at is None:
        grant.first_granted_at = now
