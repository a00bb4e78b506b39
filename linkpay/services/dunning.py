"""After a failed collection: the dated ladder of mails, new debits, and the end of grace."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from linkpay.domain.calendar import day_starts_at, local_day
from linkpay.domain.charge import LET_GO, ChargeEvent, ChargeState
from linkpay.domain.charge import move as move_charge
from linkpay.domain.dunning import (
    DIRECT_DEBIT,
    Failure,
    ReasonClass,
    Step,
    StepKind,
    affordable_debits,
    classify,
    grace_of,
    ladder,
)
from linkpay.domain.policy import Policy
from linkpay.domain.subscription import LIVE, SubscriptionEvent, SubscriptionState, move
from linkpay.services import access, announcing, debits, latecomers, lateness, letters
from linkpay.store import agreements, charges, journal, sites, subscriptions, work
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Mandate, Subscription

KIND = "dunning_step"
#: A debit waits this long for a payment page that somebody has open, or another debit that runs.
_LET_HER_PAY = timedelta(hours=1)


def begin(
    tx: Tx, subscription: Subscription, charge: Charge, *, code: str | None, taken_back: bool, now: datetime
) -> None:
    """The charge is owed again or still: start a new ladder from now. Caller holds the lock.

    Who withdrew owes nothing more, whatever her bank does afterwards.
    """
    if agreements.was_withdrawn(tx, subscription.id):
        charge.state = ChargeState.VOID
        return
    charge.failed_at, charge.failure_code = now, code
    charge.taken_back = taken_back
    charge.grace_until, charge.dunning_stopped_at = None, None
    charge.dunning_round += 1
    charge.state = ChargeState.FAILED
    plan(tx, subscription, charge, now)


def debit_failed(tx: Tx, subscription: Subscription, charge: Charge, code: str | None, now: datetime) -> None:
    """A debit came to nothing: begin the ladder, or note that a later try failed as well.

    Who has left is asked for nothing: the charge is let go, and so are the days it would have bought.
    """
    if subscription.state is SubscriptionState.ENDED:
        charge.state = move_charge(charge.state, ChargeEvent.VOIDED)
        latecomers.send_credit_back(tx, subscription, now)
    if charge.state in LET_GO:
        return
    if charge.failed_at is not None:
        failed_again(tx, subscription, charge, code, now)
        return
    begin(tx, subscription, charge, code=code, taken_back=False, now=now)
    subscription.state = move(subscription.state, SubscriptionEvent.CHARGE_FAILED)


def plan(tx: Tx, subscription: Subscription, charge: Charge, now: datetime) -> None:
    """Owe every step of the charge's ladder that is not owed yet. Caller holds the lock.

    Grace that goes on after its end ends once more, so that step is owed again when it was done.
    """
    failure = failure_of(tx, subscription, charge)
    site, policy = sites.get(tx, subscription.site_id), policy_of(tx, subscription)
    for step in ladder(failure, policy, site.zone):
        if step.at >= now or step.at == failure.at:
            owe = work.schedule if step.kind is StepKind.END_GRACE else work.add
            owe(
                tx, site_id=site.id, kind=KIND, target_id=charge.id, run_at=step.at, now=now,
                ref=f"{charge.id}:{charge.dunning_round}:{step.number}:{step.kind}",
            )  # fmt: skip


def policy_of(tx: Tx, subscription: Subscription) -> Policy:
    """The choices that count for a subscription."""
    return sites.policy_of(sites.get(tx, subscription.site_id), subscription.policy)


def failure_of(tx: Tx, subscription: Subscription, charge: Charge) -> Failure:
    """The present failure of a charge, as the rules see it."""
    assert charge.failed_at is not None  # noqa: S101 - callers ask about a failed charge
    mandate = tx.get(Mandate, subscription.mandate_id) if subscription.mandate_id else None
    return Failure(
        at=charge.failed_at,
        reason=classify(charge.failure_code),
        taken_back=charge.taken_back,
        method=mandate.method or DIRECT_DEBIT if mandate else DIRECT_DEBIT,
        bounces=max(1, charges.bounces(tx, charge.id, until=charge.failed_at)),
        grace_until=charge.grace_until,
    )


def grace_end(tx: Tx, subscription: Subscription, charge: Charge) -> datetime:
    """Until when access survives the present failure of a charge."""
    site = sites.get(tx, subscription.site_id)
    return grace_of(failure_of(tx, subscription, charge), policy_of(tx, subscription), site.zone)


def failed_again(tx: Tx, subscription: Subscription, charge: Charge, code: str | None, now: datetime) -> None:
    """A later try failed too. A reason that rules out debits is told at once; grace stays as it was."""
    was = classify(charge.failure_code)
    charge.failure_code = code
    stopped = charge.dunning_stopped_at is not None
    if was is ReasonClass.SOFT and classify(code) is not ReasonClass.SOFT and not stopped:
        _mail(tx, subscription, charge, f"{charge.dunning_round}:stopped", now)


class Outcome(StrEnum):
    """What came of a step of a ladder."""

    DONE = "done"
    OVERTAKEN = "overtaken"
    SETTLED = "settled"
    STOPPED = "stopped"
    NOT_BY_DEBIT = "not_by_debit"
    TOO_DEAR = "too_dear"
    GRACE_OVER = "grace_over"
    BEING_PAID = "being_paid"
    NOT_TOLD = "not_told"
    NO_MANDATE = "no_mandate"


def run_step(tx: Tx, charge_id: int, row_id: int, ref: str, now: datetime) -> datetime | None:
    """Do one step of a ladder if it still applies; when to come again, or None when it is done with.

    `ref` is ``charge:round:number:kind``.
    """
    _, dunning_round, number, kind = ref.split(":")
    subscription = subscriptions.lock(tx, charges.get(tx, charge_id).subscription_id)
    charge = charges.get(tx, charge_id)
    if charge.dunning_round != int(dunning_round) or charge.failed_at is None:
        return None
    if charge.asked_cents == 0 or subscription.state not in LIVE:
        return None
    if behind := lateness.held_up(tx, charge, now):
        lateness.go_on_from(tx, subscription, charge, behind)
        access.review_purchase(tx, subscription, now)
    due_at = work.due_at(tx, row_id)
    if due_at > now:
        return due_at
    match StepKind(kind):
        case StepKind.MAIL:
            if charge.dunning_stopped_at is None:
                _mail(tx, subscription, charge, f"{dunning_round}:{number}", now)
        case StepKind.DEBIT:
            stopped = charge.dunning_stopped_at is not None
            outcome = Outcome.STOPPED if stopped else debit(tx, subscription, charge, now)
            return _come_again(tx, subscription, charge, outcome, now)
        case StepKind.END_GRACE:
            return _end_grace(tx, subscription, charge, now)
    return None


def _come_again(
    tx: Tx, subscription: Subscription, charge: Charge, outcome: Outcome, now: datetime
) -> datetime | None:
    """When a debit that could not be made now is tried once more; None where it is not."""
    match outcome:
        case Outcome.BEING_PAID:
            return now + _LET_HER_PAY
        case Outcome.NOT_TOLD:
            zone = sites.get(tx, subscription.site_id).zone
            return day_starts_at(announcing.first_try(tx, subscription, charge, now), zone)
    return None


def try_when_told(tx: Tx, subscription: Subscription, charge: Charge, now: datetime) -> date:
    """Owe one more debit for the first day on which its member knows of it; that day. Holds the lock."""
    day = announcing.first_try(tx, subscription, charge, now)
    zone = sites.get(tx, subscription.site_id).zone
    work.add(
        tx, site_id=subscription.site_id, kind=KIND, target_id=charge.id, run_at=day_starts_at(day, zone),
        now=now, ref=f"{charge.id}:{charge.dunning_round}:{day:%Y%m%d}:{StepKind.DEBIT}",
    )  # fmt: skip
    return day


def _mail(tx: Tx, subscription: Subscription, charge: Charge, step: str, now: datetime) -> None:
    if charge.taken_back:
        kind = "payment_taken_back"
    elif classify(charge.failure_code) is ReasonClass.SOFT:
        kind = "payment_failed"
    else:
        kind = "mandate_needed"
    site = sites.get(tx, subscription.site_id)
    member_id, offer_id = subscription.member_id, subscription.offer_id
    until = access.wanted_access(tx, site, member_id, offer_id, now, if_debits_fail=True).until
    tries = [
        local_day(step.at, site.zone).isoformat()
        for step in to_come(tx, subscription, charge)
        if step.kind is StepKind.DEBIT
    ]
    letters.owe(
        tx, kind, subscription, step=f"charge:{charge.id}:{step}", now=now, charge_id=charge.id,
        until=until.isoformat() if until else None,
        debit_runs=charge.state is ChargeState.COLLECTING,
        next_debit_on=tries[0] if tries else None,
        debits_on=tries,
    )  # fmt: skip


def to_come(tx: Tx, subscription: Subscription, charge: Charge) -> Sequence[Step]:
    """The steps of a charge's ladder that will still be done, as things stand, in order of time."""
    if charge.failed_at is None or charge.asked_cents == 0 or subscription.state not in LIVE:
        return []
    steps = []
    for row in work.waiting(tx, KIND, f"{charge.id}:{charge.dunning_round}:"):
        *_, number, kind = row.ref.split(":")
        steps.append(Step(int(number), StepKind(kind), row.run_at))
    helped = charge.dunning_stopped_at is None
    debited = helped and hinders(tx, subscription, charge) is None
    end = grace_end(tx, subscription, charge)
    kinds = {StepKind.MAIL: helped, StepKind.DEBIT: debited, StepKind.END_GRACE: False}
    found = [step for step in steps if kinds[step.kind]]
    ends = [step for step in steps if step.kind is StepKind.END_GRACE]
    return [*found, *(Step(step.number, step.kind, end) for step in ends[-1:])]


def hinders(tx: Tx, subscription: Subscription, charge: Charge) -> Outcome | None:
    """Why the charge is not to be debited again, whenever; None when nothing speaks against it."""
    failure = replace(failure_of(tx, subscription, charge), bounces=charges.bounces(tx, charge.id))
    mandate = tx.get(Mandate, subscription.mandate_id) if subscription.mandate_id else None
    return ruled_out(failure, subscription.state, policy_of(tx, subscription), mandate)


def ruled_out(
    failure: Failure, state: SubscriptionState, policy: Policy, mandate: Mandate | None
) -> Outcome | None:
    """Why no debit follows a failure, whose `bounces` are all until now; None when nothing forbids it."""
    if failure.reason is not ReasonClass.SOFT or failure.taken_back:
        return Outcome.NOT_BY_DEBIT
    if state is SubscriptionState.CANCELING:
        return Outcome.NOT_BY_DEBIT
    if failure.method == DIRECT_DEBIT and affordable_debits(failure.bounces, policy) == 0:
        return Outcome.TOO_DEAR
    return None if mandate is not None and mandate.may_be_tried else Outcome.NO_MANDATE


def debit(tx: Tx, subscription: Subscription, charge: Charge, now: datetime) -> Outcome:
    """Owe one more debit of a failed charge, where the rules allow it. Caller holds the lock."""
    hindered = hinders(tx, subscription, charge)
    if hindered is not None:
        return hindered
    if now >= grace_end(tx, subscription, charge):
        return Outcome.GRACE_OVER
    if charges.open_payment(tx, charge.id) is not None:
        return Outcome.BEING_PAID
    site = sites.get(tx, subscription.site_id)
    if announcing.first_try(tx, subscription, charge, now) > local_day(now, site.zone):
        return Outcome.NOT_TOLD
    made = debits.prepare(tx, subscription, charge, now)
    return Outcome.DONE if made else Outcome.NO_MANDATE


def _end_grace(tx: Tx, subscription: Subscription, charge: Charge, now: datetime) -> datetime | None:
    end = grace_end(tx, subscription, charge)
    if end > now:
        return end
    _suspend(tx, subscription, charge, now)
    access.review_purchase(tx, subscription, now)
    return None


def _suspend(tx: Tx, subscription: Subscription, charge: Charge, now: datetime) -> None:
    before = subscription.state
    subscription.state = move(before, SubscriptionEvent.GRACE_OVER)
    if subscription.state is not before:
        journal.record(tx, "suspended", "clock", now, subscription=subscription, charge=charge.id)


def go_on_owing(tx: Tx, subscription: Subscription, now: datetime) -> None:
    """It runs on after a cancellation: past due where a failed charge is asked for, suspended where its grace
    ended meanwhile. Caller holds the lock and reviews access after."""
    for charge in charges.failing_of(tx, subscription.id):
        subscription.state = move(subscription.state, SubscriptionEvent.CHARGE_FAILED)
        # An end that comes late because we were away is moved before it counts.
        if grace_end(tx, subscription, charge) <= now and not lateness.held_up(tx, charge, now):
            _suspend(tx, subscription, charge, now)
