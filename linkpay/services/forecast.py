"""What will happen to one subscription, by the very functions that will do it.

Its future is played on a copy that is never written: the days on which something turns, what each period
costs, the ladder after a failure and the stretches of access all come from the rules that act on the day.
It is assumed that nobody decides anything else and that every collection works; what follows one that does
not is told beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from linkpay.domain.calendar import local_day
from linkpay.domain.charge import UNSETTLED, ChargeState
from linkpay.domain.coverage import SubscriptionFacts, without_running_debits
from linkpay.domain.dunning import StepKind
from linkpay.domain.forecast import Item, Kind, OnlyIf, in_order, turns_of_access
from linkpay.domain.subscription import LIVE, SubscriptionState
from linkpay.services import access, dunning, mishaps
from linkpay.services.course import begun
from linkpay.store import charges, people, sites, subscriptions
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Customer, Mandate, Member, Offer, Plan, Site, Subscription

S = SubscriptionState
#: How far a forecast reaches where nothing ends.
REACH = timedelta(days=365)
_COLLECTIONS = (Kind.CHARGE, Kind.FREE_PERIOD, Kind.NO_ACCOUNT)
_STEPS = {StepKind.MAIL: Kind.MAIL, StepKind.DEBIT: Kind.DEBIT}


@dataclass(frozen=True, slots=True)
class Account:
    """What is charged: its method at Mollie and its last digits; `works` as far as we know."""

    method: str
    hint: str | None
    works: bool


@dataclass(frozen=True, slots=True)
class Forecast:
    """The items in order. `is_halted` says that nothing is collected while Mollie refuses the site's key."""

    subscription_id: int
    email: str
    offer: str
    plan: str
    state: str
    currency: str
    account: Account | None
    is_halted: bool
    items: tuple[Item, ...]

    @property
    def next_collection(self) -> Item | None:
        """The next collection, as things stand or once what is open is paid."""
        return next((item for item in self.items if item.kind in _COLLECTIONS), None)


def of(tx: Tx, subscription: Subscription, now: datetime, *, reach: timedelta = REACH) -> Forecast:
    """What will happen to a subscription until `reach` from now, or to its end where that is further."""
    site = sites.get(tx, subscription.site_id)
    mandate = tx.get(Mandate, subscription.mandate_id) if subscription.mandate_id else None
    return Forecast(
        subscription_id=subscription.id,
        email=tx.get_one(Customer, subscription.customer_id).email,
        offer=tx.get_one(Offer, subscription.offer_id).title,
        plan=tx.get_one(Plan, subscription.plan_id).title,
        state=subscription.state.value,
        currency=subscription.currency,
        account=Account(mandate.method, mandate.account_hint, mandate.may_be_tried) if mandate else None,
        is_halted=site.halted_at is not None,
        items=in_order(_items(tx, site, subscription, now, reach)),
    )


def next_collection(
    tx: Tx, site: Site, subscription: Subscription, now: datetime,
    prices: Sequence[tuple[date, int]] | None = None,
) -> Item | None:  # fmt: skip
    """The next collection alone, as things stand or once what is open is paid; None where none comes.

    `prices` are those that were announced, for who has read them already.
    """
    if subscription.state not in LIVE:
        return None
    return begun(tx, site, subscription, now, with_notices=False, prices=prices).until_a_collection()


def of_person(tx: Tx, site: Site, email: str, now: datetime) -> list[Forecast]:
    """What will happen to everything that this person pays or is let in by on a site, newest first."""
    customer, member = people.customer_by_email(tx, site.id, email), people.by_email(tx, site.id, email)
    paid = subscriptions.of_payer(tx, customer.id) if customer else []
    let_in = subscriptions.of_member(tx, member.id) if member else []
    found = {one.id: one for one in (*paid, *let_in) if one.origin != "bump"}
    return [of(tx, found[number], now) for number in sorted(found, reverse=True)]


def _items(tx: Tx, site: Site, subscription: Subscription, now: datetime, reach: timedelta) -> Sequence[Item]:
    if subscription.state is S.PENDING:
        ends_at = subscription.signup_ends_at
        return [Item(local_day(ends_at, site.zone), Kind.SIGNUP_ENDS)] if ends_at else []
    made = charges.of_subscription(tx, subscription.id)
    expected = [charge for charge in made if charge.state in UNSETTLED and charge.money.owed_cents > 0]
    found = [item for charge in expected for item in _of_expected(tx, site, subscription, charge, now)]
    if subscription.state is S.SUSPENDED or any(charge.failed_at for charge in expected):
        return [*found, *_while_unpaid(tx, site, subscription, now, reach)]
    course = begun(tx, site, subscription, now)
    course.play(local_day(now + reach, site.zone))
    fate = mishaps.of_first(tx, course, subscription)
    collected = [item for item in course.items if item.cents and item.kind in _COLLECTIONS]
    told = [replace(item, if_it_fails=fate) if item in collected[:1] else item for item in course.items]
    if any(item.kind is Kind.NO_ACCOUNT for item in told):
        return [*found, *_until_it_fails(told)]
    facts = course.facts(access.facts(tx, site, subscription))
    turns = _access_turns(tx, site, subscription, facts, now, course.reached)
    return [*found, *told, *(item for item in turns if course.is_over or item.on <= course.reached)]


def _until_it_fails(told: Sequence[Item]) -> Sequence[Item]:
    """What comes before a collection that cannot work, and that collection with what follows it."""
    fails = next(place for place, item in enumerate(told) if item.kind is Kind.NO_ACCOUNT)
    return told[: fails + 1]


def _while_unpaid(
    tx: Tx, site: Site, subscription: Subscription, now: datetime, reach: timedelta
) -> list[Item]:
    """A debt: access ends unless it is paid, and what comes after comes only once it is.

    Who is shut out begins anew on the day she pays, so there is no day to tell.
    """
    found: list[Item] = []
    if subscription.state is not S.SUSPENDED:
        course = begun(tx, site, subscription, now)
        course.play(local_day(now + reach, site.zone))
        found += [_once_paid(item) for item in course.items]
    facts = without_running_debits(access.facts(tx, site, subscription))
    turns = _access_turns(tx, site, subscription, facts, now, local_day(now + reach, site.zone))
    return found + [replace(item, only_if=OnlyIf.UNPAID) for item in turns]


def _once_paid(item: Item) -> Item:
    """What comes once she paid: that gives a new account or card as well, where there was none."""
    if item.kind is Kind.ENDS:
        return item
    kind = Kind.CHARGE if item.kind is Kind.NO_ACCOUNT else item.kind
    return replace(item, kind=kind, only_if=OnlyIf.PAID)


def _of_expected(tx: Tx, site: Site, subscription: Subscription, charge: Charge, now: datetime) -> list[Item]:
    """What an amount that is expected now brings: a running debit, a ladder of help, a person who pays."""
    owed, found = charge.money.owed_cents, []
    if charge.state is ChargeState.COLLECTING:
        found.append(mishaps.running(tx, site, subscription, charge, now))
    elif charge.failed_at is None:
        found.append(Item(charge.due_on, Kind.WAITS_FOR_PAYER, owed))
    return found + [
        Item(
            local_day(step.at, site.zone), _STEPS[step.kind],
            owed if step.kind is StepKind.DEBIT else None, only_if=OnlyIf.UNPAID,
        )
        for step in dunning.to_come(tx, subscription, charge)
        if step.kind in _STEPS
    ]  # fmt: skip


def _access_turns(
    tx: Tx, site: Site, subscription: Subscription, facts: SubscriptionFacts, now: datetime, reached: date
) -> list[Item]:
    """When access closes and opens again, were these the facts of this subscription."""
    if tx.get_one(Member, subscription.member_id).blocked_at is not None:
        return []
    instead = {subscription.id: facts, **_others(tx, site, subscription, now, reached)}
    stretches = access.stretches(tx, site, subscription.member_id, subscription.offer_id, instead=instead)
    return [
        Item(local_day(at, site.zone), Kind.ACCESS_OPENS if opens else Kind.ACCESS_ENDS)
        for at, opens in turns_of_access(stretches, now)
    ]


def _others(
    tx: Tx, site: Site, subscription: Subscription, now: datetime, reached: date
) -> Mapping[int, SubscriptionFacts]:
    """The other purchases by which she has the same, as they go on."""
    found = {}
    for other in subscriptions.for_access(tx, subscription.member_id, subscription.offer_id):
        if other.id != subscription.id and other.state in LIVE:
            course = begun(tx, site, other, now)
            course.play(reached)
            found[other.id] = course.facts(access.facts(tx, site, other))
    return found
