"""What people see of members: one line per subscription, in plain values."""

from dataclasses import dataclass
from datetime import date, datetime

from linkpay.domain.plan import PlanKind
from linkpay.store import overview as store
from linkpay.store import sites
from linkpay.store.db import Tx
from linkpay.store.tables import Grant, Mandate, Payment
from linkpay.store.tables.people import Access


@dataclass(frozen=True, slots=True)
class AccessLine:
    """Wanted and applied access. `until` is None for ever, or while nothing is known."""

    wanted: str
    applied: str
    is_applied: bool
    reason: str
    until: datetime | None
    applied_at: datetime | None


@dataclass(frozen=True, slots=True)
class MandateLine:
    """The mandate that is charged; `account_hint` shows at most four digits."""

    method: str
    account_hint: str | None
    status: str


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """The latest attempt to collect; `status` is None while Mollie has not answered."""

    mollie_id: str | None
    status: str | None
    method: str | None
    amount_cents: int
    currency: str
    failure_code: str | None
    created_at: datetime
    paid_at: datetime | None


@dataclass(frozen=True, slots=True)
class MemberLine:
    """One subscription. Days are days of the site, whose `zone` shows instants to people.

    `paid_until` is the first day that no paid period covers, None where paying buys no time.
    """

    subscription_id: int
    site: str
    zone: str
    email: str
    payer_email: str
    name: str
    offer: str
    plan: str
    kind: str
    state: str
    origin: str
    amount_cents: int
    currency: str
    owed_cents: int
    started_at: datetime | None
    paid_until: date | None
    next_charge_on: date | None
    cancel_on: date | None
    access: AccessLine | None
    mandate: MandateLine | None
    last_payment: PaymentLine | None


def members(tx: Tx, *, email: str | None = None, site: str | None = None) -> list[MemberLine]:
    """A line per subscription, by site and e-mail; of one person or one site when named."""
    return [_line(one) for one in store.holdings(tx, email=email, site=site)]


def _line(one: store.Holding) -> MemberLine:
    subscription = one.subscription
    return MemberLine(
        subscription_id=subscription.id,
        site=one.site.slug,
        zone=one.site.zone,
        email=one.member.email,
        payer_email=one.customer.email,
        name=one.member.name,
        offer=one.offer.title,
        plan=one.plan.slug,
        kind=subscription.kind.value,
        state=subscription.state.value,
        origin=subscription.origin,
        amount_cents=subscription.amount_cents,
        currency=subscription.currency,
        owed_cents=one.owed_cents,
        started_at=subscription.started_at,
        paid_until=None if subscription.kind is PlanKind.ONE_TIME else one.paid_until,
        next_charge_on=subscription.next_charge_on,
        cancel_on=subscription.cancel_on,
        access=_access(one.grant) if one.grant else None,
        mandate=_mandate(one.mandate) if one.mandate else None,
        last_payment=_payment(one.last_payment) if one.last_payment else None,
    )


def _access(grant: Grant) -> AccessLine:
    return AccessLine(
        wanted=grant.wanted.value,
        applied=grant.applied.value,
        is_applied=grant.applied is grant.wanted and grant.applied_version == grant.version,
        reason=grant.reason,
        until=grant.until,
        applied_at=grant.applied_at,
    )


def _mandate(mandate: Mandate) -> MandateLine:
    return MandateLine(mandate.method, mandate.account_hint, mandate.status.value)


def _payment(payment: Payment) -> PaymentLine:
    return PaymentLine(
        mollie_id=payment.mollie_id,
        status=payment.status.value if payment.status else None,
        method=payment.method,
        amount_cents=payment.amount_cents,
        currency=payment.currency,
        failure_code=payment.failure_code,
        created_at=payment.created_at,
        paid_at=payment.paid_at,
    )


@dataclass(frozen=True, slots=True)
class Passage:
    """How one first payment went from the bank to Kajabi, by the instants that were stored."""

    payment: str | None
    status: str | None
    webhook_at: datetime | None
    booked_at: datetime | None
    granted_at: datetime | None

    @property
    def milliseconds(self) -> float | None:
        """From the first webhook to Kajabi's answer; None without both, or when a look was quicker."""
        if self.webhook_at is None or self.granted_at is None or self.granted_at < self.webhook_at:
            return None
        return (self.granted_at - self.webhook_at).total_seconds() * 1000


def passage(tx: Tx, site_id: int, email: str, offer_id: int) -> Passage | None:
    """The passage of this person's newest payment for an offer; None before she ordered."""
    found = store.newest_payment(tx, site_id, email, offer_id)
    if found is None:
        return None
    payment, grant = found
    arrived = [m for m in store.messages_about(tx, site_id, [payment.mollie_id or ""]) if m.content_type]
    booked = [entry for entry in store.entries_of(tx, [payment.id]) if entry.ref == payment.mollie_id]
    is_open = grant is not None and grant.applied is Access.GRANTED and grant.applied is grant.wanted
    return Passage(
        payment=payment.mollie_id,
        status=payment.status.value if payment.status else None,
        webhook_at=arrived[0].created_at if arrived else None,
        booked_at=booked[0].created_at if booked else None,
        granted_at=grant.applied_at if grant is not None and is_open else None,
    )


def plan_slugs(tx: Tx, site_id: int) -> list[str]:
    """The plans that a site sells now, in the owner's order."""
    return [plan.slug for offer in store.offers(tx, site_id) for plan in sites.plans(tx, offer)]
