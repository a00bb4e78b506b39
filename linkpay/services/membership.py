"""Leaving a membership: what would come of it, doing it, and taking it back until the day."""

from dataclasses import replace
from datetime import date, datetime

from linkpay.domain.calendar import day_starts_at, local_day
from linkpay.domain.coverage import access_wanted, covers
from linkpay.domain.leaving import CancelMode, Leaving, Refusal, Standing, leave, refusal, unused
from linkpay.domain.subscription import LIVE, OVER, SubscriptionEvent, SubscriptionState, move
from linkpay.errors import Conflict, InputError
from linkpay.services import access, debits, dunning, latecomers, letters, lifecycle, standing, turning
from linkpay.store import charges, journal, sites, subscriptions
from linkpay.store.db import Tx
from linkpay.store.tables import Site, Subscription

S, E = SubscriptionState, SubscriptionEvent

_REASON_LENGTH = 300
_MESSAGES = {
    Refusal.NOTHING_RUNS: "There is nothing running that could be cancelled.",
    Refusal.INSTALMENTS_ARE_OWED: "Instalments are one price in parts, owed whole. Ask the seller.",
    Refusal.NOT_AT_ONCE: "It cannot end at once; cancel it for the end of what is paid.",
    Refusal.BOUND: "The agreed minimum term is not over by then; choose its end or a later day.",
    Refusal.NO_DATE: "Say on which day it is to end.",
    Refusal.DATE_PAST: "Choose a day after today.",
    Refusal.REFUNDED: "The unused days were sent back already, so this cannot be taken back. Reactivate it.",
}


def preview_cancel(
    tx: Tx, subscription_id: int, mode: CancelMode, on: date | None, now: datetime, *, actor: str = "member"
) -> Leaving:
    """What `cancel` would do now, changing nothing. Raises Conflict or InputError where it would."""
    subscription = subscriptions.get(tx, subscription_id)
    site = sites.get(tx, subscription.site_id)
    leaving = _decided(standing.of(tx, site, subscription, now), subscription, mode, on, actor)
    return _completed(tx, site, subscription, leaving, now)


def cancel(
    tx: Tx, subscription_id: int, *, mode: CancelMode, on: date | None, reason: str, actor: str, now: datetime
) -> Leaving:
    """End a subscription in one of the ways of `CancelMode`; nothing is charged beyond that end.

    `actor` is ``member`` for the member herself, anything else speaks for the owner, whom a minimum term
    does not hold. Asking for the same again changes nothing. Raises Conflict (``nothing_runs``, ``bound``,
    ``not_at_once``, ``instalments_are_owed``, ``already_refunded``) or InputError for the date.
    """
    subscription = subscriptions.lock(tx, subscription_id)
    site = sites.get(tx, subscription.site_id)
    stands = standing.of(tx, site, subscription, now)
    leaving = _decided(stands, subscription, mode, on, actor)
    if subscription.state is S.CANCELING:
        if subscription.cancel_on == leaving.ends_on and not leaving.at_once:
            return _completed(tx, site, subscription, leaving, now)
        if was_refunded(tx, subscription):
            raise Conflict(Refusal.REFUNDED, _MESSAGES[Refusal.REFUNDED])
        _bill_on_from_a_short_period(tx, subscription)
    back = unused(stands, leaving.ends_on, at_once=leaving.at_once, by_member=standing.is_member(actor))
    reason = reason[:_REASON_LENGTH]
    _write_down(subscription, leaving, stands, reason, actor, now)
    journal.record(
        tx, "cancel_asked", actor, now, subscription=subscription, mode=mode.value, reason=reason,
        ends_on=leaving.ends_on.isoformat(), refund_cents=leaving.refund_cents,
    )  # fmt: skip
    for left_out in back:
        latecomers.send_days_back(tx, subscription, left_out, now)
    _stop_collecting(tx, subscription, leaving, now)
    leaving = _completed(tx, site, subscription, leaving, now)
    _end(tx, site, subscription, leaving, actor, now)
    _confirm(tx, subscription, leaving, now)
    return leaving


def undo_cancel(tx: Tx, subscription_id: int, actor: str, now: datetime) -> None:
    """Take a cancellation back before its day: it runs on as if nothing had been asked.

    Raises Conflict ``already_over`` after the end and ``already_refunded`` when unused days were sent back.
    Where nothing is cancelled it does nothing.
    """
    subscription = subscriptions.lock(tx, subscription_id)
    site = sites.get(tx, subscription.site_id)
    if subscription.state in OVER:
        raise Conflict("already_over", "It has ended already; reactivate it instead.")
    if subscription.state is not S.CANCELING or subscription.cancel_on is None:
        return
    if local_day(now, site.zone) >= subscription.cancel_on:
        raise Conflict("already_over", "Its last day is over; reactivate it instead.")
    if was_refunded(tx, subscription):
        raise Conflict(Refusal.REFUNDED, _MESSAGES[Refusal.REFUNDED])
    asked_at = subscription.cancel_asked_at
    subscription.state = move(subscription.state, E.CANCEL_UNDONE)
    dunning.go_on_owing(tx, subscription, now)
    forget_cancel(subscription)
    _bill_on_from_a_short_period(tx, subscription)
    journal.record(tx, "cancel_undone", actor, now, subscription=subscription)
    letters.owe(
        tx, "cancel_undone", subscription, step=f"subscription:{subscription.id}:undone:{asked_at}", now=now
    )
    turning.plan(tx, site, subscription, now)
    tx.flush()
    access.review_purchase(tx, subscription, now)


def _bill_on_from_a_short_period(tx: Tx, subscription: Subscription) -> None:
    """A last period that was charged for some of its days only: the next one begins where it ends."""
    cut_on = standing.cut_short_on(subscription, charges.of_subscription(tx, subscription.id))
    if cut_on is not None:
        turning.go_on_from(subscription, cut_on)


def forget_cancel(subscription: Subscription) -> None:
    """Nothing is cancelled (any more)."""
    subscription.cancel_on, subscription.cancel_asked_at = None, None
    subscription.cancel_reason, subscription.canceled_by = None, None
    subscription.access_ends_at = None


def was_refunded(tx: Tx, subscription: Subscription) -> bool:
    """Whether days that the present cancellation leaves unused were sent back."""
    asked_at = subscription.cancel_asked_at
    return asked_at is not None and charges.was_sent_back(tx, subscription.id, "unused_days", asked_at)


def _decided(
    stands: Standing, subscription: Subscription, mode: CancelMode, on: date | None, actor: str
) -> Leaving:
    if subscription.state in OVER:
        raise Conflict(Refusal.NOTHING_RUNS, _MESSAGES[Refusal.NOTHING_RUNS])
    by_member = standing.is_member(actor)
    why = refusal(stands, mode, on, by_member=by_member)
    if why in (Refusal.NO_DATE, Refusal.DATE_PAST):
        raise InputError(why, _MESSAGES[why], "on")
    if why is not None:
        raise Conflict(why, _MESSAGES[why], "mode")
    return leave(stands, mode, on, by_member=by_member)


def _write_down(
    subscription: Subscription, leaving: Leaving, stands: Standing, reason: str, actor: str, now: datetime
) -> None:
    subscription.state = move(subscription.state, E.CANCEL_ASKED)
    subscription.cancel_on, subscription.cancel_asked_at = leaving.ends_on, now
    subscription.cancel_reason, subscription.canceled_by = reason or None, actor
    subscription.next_plan_id = None
    turning.forget_pause(subscription)
    cuts = stands.paid_until is None or leaving.ends_on < stands.paid_until
    subscription.access_ends_at = leaving.access_until if leaving.at_once or cuts else None


def _stop_collecting(tx: Tx, subscription: Subscription, leaving: Leaving, now: datetime) -> None:
    """Let go of attempts that were never sent; of the one under way when it ends at once, if so decided."""
    for charge in charges.of_subscription(tx, subscription.id):
        payment = charges.open_payment(tx, charge.id)
        if payment is None or payment.mandate_id is None:
            continue
        if payment.key_used_at is None:
            if not debits.still_wanted(tx, subscription, payment):
                debits.let_go(charge, payment)
        elif leaving.running_debit == "refund":
            debits.owe_stop(tx, payment, now)


def _end(tx: Tx, site: Site, subscription: Subscription, leaving: Leaving, actor: str, now: datetime) -> None:
    if leaving.at_once or leaving.ends_on <= local_day(now, site.zone):
        lifecycle.end(tx, subscription, E.CANCEL_DATE_REACHED, actor, now)
        return
    turning.plan(tx, site, subscription, now)
    tx.flush()
    access.review_purchase(tx, subscription, now)


def _completed(tx: Tx, site: Site, subscription: Subscription, leaving: Leaving, now: datetime) -> Leaving:
    """With how far access reaches once this is decided, by the rule that gives access, and credit left."""
    ends_at = _access_until(tx, site, subscription, leaving, now)
    credit = latecomers.credit_to_return(tx, site, subscription)
    return replace(leaving, access_until=ends_at, credit_cents=credit)


def _access_until(
    tx: Tx, site: Site, subscription: Subscription, leaving: Leaving, now: datetime
) -> datetime | None:
    known = access.facts(tx, site, subscription)
    state = S.ENDED if leaving.at_once or subscription.state not in LIVE else S.CANCELING
    ends_at = leaving.access_until or day_starts_at(leaving.ends_on, site.zone)
    wanted = access_wanted(
        covers(
            replace(known, state=state, cancel_on=leaving.ends_on, access_ends_at=ends_at, open_pause=None),
            site.zone,
        ),
        now,
    )
    if not wanted.granted:
        return min(now, ends_at)
    is_in_step = all(charge.money.owed_cents == 0 or charge.debit_running for charge in known.charges)
    # What is still collected for the days until then is agreed; nobody need look at what is paid so far.
    return ends_at if leaving.last_charge_on is not None and is_in_step else wanted.until


def _confirm(tx: Tx, subscription: Subscription, leaving: Leaving, now: datetime) -> None:
    if subscription.started_at is None:
        return
    letters.owe(
        tx, "cancel_confirmed", subscription, now=now,
        step=f"subscription:{subscription.id}:canceled:{now.isoformat()}",
        ends_on=leaving.ends_on.isoformat(),
        until=leaving.access_until.isoformat() if leaving.access_until else None,
        refund_cents=leaving.refund_cents, may_undo=not leaving.at_once and not leaving.refund_cents,
        last_charge_on=leaving.last_charge_on.isoformat() if leaving.last_charge_on else None,
        by_seller=standing.is_sellers(subscription.canceled_by),
    )  # fmt: skip
