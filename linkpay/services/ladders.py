"""Who owes what after a failure, and where each stands on the ladder of help."""

from dataclasses import dataclass, field
from datetime import date, datetime

from linkpay.domain.calendar import local_day
from linkpay.domain.dunning import StepKind, classify
from linkpay.services import access, dunning
from linkpay.store import charges, sites, subscriptions
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Customer, Member, Offer


@dataclass(frozen=True, slots=True)
class Rung:
    """One failed charge. `reason` is the bank's code, `reason_class` what follows from it.

    `next_step` is ``mail``, ``debit`` or ``end_grace``, None when nothing more comes; `hindered` says why no
    debit follows. Days are days of the site, whose `zone` shows instants to people. `access_until` is None
    where there is none, or no end to it.
    """

    charge_id: int
    subscription_id: int
    site: str
    zone: str
    email: str
    payer_email: str
    offer: str
    starts_on: date
    owed_cents: int
    currency: str
    subscription_state: str
    charge_state: str
    reason: str | None
    reason_class: str
    taken_back: bool
    failed_at: datetime
    bounces: int
    next_step: str | None
    next_at: datetime | None
    grace_until: datetime
    access_until: datetime | None
    stopped_at: datetime | None
    hindered: str | None
    debits_on: list[date] = field(default_factory=list)


def rungs(tx: Tx, now: datetime, *, site_id: int | None = None) -> list[Rung]:
    """Every charge that failed and is still asked for, the oldest failure first; of one site when named."""
    return [_rung(tx, charge, now) for charge in charges.failing(tx, site_id)]


def rung(tx: Tx, charge: Charge, now: datetime) -> Rung:
    """Where one failed charge stands."""
    return _rung(tx, charge, now)


def _rung(tx: Tx, charge: Charge, now: datetime) -> Rung:
    subscription = subscriptions.get(tx, charge.subscription_id)
    site = sites.get(tx, charge.site_id)
    failure = dunning.failure_of(tx, subscription, charge)
    steps = dunning.to_come(tx, subscription, charge)
    wanted = access.wanted_access(tx, site, subscription.member_id, subscription.offer_id, now)
    return Rung(
        charge_id=charge.id,
        subscription_id=subscription.id,
        site=site.slug,
        zone=site.zone,
        email=tx.get_one(Member, subscription.member_id).email,
        payer_email=tx.get_one(Customer, subscription.customer_id).email,
        offer=tx.get_one(Offer, subscription.offer_id).title,
        starts_on=charge.starts_on,
        owed_cents=charge.asked_cents,
        currency=charge.currency,
        subscription_state=subscription.state.value,
        charge_state=charge.state.value,
        reason=charge.failure_code,
        reason_class=classify(charge.failure_code).value,
        taken_back=charge.taken_back,
        failed_at=failure.at,
        bounces=charges.bounces(tx, charge.id),
        next_step=steps[0].kind.value if steps else None,
        next_at=steps[0].at if steps else None,
        grace_until=dunning.grace_end(tx, subscription, charge),
        access_until=wanted.until,
        stopped_at=charge.dunning_stopped_at,
        hindered=dunning.hinders(tx, subscription, charge),
        debits_on=[local_day(step.at, site.zone) for step in steps if step.kind is StepKind.DEBIT],
    )
