"""Going over to another plan, once it is decided: its terms from its first day on, and what ends then."""

from dataclasses import replace
from datetime import date, datetime

from linkpay.domain.calendar import add_intervals
from linkpay.domain.plan import Terms
from linkpay.services import standing, worth
from linkpay.store import agreements, journal, people, sites
from linkpay.store.db import Tx
from linkpay.store.tables import Plan, Subscription
from linkpay.store.tables.terms import agreed

#: What only counts at the very beginning: a trial and a setup fee of another plan are not for who is in.
_AT_THE_START = frozenset({"trial_days", "trial_cents", "setup_fee_cents"})


def take_on(
    tx: Tx, subscription: Subscription, plan: Plan, begins_on: date, *, actor: str, now: datetime
) -> None:
    """Let the plan count from `begins_on`, the first day that nothing was charged for or that is given up.

    Prices that were announced for the old plan end with it, and so does a coupon that does not allow the
    new one. Caller holds the lock.
    """
    before = sites.plan_by_id(tx, subscription.site_id, subscription.plan_id)
    brought = worth.of(subscription)
    change_terms(subscription, plan, begins_on)
    worth.changed(tx, subscription, brought, now)
    agreements.forget_prices(tx, subscription.id, now)
    if not coupon_stays(tx, subscription, plan):
        agreements.end_coupon(tx, subscription.id, subscription.next_index)
    journal.record(
        tx, "switched", actor, now, subscription=subscription, came_from=before.title if before else "",
        came_to=plan.title, starts_on=begins_on.isoformat(),
    )  # fmt: skip
    tx.flush()


def change_terms(subscription: Subscription, plan: Plan, begins_on: date) -> None:
    """Let the terms of a plan count from a day. Touches nothing but the subscription it is given."""
    for name, value in agreed(plan).items():
        if name not in _AT_THE_START:
            setattr(subscription, name, value)
    subscription.plan_id, subscription.next_plan_id = plan.id, None
    subscription.anchor_on, subscription.anchor_index = begins_on, subscription.next_index
    subscription.next_charge_on = begins_on
    if plan.minimum_periods:
        ends = add_intervals(begins_on, plan.terms.interval, plan.minimum_periods)
        subscription.bound_until = max(ends, subscription.bound_until or ends)


def coupon_stays(tx: Tx, subscription: Subscription, plan: Plan) -> bool:
    """Whether the coupon in use counts for a plan as well: one for certain plans only does for these."""
    plans = agreements.plans_of_coupon(tx, subscription.id)
    return not plans or plan.slug in plans


def without_a_start(terms: Terms) -> Terms:
    """The terms as they count for who is in already."""
    return replace(terms, trial=None, setup_fee_cents=0)


def take_on_chosen(tx: Tx, subscription: Subscription, now: datetime) -> None:
    """Go over to the plan that was chosen for the next period, at no more than was agreed to."""
    begins_on, plan_id = subscription.next_charge_on, subscription.next_plan_id
    plan = sites.plan_by_id(tx, subscription.site_id, plan_id) if plan_id else None
    if plan is None or begins_on is None:
        return
    take_on(tx, subscription, plan, begins_on, actor="clock", now=now)
    brought = worth.of(subscription)
    hold_to_consent(tx, subscription, plan)
    worth.changed(tx, subscription, brought, now)


def hold_to_consent(tx: Tx, subscription: Subscription, plan: Plan) -> None:
    """No more is asked for the plan than was agreed to when it was chosen."""
    agreed_to = [consent for consent in people.consents(tx, subscription.id) if consent.kind == "switch"]
    if agreed_to and agreed_to[-1].data.get("plan") == plan.slug and _chosen_by_member(tx, subscription):
        cents = agreed_to[-1].data["amount_cents"]
        subscription.amount_cents = min(subscription.amount_cents, cents)


def _chosen_by_member(tx: Tx, subscription: Subscription) -> bool:
    """Whether she chose the next plan herself: what she agreed to before, and took back, binds nobody."""
    return standing.is_member(journal.last_actor(tx, subscription.id, "switch_chosen") or "member")
