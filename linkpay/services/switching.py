"""Going over to another plan of the same offer: what it would come to, doing it, and staying after all."""

from dataclasses import replace
from datetime import datetime

from linkpay.domain import pricing
from linkpay.domain.calendar import add_intervals, local_day
from linkpay.domain.charge import LET_GO
from linkpay.domain.switching import Refusal, Switch, Wish, bound_until, credits, refusal
from linkpay.errors import Conflict, NotFound
from linkpay.services import access, billing, charging, consent, letters, newplan, notices, standing
from linkpay.services.consent import Yes
from linkpay.store import agreements, charges, journal, sites, subscriptions
from linkpay.store.db import Tx
from linkpay.store.tables import Mandate, Plan, Site, Subscription

_MESSAGES = {
    Refusal.NOTHING_RUNS: "There is nothing running that could be switched.",
    Refusal.NOT_A_MEMBERSHIP: "Only a membership can be switched, and only to another membership.",
    Refusal.PAST_DUE: "A payment is open. Pay it first; then the plan can be switched.",
    Refusal.CANCELED: "It is cancelled. Take the cancellation back first; then the plan can be switched.",
    Refusal.PAUSED: "It is paused. Go on first; then the plan can be switched.",
    Refusal.DEBIT_RUNNING: "A debit is under way. Switch when it is done, or for the end of the period.",
    Refusal.SAME_PLAN: "This is the plan that runs already.",
    Refusal.ARCHIVED: "This plan is not offered any more. Choose another one.",
    Refusal.OTHER_OFFER: "This plan belongs to another offer; buy it there.",
    Refusal.OTHER_CURRENCY: "This plan is in another currency. Cancel the present one and buy it anew.",
    Refusal.BOUND: "The agreed minimum term is not over; until then only a larger plan can be chosen.",
    Refusal.NO_MANDATE: "There is no valid account to collect from. Renew it first, then switch.",
}


def preview_switch(
    tx: Tx, subscription_id: int, plan_id: int, *, at_once: bool, now: datetime, actor: str = "member"
) -> Switch:
    """What `switch` would do now, changing nothing. Raises Conflict or NotFound where it would."""
    subscription = subscriptions.get(tx, subscription_id)
    plan = _plan(tx, subscription, plan_id)
    return _decided(tx, subscription, plan, at_once=at_once, actor=actor, now=now)[0]


def switch(
    tx: Tx, subscription_id: int, plan_id: int, *, at_once: bool, given: Yes | None, actor: str, now: datetime
) -> Switch:  # fmt: skip
    """Go over to a plan of the same offer: at once, with credit for unused days, or with the next period.

    `given` is a member's consent; an owner needs none. Raises Conflict with one of `Refusal`, NotFound
    ``plan_unknown``, InputError ``consent_missing``.
    """
    subscription = subscriptions.lock(tx, subscription_id)
    plan = _plan(tx, subscription, plan_id)
    decided, credited = _decided(tx, subscription, plan, at_once=at_once, actor=actor, now=now)
    consent.require(given, actor)
    if not at_once and subscription.next_plan_id == plan.id:
        return decided
    agreed = consent.keep(
        tx, subscription, given, "switch", now, plan=plan.slug, amount_cents=plan.amount_cents,
        due_now_cents=decided.due_now_cents, begins_on=decided.begins_on.isoformat(),
        notice_days=sites.policy_of(sites.get(tx, subscription.site_id), plan.policy).agreed_notice_days,
    )  # fmt: skip
    _tell(tx, subscription, plan, decided if agreed else replace(decided, due_now_cents=0), now)
    if at_once:
        for charge_id, cents in credited:
            agreements.add_credit(
                tx, subscription, cents, reason="switch", ref=f"switch:{charge_id}", charge_id=charge_id,
                now=now,
            )  # fmt: skip
        newplan.take_on(tx, subscription, plan, decided.begins_on, actor=actor, now=now)
        notices.agreed_to(tx, subscription, agreed)
        billing.raise_next(tx, subscription.id, now)
    else:
        subscription.next_plan_id = plan.id
        notices.agreed_to(tx, subscription, agreed)
        journal.record(
            tx, "switch_chosen", actor, now, subscription=subscription, came_to=plan.title,
            starts_on=decided.begins_on.isoformat(),
        )  # fmt: skip
    tx.flush()
    access.review_purchase(tx, subscription, now)
    return decided


def undo_switch(tx: Tx, subscription_id: int, actor: str, now: datetime) -> None:
    """Stay with the present plan after all, where another was chosen for the next period."""
    subscription = subscriptions.lock(tx, subscription_id)
    if subscription.next_plan_id is None:
        return
    subscription.next_plan_id = None
    journal.record(tx, "switch_undone", actor, now, subscription=subscription)


def _plan(tx: Tx, subscription: Subscription, plan_id: int) -> Plan:
    plan = sites.plan_by_id(tx, subscription.site_id, plan_id)
    if plan is None:
        raise NotFound("plan_unknown", "There is no such plan.", "plan")
    return plan


def _decided(
    tx: Tx, subscription: Subscription, plan: Plan, *, at_once: bool, actor: str, now: datetime
) -> tuple[Switch, list[tuple[int, int]]]:
    site = sites.get(tx, subscription.site_id)
    wish = _wish(tx, site, subscription, plan, at_once=at_once, actor=actor, now=now)
    why = refusal(wish)
    if why is not None:
        raise Conflict(why, _MESSAGES[why], "plan")
    spans = standing.of(tx, site, subscription, now).paid if at_once else ()
    given = credits(spans, sites.policy_of(site, subscription.policy), wish.begins_on)
    credit = sum(cents for _, cents in given)
    in_hand = agreements.credit_cents(tx, subscription.id) + credit
    first = _amount(tx, subscription, plan, 0, in_hand)
    due_now, next_on, next_cents = 0, wish.begins_on, first
    if at_once:
        left = in_hand - min(in_hand, _amount(tx, subscription, plan, 0, 0))
        due_now, next_cents = first, _amount(tx, subscription, plan, 1, left)
        next_on = add_intervals(wish.begins_on, wish.new.interval, 1)
    decided = Switch(
        wish.old, wish.new, at_once, wish.begins_on, credit, due_now, next_on, next_cents, bound_until(wish)
    )
    return decided, given


def _wish(
    tx: Tx, site: Site, subscription: Subscription, plan: Plan, *, at_once: bool, actor: str, now: datetime
) -> Wish:
    today = local_day(now, site.zone)
    due_on = subscription.next_charge_on or today
    mandate = tx.get(Mandate, subscription.mandate_id) if subscription.mandate_id else None
    return Wish(
        state=subscription.state,
        old=charging.terms_on(tx, subscription, due_on),
        new=plan.terms,
        begins_on=today if at_once else due_on,
        at_once=at_once,
        by_member=standing.is_member(actor),
        bound_until=subscription.bound_until,
        same_plan=plan.id == subscription.plan_id,
        archived=plan.archived_at is not None,
        same_offer=plan.offer_id == subscription.offer_id,
        debit_runs=charges.has_unsettled(tx, subscription.id) or (at_once and _may_be_paid(tx, subscription)),
        has_mandate=mandate is not None and mandate.may_be_tried,
    )


def _may_be_paid(tx: Tx, subscription: Subscription) -> bool:
    """Whether the debit runs of a charge that was let go of: its days are paid for if it comes after all."""
    made = charges.of_subscription(tx, subscription.id)
    return any(charge.state in LET_GO and standing.debit_is_out(tx, charge) for charge in made)


def _amount(tx: Tx, subscription: Subscription, plan: Plan, later: int, credit_cents: int) -> int:
    """What the new plan's period asks, `later` periods after its first, with so much credit in hand."""
    stays = newplan.coupon_stays(tx, subscription, plan)
    made = pricing.lines(
        newplan.without_a_start(plan.terms), subscription.next_index + later,
        vat_basis_points=plan.vat_basis_points, credit_cents=credit_cents,
        discount=charging.discount(tx, subscription) if stays else None,
    )  # fmt: skip
    return pricing.total(made)


def _tell(tx: Tx, subscription: Subscription, plan: Plan, decided: Switch, now: datetime) -> None:
    step = f"subscription:{subscription.id}:switch:{now.isoformat()}"
    letters.owe(
        tx, "switched", subscription, now=now, step=step,
        new_plan=plan.title, starts_on=decided.begins_on.isoformat(), new_amount_cents=plan.amount_cents,
        credit_cents=decided.credit_cents, due_now_cents=decided.due_now_cents, at_once=decided.at_once,
        next_on=decided.next_charge_on.isoformat(), next_amount_cents=decided.next_cents,
    )  # fmt: skip
