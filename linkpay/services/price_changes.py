"""A new price for who runs already, one member or all of a plan: seen first, told to each, taken back.

The caller names a plan of its own site. Nobody is charged more who was not told in time; who is leaving keeps
the price that she has.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from linkpay.domain.calendar import local_day
from linkpay.domain.plan import PlanKind
from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import Conflict, InputError, NotFound
from linkpay.services import letters, new_prices
from linkpay.store import importing, journal, subscriptions
from linkpay.store import price_changes as store
from linkpay.store.db import Tx
from linkpay.store.tables import Customer, PriceChange, Site, Subscription

_MOST_CENTS = 10_000_000
_LISTED = 1000


class Left(StrEnum):
    """Why somebody keeps her price."""

    LEAVING = "leaving"
    STOPPED = "stopped"
    SWITCHING = "switching"
    SAME_PRICE = "same_price"
    NEWS_ON_ITS_WAY = "news_on_its_way"
    NOTHING_TO_COME = "nothing_to_come"


@dataclass(frozen=True, slots=True)
class Affected:
    """One member of a decision. `first_on` is the first charge at the new price if she is told today, and
    `asks_cents` what it asks with her coupon and credit; `left_out` is why nothing changes for her."""

    subscription_id: int
    email: str
    name: str
    old_cents: int
    new_cents: int
    currency: str
    first_on: date | None
    asks_cents: int | None
    bound_until: date | None
    left_out: Left | None


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the list. `state` is ``on_its_way``, ``told``, ``counts`` or ``withdrawn``."""

    batch: str
    subscription_id: int
    email: str
    name: str
    new_cents: int
    currency: str
    effective_on: date
    told_at: datetime | None
    decided_at: datetime
    decided_by: str
    state: str


def concerned(tx: Tx, site: Site, plan_slug: str, cents: int, *, email: str | None = None) -> Sequence[int]:
    """Numbers of the subscriptions that run on a plan, or of those that one payer has there, oldest first.

    Raises NotFound ``plan_unknown`` or ``member_unknown``, Conflict ``not_a_membership``, and InputError for
    an amount that cannot be.
    """
    check_cents(cents)
    plan = importing.plan(tx, site.id, plan_slug)
    if plan is None:
        raise NotFound("plan_unknown", "There is no such plan here.", "plan")
    if plan.kind is not PlanKind.MEMBERSHIP:
        raise Conflict("not_a_membership", "Instalments are parts of one agreed price, which stays as it is.")
    found = store.running_on(tx, site.id, plan.id, email)
    if email is not None and not found:
        raise NotFound("member_unknown", "Nobody with this address pays for this plan.", "email")
    return found


def check_cents(cents: int) -> None:
    """Raise InputError for an amount that cannot be a price."""
    if not 0 < cents <= _MOST_CENTS:
        raise InputError("price_amount", f"Give a price of 1 to {_MOST_CENTS:,} cents.", "cents")


def preview(tx: Tx, site: Site, numbers: Iterable[int], cents: int, now: datetime) -> Sequence[Affected]:
    """What `announce` would do now to each of these subscriptions, changing nothing."""
    return [_affected(tx, site, subscriptions.get(tx, number), cents, now) for number in numbers]


def announce(
    tx: Tx, site: Site, number: int, cents: int, batch: str, actor: str, now: datetime
) -> Affected:  # fmt: skip
    """Tell one member by mail, and what that does to her; `batch` is the name of the decision for all.

    She pays the new price from the first charge that lies the days of notice behind her own mail. Nothing
    is done for who is left out. A plan's members are a transaction each: so many mails would hold up others.
    """
    subscription = subscriptions.lock(tx, number)
    affected = _affected(tx, site, subscription, cents, now)
    if affected.left_out is None and affected.first_on is not None:
        _owe(tx, subscription, affected, batch, actor, now)
    return affected


def undecided(tx: Tx, site_id: int, batch: str) -> Sequence[int]:
    """Numbers of the subscriptions for which a decision can be taken back.

    Raises NotFound ``price_change_unknown``, and Conflict ``counts_already`` where it counts for everybody.
    """
    made = store.of_batch(tx, site_id, batch)
    if not made:
        raise NotFound("price_change_unknown", "There is no such price change here.", "batch")
    if all(change.applied_at is not None for change in made):
        raise Conflict("counts_already", "Everybody pays the new price already. Announce another one.")
    return [one.subscription_id for one in made if one.applied_at is None and one.withdrawn_at is None]


def withdraw(tx: Tx, number: int, batch: str, actor: str, now: datetime) -> bool:
    """Take a decision back for one whom no charge asked the new price of yet; says whether that was so.

    Who was told already is told that her price stays. Taken back again it changes nothing.
    """
    subscription = subscriptions.lock(tx, number)
    change = store.of_batch_for(tx, number, batch)
    if change is None or change.applied_at is not None or change.withdrawn_at is not None:
        return False
    change.withdrawn_at, subscription.notice_look_at = now, None
    journal.record(
        tx, "price_rise_withdrawn", actor, now, subscription=subscription, amount_cents=change.amount_cents
    )
    if change.told_at is not None and subscription.state in new_prices.CHARGED:
        letters.owe(tx, "price_stays", subscription, step=f"price_stays:{change.id}", now=now)
    return True


def counts(tx: Tx, number: int, batch: str) -> bool:
    """Whether a charge of this subscription asked the price of a decision already."""
    change = store.of_batch_for(tx, number, batch)
    return change is not None and change.applied_at is not None


def list_told(tx: Tx, site_id: int, *, batch: str | None = None) -> Sequence[Told]:
    """Who was told of which new price, and when: the newest decisions first, at most 1,000 lines."""
    return [
        Told(
            change.batch, subscription.id, payer.email, payer.name, change.amount_cents,
            subscription.currency, change.effective_on, change.told_at, change.created_at, change.decided_by,
            _state(change),
        )
        for change, subscription, payer in store.of_site(tx, site_id, batch=batch, limit=_LISTED)
    ]  # fmt: skip


def _state(change: PriceChange) -> str:
    if change.withdrawn_at is not None:
        return "withdrawn"
    if change.applied_at is not None:
        return "counts"
    return "told" if change.told_at is not None else "on_its_way"


def _affected(tx: Tx, site: Site, subscription: Subscription, cents: int, now: datetime) -> Affected:
    payer = tx.get_one(Customer, subscription.customer_id)
    today = local_day(now, site.zone)
    old = new_prices.price_now(tx, subscription, today)
    first = new_prices.first_charge(tx, site, subscription, cents, today)
    why = _left_out(tx, subscription, cents == old)
    if why is None and first is None:
        why = Left.NOTHING_TO_COME
    told = first if why is None else None
    return Affected(
        subscription.id, payer.email, payer.name, old, cents, subscription.currency,
        told.due_on if told else None, told.cents if told else None, subscription.bound_until, why,
    )  # fmt: skip


def _left_out(tx: Tx, subscription: Subscription, is_same: bool) -> Left | None:
    if subscription.state is SubscriptionState.CANCELING or subscription.cancel_on is not None:
        return Left.LEAVING
    if subscription.state not in new_prices.CHARGED:
        return Left.STOPPED
    if subscription.next_plan_id is not None:
        return Left.SWITCHING
    if store.open_of(tx, subscription.id):
        return Left.NEWS_ON_ITS_WAY
    return Left.SAME_PRICE if is_same else None


def _owe(
    tx: Tx, subscription: Subscription, affected: Affected, batch: str, actor: str, now: datetime
) -> None:
    change_id = store.put(
        tx, subscription, now, batch=batch, amount_cents=affected.new_cents,
        effective_on=affected.first_on, decided_by=actor,
    )  # fmt: skip
    journal.record(
        tx, "price_rise_decided", actor, now, subscription=subscription, amount_cents=affected.new_cents
    )
    letters.owe(
        tx, "price_change", subscription, step=f"price_change:{change_id}", now=now, change=change_id,
        old_amount_cents=affected.old_cents, new_amount_cents=affected.new_cents,
    )  # fmt: skip
