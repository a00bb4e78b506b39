"""Coming back: what is still paid is used first, and after that a new period begins on the day itself."""

from datetime import date, datetime

from linkpay.domain.calendar import day_starts_at, local_day
from linkpay.domain.charge import UNSETTLED, ChargeState
from linkpay.domain.plan import PlanKind
from linkpay.domain.subscription import LIVE, SubscriptionEvent, SubscriptionState, move
from linkpay.errors import Conflict
from linkpay.services import (
    access,
    billing,
    consent,
    debits,
    dunning,
    letters,
    membership,
    notices,
    standing,
    turning,
)
from linkpay.services.consent import Yes
from linkpay.store import agreements, charges, journal, people, sites, subscriptions
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Consent, Site, Subscription

S, E = SubscriptionState, SubscriptionEvent


def reactivate(tx: Tx, subscription_id: int, *, given: Yes | None, actor: str, now: datetime) -> int | None:
    """Let a membership that was cancelled, or has ended, run again.

    Before its end it runs on as if nothing had been asked. After it, days that are paid and not used come
    first; then a new period begins today, collected at once from a valid mandate. Without one the charge
    has to be paid by link: its id is returned, and it runs from the day on which it is paid; so is the id of
    an older debt whose grace is over. None when it runs. `given` is a member's consent. Raises Conflict
    (``already_running``, ``nothing_to_reactivate``, ``not_a_membership``, ``blocked``, ``withdrawn``,
    ``plan_archived``, ``debit_running``) or InputError ``consent_missing``.
    """
    subscription = subscriptions.lock(tx, subscription_id)
    site = sites.get(tx, subscription.site_id)
    today = local_day(now, site.zone)
    if subscription.state is S.CANCELING and not membership.was_refunded(tx, subscription):
        membership.undo_cancel(tx, subscription.id, actor, now)
        return _debt_id(tx, subscription)
    if (debt_id := _debt_id(tx, subscription)) is not None:
        return debt_id
    _check(tx, site, subscription, now)
    consent.require(given, actor)
    agreed = consent.keep(
        tx, subscription, given, "reactivate", now, amount_cents=subscription.amount_cents,
        next_charge_on=(_paid_until(tx, site, subscription, today) or today).isoformat(),
    )  # fmt: skip
    journal.record(tx, "reactivated", actor, now, subscription=subscription)
    to_pay = _run_again(tx, site, subscription, agreed, now)
    tx.flush()
    access.review_purchase(tx, subscription, now)
    return None if to_pay is None else to_pay.id


def _debt_id(tx: Tx, subscription: Subscription) -> int | None:
    """The charge that somebody shut out has to pay; None for everybody else."""
    owed = _owed(tx, subscription) if subscription.state is S.SUSPENDED else None
    return None if owed is None else owed.id


def _run_again(
    tx: Tx, site: Site, subscription: Subscription, agreed: Consent | None, now: datetime
) -> Charge | None:
    """Let it run; the charge that somebody has to pay first, None when it runs by itself."""
    today = local_day(now, site.zone)
    step = f"subscription:{subscription.id}:reactivated:{now.isoformat()}"
    paid_until = _paid_until(tx, site, subscription, today)
    subscription.state = move(move(subscription.state, E.CANCEL_UNDONE), E.REACTIVATED)
    membership.forget_cancel(subscription)
    subscription.ended_at = None
    owed = _owed(tx, subscription)
    if paid_until is None and owed is not None:
        return _shut_until_paid(subscription, owed, now)
    turning.go_on_from(subscription, paid_until or today)
    notices.agreed_to(tx, subscription, agreed)
    if paid_until is None and not debits.has_mandate(tx, subscription):
        charge = billing.raise_charge(tx, site, subscription, today, now)
        if charge is not None and charge.state is ChargeState.SCHEDULED:
            charge.state = ChargeState.OPEN
            return _shut_until_paid(subscription, charge, now)
    letters.owe(tx, "reactivated", subscription, step=step, now=now)
    turning.plan(tx, site, subscription, now)
    dunning.go_on_owing(tx, subscription, now)
    billing.raise_next(tx, subscription.id, now)
    return owed if subscription.state is S.SUSPENDED else None


def _check(tx: Tx, site: Site, subscription: Subscription, now: datetime) -> None:
    if subscription.kind is not PlanKind.MEMBERSHIP:
        raise Conflict("not_a_membership", "Only a membership can be reactivated; buy it again instead.")
    if subscription.started_at is None or subscription.state is S.COMPLETED:
        raise Conflict("nothing_to_reactivate", "There is nothing that could run again; buy it instead.")
    if subscription.state in LIVE - {S.CANCELING} or _runs_elsewhere(tx, subscription):
        raise Conflict("already_running", "It runs already.")
    member = people.lock_member(tx, subscription.member_id)
    if member.blocked_at is not None:
        raise Conflict("blocked", "This membership cannot be reactivated. Ask the seller.")
    if agreements.was_withdrawn(tx, subscription.id):
        raise Conflict("withdrawn", "It was withdrawn from, so it cannot run again; buy it anew instead.")
    plan = sites.plan_by_id(tx, subscription.site_id, subscription.plan_id)
    if plan is None or plan.archived_at is not None:
        raise Conflict("plan_archived", "This plan is not offered any more. Choose another one.")
    if any(
        _is_being_stopped(tx, site, subscription, c) for c in charges.of_subscription(tx, subscription.id)
    ):
        raise Conflict("debit_running", "A debit is being stopped or sent back. Try again when that is done.")


def _runs_elsewhere(tx: Tx, subscription: Subscription) -> bool:
    others = subscriptions.of_customer(tx, subscription.customer_id, subscription.offer_id)
    return any(other.id != subscription.id and other.state in LIVE for other in others)


def _is_being_stopped(tx: Tx, site: Site, subscription: Subscription, charge: Charge) -> bool:
    """Whether its debit is under way for days that were not given, so that its money will go back."""
    ends_at = subscription.access_ends_at
    cut = ends_at is not None and ends_at < day_starts_at(charge.ends_on, site.zone)
    return cut and standing.debit_is_out(tx, charge)


def _paid_until(tx: Tx, site: Site, subscription: Subscription, today: date) -> date | None:
    """The first day after those that are paid for, or for which a debit runs; None when none is left."""
    given_up = agreements.switched_away(tx, subscription.id)
    ends = [
        charge.ends_on
        for charge in charges.of_subscription(tx, subscription.id)
        if charge.ends_on > today and charge.id not in given_up and _buys_its_days(tx, charge)
    ]
    return max(ends, default=None)


def _buys_its_days(tx: Tx, charge: Charge) -> bool:
    if charge.is_check:
        return False
    if charge.money.owed_cents == 0:
        return charge.amount_cents == 0 or charge.money.kept_cents > 0
    return standing.debit_is_out(tx, charge)


def _owed(tx: Tx, subscription: Subscription) -> Charge | None:
    made = charges.of_subscription(tx, subscription.id)
    return next((c for c in made if c.state in UNSETTLED and not c.is_check), None)


def _shut_until_paid(subscription: Subscription, charge: Charge, now: datetime) -> Charge:
    """It waits for a payment: as after a grace that is over, with the door closed until then."""
    subscription.state = move(move(subscription.state, E.CHARGE_FAILED), E.GRACE_OVER)
    subscription.access_ends_at = now
    subscription.next_charge_on = charge.ends_on
    return charge
