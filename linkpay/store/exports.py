"""Everything that is an owner's, as sheets of plain columns: people by e-mail, things by their slugs.

No token, no key and no sealed value leaves by here.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Date, Enum, Integer, Select, String, TypeDecorator, func, select
from sqlalchemy.orm import aliased

from linkpay.store.db import Tx
from linkpay.store.tables import (
    Charge,
    Consent,
    Coupon,
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
    Payment,
    Plan,
    PriceChange,
    Redemption,
    Refund,
    Subscription,
    Withdrawal,
)
from linkpay.store.tables.terms import agreed_columns

#: A query of any columns.
Query = Select[*tuple[Any, ...]]

_AT_ONCE = 500
#: What a subscription is, beside its terms; all of it comes back when it is read in.
DAYS = (
    "anchor_on", "anchor_index", "next_index", "next_charge_on", "bound_until", "started_at", "cancel_on",
    "cancel_asked_at", "cancel_reason", "canceled_by", "access_ends_at", "pause_on", "resume_on",
    "pause_keeps_access", "not_before_on", "company", "vat_number",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file: its name without ``.csv``, and the query whose columns it has."""

    name: str
    query: Query

    @property
    def columns(self) -> Sequence[str]:
        """The headings."""
        return [str(column.key) for column in self.query.selected_columns]


def sheets(site_id: int) -> list[Sheet]:
    """All sheets of one site, in an order in which they can be read in again."""
    return [Sheet(name, build(site_id)) for name, build in _SHEETS.items()]


def rows(tx: Tx, sheet: Sheet) -> Iterator[Sequence[Any]]:
    """The rows of a sheet, oldest first, a few hundred in memory at a time."""
    yield from tx.execute(sheet.query.execution_options(yield_per=_AT_ONCE))


def reader(table: type[Any], name: str) -> Callable[[str | None], Any]:
    """How the text of a cell becomes a value of one column; raises ValueError for what it cannot be."""
    kind = getattr(table, name).type
    if isinstance(kind, TypeDecorator):
        return _instant
    match kind:
        case Enum(enum_class=known) if known is not None:
            return lambda text: None if text is None else known(text)
        case Boolean():
            return lambda text: None if text is None else {"true": True, "false": False}[text]
        case Integer():
            return lambda text: None if text is None else int(text)
        case Date():
            return lambda text: None if text is None else date.fromisoformat(text)
        case String() | JSON():
            return lambda text: text
    raise AssertionError(f"{name} is of no kind that is read in")


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return found


def _members(site_id: int) -> Query:
    columns = (
        Member.email, Member.name, Member.external_user_id, Member.blocked_at, Member.blocked_reason,
        Member.created_at,
    )  # fmt: skip
    return select(*columns).where(Member.site_id == site_id).order_by(Member.id)


def _mandates(site_id: int) -> Query:
    columns = (
        Mandate.mollie_id, Customer.mollie_id.label("mollie_customer_id"),
        Customer.email.label("payer_email"), Mandate.status, Mandate.method, Mandate.account_hint,
        Mandate.reference, Mandate.signed_on, Mandate.unusable_at, Mandate.unusable_code, Mandate.created_at,
    )  # fmt: skip
    joined = select(*columns).join(Customer, Customer.id == Mandate.customer_id)
    return joined.where(Mandate.site_id == site_id).order_by(Mandate.id)


def _coupons(site_id: int) -> Query:
    columns = (
        Coupon.code, Coupon.kind, Coupon.value, Coupon.duration, Coupon.periods, Coupon.max_uses,
        Coupon.starts_on, Coupon.ends_on, Coupon.plan_slugs, Coupon.archived_at, Coupon.created_at,
    )  # fmt: skip
    return select(*columns).where(Coupon.site_id == site_id).order_by(Coupon.id)


def _subscriptions(site_id: int) -> Query:
    following = aliased(Plan)
    credit = select(func.sum(Credit.amount_cents)).where(Credit.subscription_id == Subscription.id)
    columns = (
        Subscription.id, Subscription.state, Subscription.origin, Customer.email.label("payer_email"),
        Customer.name.label("payer_name"), Customer.locale.label("payer_locale"),
        Customer.mollie_id.label("mollie_customer_id"), Member.email.label("member_email"),
        Offer.slug.label("offer"), Plan.slug.label("plan"), following.slug.label("next_plan"),
        Mandate.mollie_id.label("mandate"), *(getattr(Subscription, name) for name in agreed_columns()),
        *(getattr(Subscription, name) for name in DAYS), Coupon.code.label("coupon"),
        Redemption.kind.label("discount_kind"), Redemption.value.label("discount_value"),
        Redemption.duration.label("discount_duration"), Redemption.periods.label("discount_periods"),
        Redemption.counted_at.label("discount_counted_at"),
        func.coalesce(credit.scalar_subquery(), 0).label("credit_cents"), Subscription.ended_at,
        Subscription.created_at,
    )  # fmt: skip
    return (
        select(*columns)
        .join(Customer, Customer.id == Subscription.customer_id)
        .join(Member, Member.id == Subscription.member_id)
        .join(Offer, Offer.id == Subscription.offer_id)
        .join(Plan, Plan.id == Subscription.plan_id)
        .outerjoin(following, following.id == Subscription.next_plan_id)
        .outerjoin(Mandate, Mandate.id == Subscription.mandate_id)
        .outerjoin(Redemption, Redemption.subscription_id == Subscription.id)
        .outerjoin(Coupon, Coupon.id == Redemption.coupon_id)
        .where(Subscription.site_id == site_id)
        .order_by(Subscription.id)
    )


def _prices(site_id: int) -> Query:
    columns = (
        PriceChange.subscription_id.label("subscription"), PriceChange.amount_cents, PriceChange.effective_on,
        PriceChange.told_at, PriceChange.applied_at, PriceChange.withdrawn_at, PriceChange.decided_by,
        PriceChange.created_at,
    )  # fmt: skip
    return select(*columns).where(PriceChange.site_id == site_id).order_by(PriceChange.id)


def _consents(site_id: int) -> Query:
    columns = (
        Consent.subscription_id.label("subscription"), Customer.email.label("payer_email"), Consent.kind,
        Consent.locale, Consent.text, Consent.data, Consent.created_at,
    )  # fmt: skip
    joined = select(*columns).join(Customer, Customer.id == Consent.customer_id)
    return joined.where(Consent.site_id == site_id).order_by(Consent.id)


def _notices(site_id: int) -> Query:
    columns = (
        Notice.subscription_id.label("subscription"), Mandate.mollie_id.label("mandate"), Notice.amount_cents,
        Notice.currency, Notice.due_on, Notice.series, Notice.interval_unit, Notice.interval_count,
        Mail.to.label("mailed_to"), Mail.subject, Consent.text.label("consent"), Notice.sent_at,
        Notice.created_at,
    )  # fmt: skip
    return (
        select(*columns)
        .outerjoin(Mandate, Mandate.id == Notice.mandate_id)
        .outerjoin(Mail, Mail.id == Notice.mail_id)
        .outerjoin(Consent, Consent.id == Notice.consent_id)
        .where(Notice.site_id == site_id)
        .order_by(Notice.id)
    )


def _withdrawals(site_id: int) -> Query:
    columns = (
        Withdrawal.subscription_id.label("subscription"), Withdrawal.email, Withdrawal.name,
        Withdrawal.reference, Withdrawal.statement, Withdrawal.received_at, Withdrawal.proven_at,
        Withdrawal.done_at, Withdrawal.outcome, Withdrawal.refund_cents,
    )  # fmt: skip
    return select(*columns).where(Withdrawal.site_id == site_id).order_by(Withdrawal.id)


def _charges(site_id: int) -> Query:
    columns = (
        Charge.id, Charge.subscription_id.label("subscription"), Charge.period, Charge.starts_on,
        Charge.ends_on, Charge.due_on, Charge.amount_cents, Charge.currency, Charge.vat_basis_points,
        Charge.lines, Charge.state, Charge.paid_cents, Charge.refunded_cents, Charge.charged_back_cents,
        Charge.paid_at, Charge.failed_at, Charge.failure_code, Charge.created_at,
    )  # fmt: skip
    return select(*columns).where(Charge.site_id == site_id).order_by(Charge.id)


def _payments(site_id: int) -> Query:
    columns = (
        Payment.id, Payment.charge_id.label("charge"), Payment.mollie_id, Payment.sequence,
        Payment.amount_cents, Payment.currency, Payment.status, Payment.method, Payment.paid_at,
        Payment.failure_code, Mandate.mollie_id.label("mandate"), Payment.created_at,
    )  # fmt: skip
    joined = select(*columns).outerjoin(Mandate, Mandate.id == Payment.mandate_id)
    return joined.where(Payment.site_id == site_id).order_by(Payment.id)


def _refunds(site_id: int) -> Query:
    columns = (
        Refund.payment_id.label("payment"), Refund.mollie_id, Refund.reason, Refund.amount_cents,
        Refund.currency, Refund.stroke, Refund.created_at,
    )  # fmt: skip
    return select(*columns).where(Refund.site_id == site_id).order_by(Refund.id)


def _ledger(site_id: int) -> Query:
    columns = (
        LedgerEntry.ref, LedgerEntry.kind, LedgerEntry.charge_id.label("charge"),
        LedgerEntry.payment_id.label("payment"), LedgerEntry.amount_cents, LedgerEntry.currency,
        LedgerEntry.occurred_at, LedgerEntry.created_at,
    )  # fmt: skip
    return select(*columns).where(LedgerEntry.site_id == site_id).order_by(LedgerEntry.id)


def _grants(site_id: int) -> Query:
    columns = (
        Member.email.label("member_email"), Offer.slug.label("offer"), Grant.wanted, Grant.reason,
        Grant.until, Grant.wanted_at, Grant.applied, Grant.applied_at, Grant.first_granted_at,
    )  # fmt: skip
    joined = select(*columns).join(Member, Member.id == Grant.member_id)
    return joined.join(Offer, Offer.id == Grant.offer_id).where(Grant.site_id == site_id).order_by(Grant.id)


def _gifts(site_id: int) -> Query:
    columns = (
        Member.email.label("member_email"), Offer.slug.label("offer"), Gift.until, Gift.reason,
        Gift.given_by, Gift.taken_back_at, Gift.created_at,
    )  # fmt: skip
    joined = select(*columns).join(Member, Member.id == Gift.member_id)
    return joined.join(Offer, Offer.id == Gift.offer_id).where(Gift.site_id == site_id).order_by(Gift.id)


def _events(site_id: int) -> Query:
    columns = (
        Event.created_at, Event.kind, Event.actor, Customer.email.label("payer_email"),
        Event.subscription_id.label("subscription"), Event.payment_id.label("payment"), Event.data,
    )  # fmt: skip
    joined = select(*columns).outerjoin(Customer, Customer.id == Event.customer_id)
    return joined.where(Event.site_id == site_id).order_by(Event.id)


_SHEETS: dict[str, Callable[[int], Query]] = {
    "members": _members, "mandates": _mandates, "coupons": _coupons, "subscriptions": _subscriptions,
    "prices": _prices, "consents": _consents, "notices": _notices, "withdrawals": _withdrawals,
    "charges": _charges, "payments": _payments, "refunds": _refunds, "ledger": _ledger, "grants": _grants,
    "gifts": _gifts, "events": _events,
}  # fmt: skip
