"""What we did late ourselves: the service was down, and what should have been done waits to be done.

Nobody loses access because of that. While work about a member is overdue, what we know of her is stale, so
nothing is taken away; and a ladder of help that stood still goes on from where it stopped, its end with it.
"""

from datetime import datetime, timedelta

from linkpay.domain.calendar import day_starts_at
from linkpay.domain.coverage import Source, Wanted
from linkpay.domain.dunning import grace_ends_at
from linkpay.domain.subscription import SubscriptionState
from linkpay.store import charges, sites, subscriptions, work
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Grant, Site, Subscription

#: Work is done within seconds; what is later than this was held up by us.
LATE = timedelta(hours=1)
#: How soon it is decided again about access that stays because we are behind.
_DECIDE_AGAIN = timedelta(hours=1)
#: So much of a grace is left at least, when its end came while we were down for longer.
_AT_LEAST = timedelta(days=1)
_KIND = "dunning_step"

_BILLED = frozenset({SubscriptionState.ACTIVE, SubscriptionState.TRIALING})
_MEMBERS = _BILLED | {SubscriptionState.PAST_DUE}


def keeps_open(tx: Tx, site: Site, grant: Grant, now: datetime) -> Wanted | None:
    """Why access stays that nothing covers as far as we know: what we know is not of today. Else None."""
    for subscription in subscriptions.for_access(tx, grant.member_id, grant.offer_id):
        if subscription.state in _MEMBERS and _is_behind(tx, site, subscription, now):
            return Wanted(True, Source.COLLECTION, now + _DECIDE_AGAIN)
    return None


def _is_behind(tx: Tx, site: Site, subscription: Subscription, now: datetime) -> bool:
    made = charges.of_subscription(tx, subscription.id)
    if any(held_up(tx, charge, now) for charge in made):
        return True
    for charge in made:
        payment = charges.open_payment(tx, charge.id)
        if payment is not None and work.is_overdue(
            tx, ("send_payment", "poll_payment"), payment.uid, now - LATE
        ):
            return True
    due_on = subscription.next_charge_on
    if due_on is None or subscription.state not in _BILLED or site.halted_at is not None:
        return False
    waits_for_money = charges.has_unsettled(tx, subscription.id)
    return not waits_for_money and day_starts_at(due_on, site.zone) < now - LATE


def held_up(tx: Tx, charge: Charge, now: datetime) -> timedelta:
    """How much later than it should the next step of a charge's ladder comes; nothing where it is in time."""
    if charge.failed_at is None or charge.asked_cents == 0:
        return timedelta(0)
    waiting = work.waiting(tx, _KIND, f"{charge.id}:{charge.dunning_round}:")
    behind = now - min((row.run_at for row in waiting), default=now)
    return behind if behind > LATE else timedelta(0)


def go_on_from(tx: Tx, subscription: Subscription, charge: Charge, behind: timedelta) -> None:
    """Move what is left of a ladder, and the end of grace, by how long it stood still. Holds the lock.

    Where only that end was left, how much of it is lost is not known: it stays away as long as we did, up to
    a day.
    """
    ref = f"{charge.id}:{charge.dunning_round}:"
    left = _policy_end(tx, subscription, charge, charge.grace_until) - work.waiting(tx, _KIND, ref)[0].run_at
    more = max(timedelta(0), min(behind, _AT_LEAST) - left)
    charge.grace_until = _policy_end(tx, subscription, charge, charge.grace_until) + behind + more
    work.put_off(tx, _KIND, ref, behind)


def we_were_down(tx: Tx, site_id: int, since: datetime, now: datetime) -> list[Subscription]:
    """Nothing ran at a site `since` then, so no grace ran either. Whose grace moved; again, it moves none."""
    moved = []
    for failed in charges.failing(tx, site_id):
        subscription = subscriptions.lock(tx, failed.subscription_id)
        charge = charges.get(tx, failed.id)
        if charge.failed_at is None or charge.asked_cents == 0:
            continue
        if behind := held_up(tx, charge, now):
            go_on_from(tx, subscription, charge, behind)
            moved.append(subscription)
        end = _policy_end(tx, subscription, charge, None)
        lost_from = max(since, charge.failed_at)
        if end > lost_from and now > lost_from and end + (now - lost_from) > (charge.grace_until or end):
            charge.grace_until = end + (now - lost_from)
            moved.append(subscription)
    return moved


def _policy_end(tx: Tx, subscription: Subscription, charge: Charge, grace_until: datetime | None) -> datetime:
    assert charge.failed_at is not None  # noqa: S101 - grace begins with a failure
    site = sites.get(tx, subscription.site_id)
    end = grace_ends_at(
        charge.failed_at, taken_back=charge.taken_back, zone=site.zone,
        policy=sites.policy_of(site, subscription.policy),
    )  # fmt: skip
    return max(end, grace_until or end)
