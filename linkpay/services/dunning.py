"""After a failed collection: the dated ladder of mails, new debits, and the end of grace."""

from datetime import datetime
from enum import StrEnum

from linkpay.domain.calendar import local_day
from linkpay.domain.charge import ChargeState
from linkpay.domain.dunning import ReasonClass, StepKind, classify, ladder
from linkpay.domain.subscription import LIVE, SubscriptionEvent, SubscriptionState, move
from linkpay.services import access, debits, letters
from linkpay.store import charges, journal, sites, subscriptions, work
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Site, Subscription


def begin(
    tx: Tx, subscription: Subscription, charge: Charge, *, code: str | None, taken_back: bool, now: datetime
) -> None:
    """The charge is owed again or still: start a new ladder from now. Caller holds the lock."""
    charge.failed_at, charge.failure_code = now, code
    charge.taken_back = taken_back
    charge.grace_until, charge.dunning_stopped_at = None, None
    charge.dunning_round += 1
    charge.state = ChargeState.FAILED
    site = sites.get(tx, subscription.site_id)
    policy = sites.policy_of(site, subscription.policy)
    for step in ladder(now, classify(code), taken_back=taken_back, policy=policy, zone=site.zone):
        work.add(
            tx, site_id=site.id, kind="dunning_step", target_id=charge.id, run_at=step.at, now=now,
            ref=f"{charge.id}:{charge.dunning_round}:{step.number}:{step.kind}",
        )  # fmt: skip


def failed_again(tx: Tx, subscription: Subscription, charge: Charge, code: str | None, now: datetime) -> None:
    """A later try failed too. A reason that rules out debits is told at once; grace stays as it was."""
    was = classify(charge.failure_code)
    charge.failure_code = code
    if was is ReasonClass.SOFT and classify(code) is not ReasonClass.SOFT:
        _mail(tx, subscription, charge, f"{charge.dunning_round}:stopped", now)


class Step(StrEnum):
    """What came of a step of a ladder."""

    DONE = "done"
    OVERTAKEN = "overtaken"
    SETTLED = "settled"
    NOT_BY_DEBIT = "not_by_debit"
    BEING_PAID = "being_paid"
    NO_MANDATE = "no_mandate"


def run_step(tx: Tx, charge_id: int, ref: str, now: datetime) -> Step:
    """Do one step of a ladder if it still applies. `ref` is ``charge:round:number:kind``."""
    _, dunning_round, number, kind = ref.split(":")
    subscription = subscriptions.lock(tx, charges.get(tx, charge_id).subscription_id)
    charge = charges.get(tx, charge_id)
    if charge.dunning_round != int(dunning_round) or charge.failed_at is None:
        return Step.OVERTAKEN
    if charge.asked_cents == 0 or subscription.state not in LIVE:
        return Step.SETTLED
    match StepKind(kind):
        case StepKind.MAIL:
            _mail(tx, subscription, charge, f"{dunning_round}:{number}", now)
        case StepKind.DEBIT:
            return _debit(tx, subscription, charge, now)
        case StepKind.END_GRACE:
            return _end_grace(tx, subscription, charge, now)
    return Step.DONE


def _mail(tx: Tx, subscription: Subscription, charge: Charge, step: str, now: datetime) -> None:
    if charge.taken_back:
        kind = "payment_taken_back"
    elif classify(charge.failure_code) is ReasonClass.SOFT:
        kind = "payment_failed"
    else:
        kind = "mandate_needed"
    site = sites.get(tx, subscription.site_id)
    until = access.wanted_access(tx, site, subscription.member_id, subscription.offer_id, now).until
    letters.owe(
        tx, kind, subscription, step=f"charge:{charge.id}:{step}", now=now, charge_id=charge.id,
        until=until.isoformat() if until else None,
        debit_runs=charge.state is ChargeState.COLLECTING,
        next_debit_on=_next_debit_on(site, subscription, charge, now),
    )  # fmt: skip


def _next_debit_on(site: Site, subscription: Subscription, charge: Charge, now: datetime) -> str | None:
    """The day of the ladder's next debit, as ISO date; None when there will be none."""
    if charge.failed_at is None or classify(charge.failure_code) is not ReasonClass.SOFT:
        return None
    policy = sites.policy_of(site, subscription.policy)
    steps = ladder(
        charge.failed_at, ReasonClass.SOFT, taken_back=charge.taken_back, policy=policy, zone=site.zone
    )
    to_come = [step.at for step in steps if step.kind is StepKind.DEBIT and step.at > now]
    return local_day(to_come[0], site.zone).isoformat() if to_come else None


def _debit(tx: Tx, subscription: Subscription, charge: Charge, now: datetime) -> Step:
    if classify(charge.failure_code) is not ReasonClass.SOFT or charge.taken_back:
        return Step.NOT_BY_DEBIT
    if subscription.state is SubscriptionState.CANCELING:
        return Step.NOT_BY_DEBIT
    if charges.open_payment(tx, charge.id) is not None:
        return Step.BEING_PAID
    made = debits.prepare(tx, subscription, charge, now)
    return Step.DONE if made else Step.NO_MANDATE


def _end_grace(tx: Tx, subscription: Subscription, charge: Charge, now: datetime) -> Step:
    before = subscription.state
    subscription.state = move(before, SubscriptionEvent.GRACE_OVER)
    if subscription.state is not before:
        journal.record(tx, "suspended", "clock", now, subscription=subscription, charge=charge.id)
    access.review_purchase(tx, subscription, now)
    return Step.DONE
