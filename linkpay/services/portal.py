"""What a member sees of her own: read models of the portal, in plain values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from linkpay.domain.charge import UNSETTLED, ChargeState
from linkpay.domain.forecast import Item
from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind, Terms
from linkpay.domain.subscription import LIVE, OVER, SubscriptionState
from linkpay.errors import NotFound
from linkpay.services import charging, forecast, standing
from linkpay.store import agreements, foresight, holdings
from linkpay.store.db import Tx
from linkpay.store.holdings import Held
from linkpay.store.remembering import keep
from linkpay.store.tables import Charge, Mandate, Payment, Plan, Site, Subscription
from linkpay.store.tables.people import Access

S = SubscriptionState
#: More than this fits no page; the oldest are left out of the first page and stay in the download.
_SUBSCRIPTIONS, _CHARGES = 30, 120


@dataclass(frozen=True, slots=True)
class Account:
    """What is charged. `hint` is its last digits; `works` says that it may be charged as far as we know."""

    method: str
    hint: str | None
    works: bool


@dataclass(frozen=True, slots=True)
class Open:
    """An amount that is still expected. `debit_runs` when it is on its way without anybody's doing."""

    token: str
    owed: Money
    due_on: date
    failed: bool
    failure_code: str | None
    debit_runs: bool


@dataclass(frozen=True, slots=True)
class Paid:
    """An amount that came in. `method` is None for money that came past the payment provider."""

    token: str
    offer_title: str
    on: datetime
    amount: Money
    back: Money
    method: str | None


@dataclass(frozen=True, slots=True)
class Holding:
    """One subscription as its payer sees it. `actions` are the names of what she can do now.

    `next` is the next collection as it is forecast, `runs_on` its day if she had not cancelled or chosen
    anything.
    """

    token: str
    state: SubscriptionState
    started: bool
    offer_title: str
    offer_slug: str
    plan_title: str
    terms: Terms
    member_email: str
    course_url: str | None
    access: bool
    access_until: datetime | None
    account: Account | None
    mandate_id: int | None
    runs_on: date | None
    next: Item | None
    cancel_on: date | None
    canceled_by_seller: bool
    pause_on: date | None
    resume_on: date | None
    next_plan_title: str | None
    ended_at: datetime | None
    open: tuple[Open, ...]
    actions: frozenset[str]

    @property
    def next_charge_on(self) -> date | None:
        """The day of the next collection."""
        return self.next.on if self.next else None

    @property
    def next_amount(self) -> Money | None:
        """What the next collection asks."""
        return Money(self.next.cents or 0, self.terms.amount.currency) if self.next else None


@dataclass(frozen=True, slots=True)
class LetIn:
    """Access that somebody else pays for."""

    offer_title: str
    access: bool
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Home:
    """The first page of the portal."""

    holdings: tuple[Holding, ...]
    paid: tuple[Paid, ...]
    let_in: tuple[LetIn, ...]


def home(tx: Tx, site: Site, email: str, customer_id: int | None, now: datetime) -> Home:
    """Everything that somebody has on a site, in a number of queries that does not grow with it."""
    held = holdings.of_payer(tx, site.id, customer_id, _SUBSCRIPTIONS) if customer_id else []
    made = holdings.charges_of(tx, [one.subscription.id for one in held], _CHARGES)
    payments = holdings.last_payments(tx, [charge.id for charge in made])
    plans = _foresee(tx, site, held)
    by_subscription: dict[int, list[Charge]] = {one.subscription.id: [] for one in held}
    for charge in made:
        by_subscription[charge.subscription_id].append(charge)
    own = {(one.member.id, one.offer.id) for one in held}
    others = [(o, g) for o, g in holdings.of_reader(tx, site.id, email) if (g.member_id, o.id) not in own]
    titles = {one.subscription.id: one.offer.title for one in held}
    return Home(
        holdings=tuple(
            _holding(tx, site, one, by_subscription[one.subscription.id], plans, now) for one in held
        ),
        paid=tuple(
            paid(charge, titles[charge.subscription_id], payments.get(charge.id))
            for charge in made
            if charge.paid_cents > 0
        ),
        let_in=tuple(LetIn(o.title, g.wanted is Access.GRANTED, g.until) for o, g in others),
    )


def holding(tx: Tx, site: Site, customer_id: int, token: str, now: datetime) -> tuple[Holding, int]:
    """One subscription of this customer, with its id. Raises NotFound ``order_unknown``."""
    for one in holdings.of_payer(tx, site.id, customer_id, _SUBSCRIPTIONS):
        if one.subscription.token == token:
            plans = _foresee(tx, site, [one])
            every = {charge.id: charge for charge, _, _ in foresight.collections(tx, [one.subscription])}
            made = sorted(every.values(), key=lambda charge: (charge.due_on, charge.id), reverse=True)
            return _holding(tx, site, one, made, plans, now), one.subscription.id
    raise NotFound("order_unknown", "There is no such order.")


def _foresee(tx: Tx, site: Site, held: Sequence[Held]) -> Sequence[Plan]:
    """Read what is asked of each of these; the plans by which their offers can be bought."""
    bought = [one.subscription for one in held]
    keep(tx, *held)
    foresight.these(tx, bought)
    foresight.prices(tx, bought)
    plans = holdings.plans_to_switch_to(tx, site.id, tuple(sorted({one.offer.id for one in held})))
    keep(tx, *plans)
    return plans


def _holding(
    tx: Tx, site: Site, held: Held, made: Sequence[Charge], plans: Sequence[Plan], now: datetime
) -> Holding:
    subscription, grant = held.subscription, held.grant
    granted = grant is not None and grant.wanted is Access.GRANTED
    expected = [one for one in made if one.state in UNSETTLED and one.money.owed_cents > 0]
    over = subscription.state in OVER
    prices = agreements.announced(tx, subscription.id)
    return Holding(
        token=subscription.token,
        state=subscription.state,
        started=subscription.started_at is not None,
        offer_title=held.offer.title,
        offer_slug=held.offer.slug,
        plan_title=held.plan.title,
        terms=_terms(subscription, prices),
        member_email=held.member.email,
        course_url=held.offer.course_url or site.login_url,
        access=granted,
        access_until=grant.until if grant and granted else None,
        account=account(held.mandate),
        mandate_id=subscription.mandate_id,
        runs_on=subscription.next_charge_on,
        next=forecast.next_collection(tx, site, subscription, now, prices),
        cancel_on=subscription.cancel_on,
        canceled_by_seller=standing.is_sellers(subscription.canceled_by),
        pause_on=subscription.pause_on,
        resume_on=subscription.resume_on,
        next_plan_title=_next_plan(tx, subscription),
        ended_at=subscription.ended_at,
        open=() if over else tuple(_open(one) for one in reversed(expected)),
        actions=_actions(held, plans),
    )


def _next_plan(tx: Tx, subscription: Subscription) -> str | None:
    return tx.get_one(Plan, subscription.next_plan_id).title if subscription.next_plan_id else None


def _terms(subscription: Subscription, prices: Sequence[tuple[date, int]]) -> Terms:
    due_on = subscription.next_charge_on
    if due_on is None:
        return subscription.terms
    return charging.priced(subscription, agreements.counting_on(prices, due_on))


def account(mandate: Mandate | None) -> Account | None:
    """What is charged, as a page shows it."""
    if mandate is None:
        return None
    return Account(mandate.method, mandate.account_hint, mandate.may_be_tried)


def _open(charge: Charge) -> Open:
    owed = Money(charge.money.owed_cents, charge.currency)
    runs = charge.state is ChargeState.COLLECTING
    failed = charge.failed_at is not None
    return Open(charge.token, owed, charge.due_on, failed, charge.failure_code, runs)


def paid(charge: Charge, title: str, payment: Payment | None) -> Paid:
    """A charge that was paid, as a page lists it."""
    back = charge.refunded_cents + charge.charged_back_cents
    return Paid(
        charge.token, title, _paid_on(charge, payment), Money(charge.amount_cents, charge.currency),
        Money(back, charge.currency), payment.method if payment else None,
    )  # fmt: skip


def _paid_on(charge: Charge, payment: Payment | None) -> datetime:
    return charge.paid_at or (payment.paid_at if payment else None) or charge.created_at


def _actions(held: Held, plans: Sequence[Plan]) -> frozenset[str]:
    """What makes sense now. Each action's own page says when a rule forbids it after all."""
    subscription = held.subscription
    state = subscription.state
    open_ended = subscription.kind is PlanKind.MEMBERSHIP and subscription.origin != "bump"
    found = set()
    if open_ended and state in LIVE - {S.CANCELING}:
        found.add("cancel")
    if state is S.CANCELING:
        found.add("undo")
    if open_ended and state in (S.ACTIVE, S.TRIALING) and subscription.pause_on is None:
        found.add("pause")
    if state is S.PAUSED or (state in LIVE and subscription.pause_on is not None):
        found.add("resume")
    if open_ended and state is S.ENDED and subscription.started_at is not None:
        found.add("reactivate")
    if state in LIVE and (subscription.next_charge_on or state is not S.CANCELING):
        found.add("renew")
    others = [p for p in plans if p.offer_id == subscription.offer_id and p.id != subscription.plan_id]
    if open_ended and state in (S.ACTIVE, S.TRIALING) and any(p.kind is PlanKind.MEMBERSHIP for p in others):
        found.add("stay" if subscription.next_plan_id else "switch")
    return frozenset(found)
