"""What the pages of a purchase show: read models, in plain values."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from linkpay.domain import pricing
from linkpay.domain.calendar import local_day
from linkpay.domain.charge import ChargeState
from linkpay.domain.money import Money
from linkpay.domain.plan import Terms
from linkpay.domain.policy import Policy
from linkpay.domain.pricing import Line
from linkpay.domain.quote import Quote, Run, quote, runs
from linkpay.domain.subscription import OVER, SubscriptionState
from linkpay.services import charging, coming, debits
from linkpay.store import charges, grants, sites, work
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Customer, Grant, Mandate, Member, Offer, Payment, Site, Subscription
from linkpay.store.tables.people import Access


class Stage(StrEnum):
    """Where a purchase stands, as its buyer should be told.

    to_pay: nothing came in, she can pay. waiting: a payment is under way at the bank. opening: paid,
    Kajabi is being told. open: she can go in. troubled: paid, Kajabi refuses, the owner was told.
    owing: a later period is unpaid. closed: access ended. ended: never started and over.
    """

    TO_PAY = "to_pay"
    WAITING = "waiting"
    OPENING = "opening"
    OPEN = "open"
    TROUBLED = "troubled"
    OWING = "owing"
    CLOSED = "closed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Order:
    """The order page. `charge_token` opens the pay page of what is owed, None when nothing is.

    `started` says that money came before, `at_bank` that a payment under way needs nothing from its buyer any
    more.
    """

    stage: Stage
    started: bool
    locale: str
    offer_slug: str
    offer_title: str
    amount: Money
    customer_name: str
    member_email: str
    course_url: str | None
    charge_token: str | None
    last_failed: bool
    paid_twice: bool
    next_charge_on: date | None
    next_amount: Money
    account_hint: str | None
    access_until: datetime | None
    at_bank: bool
    lines: tuple[Line, ...]
    terms: Terms


def order(tx: Tx, site: Site, subscription: Subscription) -> Order:
    """Everything the order page says about one purchase."""
    offer = tx.get_one(Offer, subscription.offer_id)
    mandate = tx.get(Mandate, subscription.mandate_id) if subscription.mandate_id else None
    made = charges.of_subscription(tx, subscription.id)
    owed = next((charge for charge in made if charging.awaits_payer(subscription, charge)), None)
    grant = grants.find(tx, subscription.member_id, subscription.offer_id)
    attempts = [attempt for charge in made for attempt in charges.payments(tx, charge.id)]
    shown = owed or (made[-1] if made else None)
    customer = tx.get_one(Customer, subscription.customer_id)
    return Order(
        stage=_stage(tx, subscription, owed, grant),
        started=subscription.started_at is not None,
        locale=customer.locale,
        offer_slug=offer.slug,
        offer_title=offer.title,
        amount=Money(shown.amount_cents if shown else subscription.amount_cents, subscription.currency),
        customer_name=customer.name,
        member_email=tx.get_one(Member, subscription.member_id).email,
        course_url=offer.course_url or site.login_url,
        charge_token=owed.token if owed and subscription.state not in OVER else None,
        last_failed=bool(attempts) and not attempts[-1].is_open and attempts[-1].paid_at is None,
        paid_twice=_paid_twice(subscription, made),
        next_charge_on=subscription.next_charge_on,
        next_amount=Money(coming.next_cents(tx, subscription), subscription.currency),
        account_hint=mandate.account_hint if mandate else None,
        access_until=grant.until if grant and grant.wanted is Access.GRANTED else None,
        at_bank=any(charges.debit_runs(attempt) for attempt in attempts),
        lines=tuple(pricing.from_plain(shown.lines)) if shown else (),
        terms=subscription.terms,
    )


def _paid_twice(subscription: Subscription, made: Sequence[Charge]) -> bool:
    """Whether money goes back by itself: a charge paid beyond its amount, or a sign-up that was let go
    and paid after another one had given the same."""
    let_go = subscription.started_at is None and subscription.state is SubscriptionState.ENDED
    return any(charge.money.paid_cents > (0 if let_go else charge.amount_cents) for charge in made)


def _stage(tx: Tx, subscription: Subscription, owed: Charge | None, grant: Grant | None) -> Stage:
    wanted = grant is not None and grant.wanted is Access.GRANTED
    payment = charges.open_payment(tx, owed.id) if owed else None
    # An attempt that Mollie has not confirmed gave its buyer no page to pay on yet.
    was_at_bank = payment is not None and payment.mollie_id is not None
    if subscription.started_at is None:
        if subscription.state is SubscriptionState.ENDED:
            return Stage.ENDED
        return Stage.WAITING if was_at_bank else Stage.TO_PAY
    if owed is not None and subscription.state in (SubscriptionState.PAST_DUE, SubscriptionState.SUSPENDED):
        return Stage.WAITING if was_at_bank or owed.state is ChargeState.COLLECTING else Stage.OWING
    if grant is None or not wanted:
        return Stage.CLOSED
    if grant.applied is Access.GRANTED and grant.applied_version == grant.version:
        return Stage.OPEN
    return Stage.TROUBLED if work.is_parked(tx, "apply_grant", grant.id) else Stage.OPENING


def look_now(tx: Tx, subscription: Subscription, now: datetime) -> None:
    """A buyer is looking at her order: ask Mollie soon rather than at the next poll.

    Finds a payment whose webhook was lost while its buyer waits; at most once in five seconds.
    """
    for charge in charges.of_subscription(tx, subscription.id):
        payment = charges.open_payment(tx, charge.id)
        if payment is not None and payment.mollie_id is not None and _not_just_made(payment, now):
            work.bring_forward(tx, "poll_payment", payment.uid, now)


def _not_just_made(payment: Payment, now: datetime) -> bool:
    return (now - payment.created_at).total_seconds() > debits.LOOK_AFTER_SECONDS


@dataclass(frozen=True, slots=True)
class Bill:
    """The pay page of one charge.

    `started` says that an earlier payment began the subscription, `over` that it takes no more,
    `has_access_already` that Kajabi gave the access before anything was paid, `shut_out` that access ended
    until this is paid.
    `next_charge_on` is the day of the next collection where paying does not move it, `runs` what is still
    to be collected. `proves` says that its payer may choose by which `method` an account is proven, since
    nothing else is to be paid; `to_prove` that a card has to be proven by a payment of nothing.
    """

    charge_id: int
    offer_slug: str
    offer_title: str
    amount: Money
    starts_on: date
    ends_on: date
    owed: Money
    debit_runs: bool
    terms: Terms
    started: bool
    has_access_already: bool
    shut_out: bool
    over: bool
    next_charge_on: date | None
    locale: str
    order_token: str
    lines: tuple[Line, ...]
    quote: Quote
    runs: tuple[Run, ...]
    policy: Policy
    proves: bool
    to_prove: bool
    method: str | None


def bill(tx: Tx, charge: Charge, now: datetime) -> Bill:
    """Everything the pay page says about one charge."""
    subscription = tx.get_one(Subscription, charge.subscription_id)
    payment = charges.open_payment(tx, charge.id)
    offer = tx.get_one(Offer, subscription.offer_id)
    site = sites.get(tx, charge.site_id)
    moves = subscription.state is SubscriptionState.SUSPENDED
    return Bill(
        charge_id=charge.id,
        offer_slug=offer.slug,
        offer_title=offer.title,
        amount=Money(charge.amount_cents, charge.currency),
        starts_on=charge.starts_on,
        ends_on=charge.ends_on,
        owed=Money(charge.asked_cents, charge.currency),
        debit_runs=payment is not None and charges.debit_runs(payment),
        terms=subscription.terms,
        started=subscription.started_at is not None,
        has_access_already=subscription.origin == "kajabi",
        shut_out=moves,
        over=subscription.state is SubscriptionState.ENDED,
        next_charge_on=None if moves else subscription.next_charge_on,
        locale=tx.get_one(Customer, subscription.customer_id).locale,
        order_token=subscription.token,
        lines=tuple(pricing.from_plain(charge.lines)),
        quote=quote(
            subscription.terms,
            local_day(now, site.zone),
            vat_basis_points=charge.vat_basis_points,
            discount=charging.discount(tx, subscription),
        ),
        runs=tuple(still_to_come(tx, subscription)),
        policy=sites.policy_of(site, subscription.policy),
        proves=subscription.started_at is None and charging.only_checks(charge) and payment is None,
        to_prove=charge.amount_cents == 0 and charging.awaits_payer(subscription, charge),
        method=charging.proof_method(charge),
    )


def still_to_come(tx: Tx, subscription: Subscription) -> Iterable[Run]:
    """What is collected after the charges that were made, at the prices that count then."""
    if subscription.anchor_on is None or subscription.next_charge_on is None:
        return ()
    terms = charging.terms_on(tx, subscription, subscription.next_charge_on)
    return runs(
        terms,
        subscription.anchor_on,
        subscription.next_index,
        charging.discount(tx, subscription),
        anchor_index=subscription.anchor_index,
    )
