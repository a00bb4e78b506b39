"""What was decided for a day takes place on that day: a membership ends, pauses, goes on or changes."""

from datetime import date, datetime, timedelta
from enum import StrEnum

from linkpay.domain.calendar import day_starts_at, local_day
from linkpay.domain.leaving import rebound
from linkpay.domain.subscription import LIVE, SubscriptionEvent, SubscriptionState, move
from linkpay.services import access, letters, lifecycle, newplan, standing
from linkpay.store import charges, journal, sites, subscriptions, work
from linkpay.store.db import Tx
from linkpay.store.tables import Site, Subscription

S, E = SubscriptionState, SubscriptionEvent
_RUNNING = frozenset({S.ACTIVE, S.TRIALING})


def turn(tx: Tx, subscription_id: int, now: datetime) -> datetime | None:
    """Do what is due for one subscription; when to look again, None when nothing is decided any more."""
    subscription = subscriptions.lock(tx, subscription_id)
    site = sites.get(tx, subscription.site_id)
    due_today(tx, subscription, local_day(now, site.zone), now)
    return _look_at(site, subscription, now)


def plan(tx: Tx, site: Site, subscription: Subscription, now: datetime) -> None:
    """See to it that what was just decided for a day is done on it."""
    at = _look_at(site, subscription, now)
    ref = str(subscription.id)
    if at is None:
        work.needless(tx, "turn", ref, now)
    else:
        work.schedule(
            tx, site_id=site.id, kind="turn", ref=ref, target_id=subscription.id, run_at=at, now=now
        )


def due_today(tx: Tx, subscription: Subscription, today: date, now: datetime) -> None:
    """Do what was decided for today or before. Caller holds the lock; doing it again changes nothing."""
    if ends_by(subscription, today):
        lifecycle.end(tx, subscription, E.CANCEL_DATE_REACHED, "clock", now)
    if resumes_by(subscription, today):
        _resume_is_due(tx, subscription, now)
    elif pauses_by(subscription, today):
        _pause_is_due(tx, subscription, today, now)
    if switches_by(subscription, today):
        newplan.take_on_chosen(tx, subscription, now)


def ends_by(subscription: Subscription, today: date) -> bool:
    """Whether a cancellation takes effect by this day."""
    return _has_come(subscription.cancel_on, today) and subscription.state is S.CANCELING


def resumes_by(subscription: Subscription, today: date) -> bool:
    """Whether a pause, begun or only planned, is over by this day."""
    return _has_come(subscription.resume_on, today)


def pauses_by(subscription: Subscription, today: date) -> bool:
    """Whether a planned pause is to begin by this day."""
    return _has_come(subscription.pause_on, today) and subscription.state in _RUNNING


def switches_by(subscription: Subscription, today: date) -> bool:
    """Whether the plan that was chosen for the next period begins by this day."""
    chosen = subscription.next_plan_id is not None and subscription.state in _RUNNING
    return chosen and _has_come(subscription.next_charge_on, today)


class PauseStep(StrEnum):
    """What becomes of a pause on its day. again: it had begun, and something was owed meanwhile."""

    NOTHING_TO_PAUSE = "nothing_to_pause"
    AGAIN = "again"
    LATER = "later"
    BEGINS = "begins"
    WAITS = "waits"


def take_pause_step(subscription: Subscription, today: date, *, owes: bool) -> PauseStep:
    """Begin a planned pause, once nothing of an earlier period is under way any more (`owes`).

    Touches nothing but the subscription it is given.
    """
    due_on, resume_on = subscription.next_charge_on, subscription.resume_on
    if due_on is None or resume_on is None:
        forget_pause(subscription)
        return PauseStep.NOTHING_TO_PAUSE
    if due_on == resume_on:
        subscription.state = move(subscription.state, E.PAUSE_BEGAN)
        return PauseStep.AGAIN
    if due_on > today:
        subscription.pause_on = min(due_on, resume_on)
        return PauseStep.LATER
    if owes:
        return PauseStep.WAITS
    subscription.state = move(subscription.state, E.PAUSE_BEGAN)
    go_on_from(subscription, resume_on)
    return PauseStep.BEGINS


def _has_come(day: date | None, today: date) -> bool:
    return day is not None and day <= today


def _pause_is_due(tx: Tx, subscription: Subscription, today: date, now: datetime) -> None:
    step = take_pause_step(subscription, today, owes=charges.has_unsettled(tx, subscription.id))
    if step is PauseStep.BEGINS and subscription.resume_on is not None:
        journal.record(
            tx, "pause_began", "clock", now, subscription=subscription,
            until=subscription.resume_on.isoformat(),
        )  # fmt: skip
    tx.flush()
    access.review_purchase(tx, subscription, now)


def _resume_is_due(tx: Tx, subscription: Subscription, now: datetime) -> None:
    if subscription.state is S.PAUSED:
        end_pause(tx, subscription, "clock", now)
    elif subscription.state in LIVE:
        forget_pause(subscription)
    tx.flush()
    access.review_purchase(tx, subscription, now)


def end_pause(tx: Tx, subscription: Subscription, actor: str, now: datetime) -> None:
    """The pause is over: what comes next is due on the day that was laid out."""
    step = f"subscription:{subscription.id}:resumed:{subscription.pause_on}"
    goes_on, had_access = subscription.next_charge_on, subscription.pause_keeps_access
    leave_pause(subscription)
    journal.record(tx, "resumed", actor, now, subscription=subscription)
    letters.owe(
        tx, "resumed", subscription, step=step, now=now, keeps_access=had_access,
        resume_on=goes_on.isoformat() if goes_on else None,
    )  # fmt: skip


def leave_pause(subscription: Subscription) -> None:
    """What was paused runs again. Touches nothing but the subscription it is given."""
    subscription.state = move(subscription.state, E.RESUMED)
    forget_pause(subscription)


def forget_pause(subscription: Subscription) -> None:
    """Nothing is paused (any more)."""
    subscription.pause_on, subscription.resume_on, subscription.pause_keeps_access = None, None, False


def go_on_from(subscription: Subscription, day: date) -> None:
    """Let the next period begin on `day`, with all later ones behind it, and the agreed term as well."""
    days = standing.series(subscription)
    if days is not None:
        subscription.bound_until = rebound(days, subscription.bound_until, day)
    subscription.anchor_on, subscription.anchor_index = day, subscription.next_index
    subscription.next_charge_on = day


def _look_at(site: Site, subscription: Subscription, now: datetime) -> datetime | None:
    day = _next_day(subscription)
    if day is None:
        return None
    at = day_starts_at(day, site.zone)
    return at if at > now else now + timedelta(days=1)


def _next_day(subscription: Subscription) -> date | None:
    if subscription.state is S.CANCELING:
        return subscription.cancel_on
    if subscription.state is S.PAUSED:
        return subscription.resume_on
    return subscription.pause_on if subscription.state in LIVE else None
