"""Members and running subscriptions from an export: decided one by one, and begun where they stood."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from linkpay.domain.calendar import Period, period
from linkpay.domain.charge import ChargeState
from linkpay.domain.email import normalise_email
from linkpay.domain.plan import TRIAL_PERIOD
from linkpay.domain.policy import merge
from linkpay.domain.pricing import Line, LineKind
from linkpay.domain.snapshots import MandateSnapshot, MandateStatus
from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import InputError
from linkpay.services import charging, imported
from linkpay.services.import_sheets import (
    CONSENT,
    COUPON,
    MEMBER,
    PRICE,
    SUBSCRIPTION,
    Folder,
    Row,
)
from linkpay.store import agreements, charges, importing, journal, people, takeovers
from linkpay.store.db import Tx
from linkpay.store.tables import Consent, Customer, Member, Plan, PriceChange, Site, Subscription

#: What runs and owes nothing. Who owes something, or has not begun, is settled where she is.
_RUNNING = frozenset(
    {
        SubscriptionState.ACTIVE,
        SubscriptionState.TRIALING,
        SubscriptionState.CANCELING,
        SubscriptionState.PAUSED,
    }
)


class Fate(StrEnum):
    """`take`, or why a row stays out."""

    TAKE = "take"
    OVER = "over"
    OWES = "owes"
    UNKNOWN_PLAN = "unknown_plan"
    NO_EMAIL = "no_email"
    NO_MANDATE = "no_mandate"
    OTHER_CUSTOMER = "other_customer"
    ALREADY_HERE = "already_here"
    CHARGED_ELSEWHERE = "charged_elsewhere"
    TERMS = "terms"


@dataclass(frozen=True, slots=True)
class Finding:
    """What becomes of one subscription of the folder. `note` says more."""

    number: str
    payer_email: str
    plan: str
    fate: Fate
    note: str = ""


def wanted_mandates(folder: Folder) -> list[tuple[str, str]]:
    """(customer, mandate) at Mollie of every running subscription, to be looked at before deciding."""
    return [
        (row["mollie_customer_id"], row["mandate"])
        for row in folder.subscriptions
        if row["state"] in _RUNNING and row["mandate"] and row["mollie_customer_id"]
    ]


def decide(tx: Tx, site: Site, row: Row, mandates: Mapping[str, MandateSnapshot]) -> Finding:
    """What becomes of one subscription; `mandates` are those that Mollie shows at the site's account."""
    fate, note = _fate(tx, site, row, mandates)
    return Finding(row["id"] or "", row["payer_email"] or "", row["plan"] or "", fate, note)


def _fate(tx: Tx, site: Site, row: Row, mandates: Mapping[str, MandateSnapshot]) -> tuple[Fate, str]:
    if row["state"] not in _RUNNING:
        over = row["state"] in (SubscriptionState.ENDED, SubscriptionState.COMPLETED)
        return (Fate.OVER if over else Fate.OWES), str(row["state"].value if row["state"] else "")
    plan = importing.plan(tx, site.id, row["plan"] or "")
    if plan is None or (row["next_plan"] and importing.plan(tx, site.id, row["next_plan"]) is None):
        return Fate.UNKNOWN_PLAN, row["next_plan"] or ""
    if not (_usable(row["payer_email"]) and _usable(row["member_email"])):
        return Fate.NO_EMAIL, ""
    if wrong := _wrong_terms(row):
        return Fate.TERMS, wrong
    if row["mandate"]:
        seen = mandates.get(row["mandate"])
        if seen is None or seen.status is not MandateStatus.VALID:
            return Fate.NO_MANDATE, seen.status.value if seen else "not at this Mollie account"
        if importing.charged_elsewhere(tx, site.id, row["mandate"]):
            return Fate.CHARGED_ELSEWHERE, ""
    elif row["next_charge_on"]:
        return Fate.NO_MANDATE, ""
    payer = takeovers.payer(tx, site.id, row["mollie_customer_id"] or "", row["payer_email"])
    if payer is not None:
        if payer.mollie_id not in (None, row["mollie_customer_id"]):
            return Fate.OTHER_CUSTOMER, payer.mollie_id or ""
        if takeovers.runs(tx, payer.id, plan.offer_id):
            return Fate.ALREADY_HERE, ""
    return Fate.TAKE, ""


def _usable(email: str | None) -> bool:
    try:
        return bool(email) and normalise_email(email or "") == email
    except InputError:
        return False


def _wrong_terms(row: Row) -> str:
    """Why these cannot be the terms of a subscription that runs; empty when they can."""
    try:
        probe = Subscription(**{name: row[name] for name in SUBSCRIPTION})
        terms = probe.terms
        merge(row["policy"])
    except (TypeError, ValueError) as wrong:
        return str(wrong)
    if not terms.needs_mandate or row["anchor_on"] is None or row["started_at"] is None:
        return "it is none that goes on"
    return "" if row["next_index"] is not None and row["next_index"] >= terms.first_period else "next_index"


def put_member(tx: Tx, site: Site, row: Row, now: datetime) -> bool:
    """One member; False when she is here already, and stays as she is."""
    if not _usable(row["email"]):
        raise InputError(
            "member_email", f"{row['email']!r} is no e-mail address in its stored form.", "email"
        )
    return importing.put(tx, Member, site_id=site.id, created_at=now, **{name: row[name] for name in MEMBER})


def put_coupon(tx: Tx, site: Site, row: Row, now: datetime) -> bool:
    """One coupon; False when its code is here already."""
    return importing.put_coupon(tx, site.id, {name: row[name] for name in COUPON}, now)


def take(
    tx: Tx, site: Site, folder: Folder, row: Row, seen: MandateSnapshot | None, now: datetime
) -> Subscription:  # fmt: skip
    """Begin one subscription where it stood, with its mandate, its prices, its coupon and its consents."""
    plan = importing.plan(tx, site.id, row["plan"])
    assert plan is not None, "decided in this transaction"  # noqa: S101 - said to mypy
    payer = _payer(tx, site, row, now)
    member = people.member_for(tx, site.id, row["member_email"], row["payer_name"] or "", None, now)
    subscription = Subscription(
        site_id=site.id, token=secrets.token_urlsafe(24), customer_id=payer.id, member_id=member.id,
        offer_id=plan.offer_id, plan_id=plan.id, state=row["state"], origin="import", created_at=now,
        mandate_id=_mandate(tx, folder, payer, seen, now), next_plan_id=_next_plan(tx, site, row),
        **{name: row[name] for name in SUBSCRIPTION},
    )  # fmt: skip
    tx.add(subscription)
    tx.flush()
    _paid_before(tx, subscription, now)
    _belongings(tx, subscription, folder, row, now)
    journal.record(tx, "imported", "import", now, subscription=subscription, number=row["id"])
    imported.let_in(tx, subscription, now)
    return subscription


def _payer(tx: Tx, site: Site, row: Row, now: datetime) -> Customer:
    name = row["payer_email"] if row["payer_name"] is None else row["payer_name"]
    locale = row["payer_locale"] or site.locale
    payer = takeovers.payer(tx, site.id, row["mollie_customer_id"] or "", row["payer_email"])
    payer = payer or people.customer_for(tx, site.id, row["payer_email"], name, locale, now)
    payer.mollie_id = payer.mollie_id or row["mollie_customer_id"]
    return payer


def _next_plan(tx: Tx, site: Site, row: Row) -> int | None:
    following: Plan | None = importing.plan(tx, site.id, row["next_plan"]) if row["next_plan"] else None
    return following.id if following else None


def _mandate(
    tx: Tx, folder: Folder, payer: Customer, seen: MandateSnapshot | None, now: datetime
) -> int | None:
    if seen is None:
        return None
    mandate = people.put_mandate(tx, site_id=payer.site_id, customer_id=payer.id, seen=seen, now=now)
    kept = folder.mandates.get(seen.id, {})
    mandate.unusable_at = mandate.unusable_at or kept.get("unusable_at")
    mandate.unusable_code = mandate.unusable_code or kept.get("unusable_code")
    return mandate.id


def _paid_before(tx: Tx, subscription: Subscription, now: datetime) -> None:
    """The periods up to now as ones that cost nothing here: their money is in the books they came from.

    Of a course every term counts; of a membership only the period that runs still gives access.
    """
    terms = subscription.terms
    last = subscription.next_index - 1
    first = terms.first_period if terms.periods is not None else max(terms.first_period, last)
    for index in range(first, last + 1):
        days = _days(subscription, index)
        charge = charges.raise_once(
            tx, site_id=subscription.site_id, subscription_id=subscription.id, period=index,
            token=secrets.token_urlsafe(24), starts_on=days.starts_on, ends_on=days.ends_on,
            due_on=days.starts_on, created_at=now, state=ChargeState.SCHEDULED,
            **charging.values([Line(LineKind.PERIOD, 0, subscription.vat_basis_points)], subscription),
        )  # fmt: skip
        if charge is not None:
            charging.raised(tx, subscription, charge)


def _days(subscription: Subscription, index: int) -> Period:
    anchor_on, terms = subscription.anchor_on, subscription.terms
    assert anchor_on is not None  # noqa: S101 - decided before
    if index == TRIAL_PERIOD and terms.trial is not None:
        return Period(index, anchor_on - timedelta(days=terms.trial.days), anchor_on)
    return period(anchor_on, terms.interval, index, anchor_index=subscription.anchor_index)


def _belongings(tx: Tx, subscription: Subscription, folder: Folder, row: Row, now: datetime) -> None:
    """Announced prices, the coupon as it was agreed, credit in hand, and the consents."""
    for number, price in enumerate(folder.prices.get(row["id"], ())):
        kept = {name: price[name] for name in PRICE}
        tx.add(
            PriceChange(
                site_id=subscription.site_id, subscription_id=subscription.id, created_at=now,
                batch=f"import-{row['id']}-{number}"[:36], **kept,
            )
        )  # fmt: skip
    if row["coupon"]:
        importing.redeem(tx, subscription, row, now)
    if row["credit_cents"]:
        agreements.add_credit(tx, subscription, row["credit_cents"], reason="import", ref="import", now=now)
    agreed = folder.consents.get(row["id"], ())
    for consent in agreed:
        tx.add(
            Consent(
                site_id=subscription.site_id, customer_id=subscription.customer_id,
                subscription_id=subscription.id, **{name: consent[name] for name in CONSENT},
            )
        )  # fmt: skip
    tx.flush()
    mandate = importing.mandate(tx, subscription)
    imported.consent(tx, subscription, mandate, now)
    imported.told_before(tx, subscription, mandate, now)
