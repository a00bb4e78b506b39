"""Pausing and going on: the days between are not charged, and everything behind them moves along."""

from datetime import date, datetime

from linkpay.domain.calendar import local_day
from linkpay.domain.pausing import Pausing, Refusal, refusal
from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import Conflict, InputError
from linkpay.services import access, consent, letters, notices, standing, turning
from linkpay.services.consent import Yes
from linkpay.store import journal, sites, subscriptions
from linkpay.store.db import Tx
from linkpay.store.tables import Subscription

S = SubscriptionState

_MESSAGES = {
    Refusal.NOTHING_RUNS: "There is nothing running that could be paused.",
    Refusal.PAST_DUE: "A payment is open. Pay it first; then it can be paused.",
    Refusal.CANCELED: "It is cancelled. Take the cancellation back first; then it can be paused.",
    Refusal.NOTHING_TO_CHARGE: "Nothing more will be charged, so there is nothing to pause.",
    Refusal.NOT_OFFERED: "Pausing is not offered here. Ask the seller.",
    Refusal.TOO_SHORT: "A pause begins when what is paid is over; choose a later day.",
    Refusal.TOO_LONG: "A pause is shorter than that here; choose an earlier day.",
}
_ABOUT_THE_DAY = frozenset({Refusal.TOO_SHORT, Refusal.TOO_LONG})


def preview_pause(
    tx: Tx, subscription_id: int, *, resume_on: date, keeps_access: bool | None, actor: str, now: datetime
) -> Pausing:
    """What `pause` would do now, changing nothing. Raises Conflict or InputError where it would."""
    subscription = subscriptions.get(tx, subscription_id)
    return _decided(tx, subscription, resume_on, keeps_access, actor)


def pause(
    tx: Tx, subscription_id: int, *, resume_on: date, keeps_access: bool | None, actor: str, now: datetime
) -> Pausing:
    """Charge nothing from the end of what is paid until `resume_on`; a pause under way is moved there.

    Whether access stays is the policy's (`keeps_access` None); only an owner may choose otherwise. Raises
    Conflict (``past_due``, ``canceled``, ``nothing_runs``, ``nothing_to_charge``, ``pause_not_offered``)
    or InputError for the day.
    """
    subscription = subscriptions.lock(tx, subscription_id)
    site = sites.get(tx, subscription.site_id)
    agreed = _decided(tx, subscription, resume_on, keeps_access, actor)
    was = (subscription.pause_on, subscription.resume_on, subscription.pause_keeps_access)
    if was == (agreed.pause_on, agreed.resume_on, agreed.keeps_access):
        return agreed
    subscription.pause_on, subscription.resume_on = agreed.pause_on, agreed.resume_on
    subscription.pause_keeps_access = agreed.keeps_access
    if subscription.state is S.PAUSED:
        turning.go_on_from(subscription, agreed.resume_on)
    journal.record(
        tx, "pause_asked", actor, now, subscription=subscription, from_on=agreed.pause_on.isoformat(),
        until=agreed.resume_on.isoformat(), keeps_access=agreed.keeps_access,
    )  # fmt: skip
    letters.owe(
        tx, "pause_confirmed", subscription, now=now,
        step=f"subscription:{subscription.id}:pause:{now.isoformat()}", pause_on=agreed.pause_on.isoformat(),
        resume_on=agreed.resume_on.isoformat(), keeps_access=agreed.keeps_access,
    )  # fmt: skip
    turning.due_today(tx, subscription, local_day(now, site.zone), now)
    turning.plan(tx, site, subscription, now)
    tx.flush()
    access.review_purchase(tx, subscription, now)
    return agreed


def resume(tx: Tx, subscription_id: int, actor: str, now: datetime, *, given: Yes | None = None) -> None:
    """Go on today, or call a pause off that has not begun; the next charge is due today, or when it was.

    `given` is what a member read before she pressed: that today is collected, and how much. Where nobody
    was told so, the debit waits for its notice, and she is in meanwhile. Where nothing is paused it does
    nothing. Raises Conflict ``nothing_runs`` when it has ended.
    """
    subscription = subscriptions.lock(tx, subscription_id)
    site = sites.get(tx, subscription.site_id)
    if subscription.state not in (S.PAUSED, S.ACTIVE, S.TRIALING, S.PAST_DUE):
        raise Conflict("nothing_runs", "There is no pause that could end.")
    if subscription.pause_on is None:
        return
    if subscription.state is S.PAUSED:
        turning.go_on_from(subscription, local_day(now, site.zone))
        notices.agreed_to(tx, subscription, consent.keep(tx, subscription, given, "resume", now))
        turning.end_pause(tx, subscription, actor, now)
    else:
        turning.forget_pause(subscription)
        journal.record(tx, "pause_called_off", actor, now, subscription=subscription)
    turning.plan(tx, site, subscription, now)
    tx.flush()
    access.review_purchase(tx, subscription, now)


def _decided(
    tx: Tx, subscription: Subscription, resume_on: date, keeps_access: bool | None, actor: str
) -> Pausing:
    policy = sites.policy_of(sites.get(tx, subscription.site_id), subscription.policy)
    paused = subscription.state is S.PAUSED
    pause_on = subscription.pause_on if paused else subscription.next_charge_on
    by_member = standing.is_member(actor)
    why = refusal(subscription.state, pause_on, resume_on, policy, by_member=by_member)
    if why in _ABOUT_THE_DAY:
        raise InputError(why, _MESSAGES[why], "resume_on")
    if why is not None or pause_on is None:
        why = why or Refusal.NOTHING_TO_CHARGE
        raise Conflict(why, _MESSAGES[why])
    by_policy = by_member or keeps_access is None
    keeps = policy.pause_keeps_access if by_policy else bool(keeps_access)
    return Pausing(pause_on, resume_on, keeps)
