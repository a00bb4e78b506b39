"""What follows a collection that fails: the ladder of its class, and until when access lasts."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from linkpay.domain.banking import answered_on
from linkpay.domain.calendar import day_starts_at, local_day
from linkpay.domain.charge import ChargeMoney, ChargeState
from linkpay.domain.coverage import ChargeFacts, SubscriptionFacts
from linkpay.domain.dunning import DIRECT_DEBIT, Failure, ReasonClass, StepKind, ladder
from linkpay.domain.forecast import Item, Kind, turns_of_access
from linkpay.domain.policy import Policy
from linkpay.domain.subscription import SubscriptionEvent, SubscriptionState, move
from linkpay.services import access, dunning
from linkpay.services.course import Collection, Course
from linkpay.store import charges, sites
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Mandate, Site, Subscription

#: Banks answer in the morning; that a ladder begins within a day moves none of its days.
_WITHIN_THE_DAY = timedelta(hours=12)
_KINDS = {StepKind.MAIL: Kind.MAIL, StepKind.DEBIT: Kind.DEBIT}


@dataclass(frozen=True, slots=True)
class _Mishap:
    """A collection of `cents` that fails, and how things stand then. `facts` know nothing of the failure."""

    charge: ChargeFacts
    cents: int
    failure: Failure
    policy: Policy
    state: SubscriptionState
    facts: SubscriptionFacts


def of_first(tx: Tx, course: Course, subscription: Subscription) -> tuple[Item, ...]:
    """What follows where the first collection on a course fails."""
    first = course.first
    if first is None:
        return ()
    charge = ChargeFacts(
        first.days.index, first.days.starts_on, first.days.ends_on, ChargeState.FAILED,
        ChargeMoney(first.cents),
    )  # fmt: skip
    known = access.facts(tx, course.site, subscription)
    before = [one for one in course.facts(known).charges if one.index < first.days.index]
    facts = replace(known, state=first.state, charges=before, next_due_on=first.next_due_on)
    failure = _failure(course.site, first, course.mandate)
    mishap = _Mishap(charge, first.cents, failure, first.policy, first.state, facts)
    return _follows(tx, course.site, subscription, mishap, course.mandate)


def running(tx: Tx, site: Site, subscription: Subscription, charge: Charge, now: datetime) -> Item:
    """A debit that runs now: when its bank answers at the earliest, and what follows if it says no."""
    payment = charges.open_payment(tx, charge.id)
    today, owed = local_day(now, site.zone), charge.money.owed_cents
    asked_on = local_day(payment.created_at, site.zone) if payment else today
    answer_on = max(today, answered_on(asked_on))
    if charge.failed_at is not None:
        return Item(answer_on, Kind.DEBIT_RUNS, owed)
    mandate = tx.get(Mandate, subscription.mandate_id) if subscription.mandate_id else None
    known = access.facts(tx, site, subscription)
    before = [one for one in known.charges if one.index < charge.period]
    (failing,) = [one for one in known.charges if one.index == charge.period]
    failing = replace(failing, state=ChargeState.FAILED, debit_running=False)
    at = max(now, day_starts_at(answer_on, site.zone) + _WITHIN_THE_DAY)
    failure = Failure(at, ReasonClass.SOFT, method=mandate.method if mandate else DIRECT_DEBIT)
    policy = sites.policy_of(site, subscription.policy)
    mishap = _Mishap(failing, owed, failure, policy, subscription.state, replace(known, charges=before))
    return Item(
        answer_on, Kind.DEBIT_RUNS, owed, if_it_fails=_follows(tx, site, subscription, mishap, mandate)
    )


def _failure(site: Site, first: Collection, mandate: Mandate | None) -> Failure:
    """The failure of a collection on the first day on which it can be known."""
    if mandate is None or not mandate.may_be_tried:
        return Failure(day_starts_at(first.on, site.zone), ReasonClass.BROKEN)
    by_bank = mandate.method == DIRECT_DEBIT
    known_on: date = answered_on(first.on) if by_bank else first.on
    return Failure(
        day_starts_at(known_on, site.zone) + _WITHIN_THE_DAY, ReasonClass.SOFT, method=mandate.method
    )


def _follows(
    tx: Tx, site: Site, subscription: Subscription, mishap: _Mishap, mandate: Mandate | None
) -> tuple[Item, ...]:
    failure, zone = mishap.failure, site.zone
    debited = dunning.ruled_out(failure, mishap.state, mishap.policy, mandate) is None
    steps = [
        Item(
            local_day(step.at, zone), _KINDS[step.kind], mishap.cents if step.kind is StepKind.DEBIT else None
        )
        for step in ladder(failure, mishap.policy, zone)
        if step.kind is StepKind.MAIL or (step.kind is StepKind.DEBIT and debited)
    ]
    failed = replace(mishap.charge, failed_at=failure.at)
    facts = replace(
        mishap.facts, state=move(mishap.state, SubscriptionEvent.CHARGE_FAILED), policy=mishap.policy,
        charges=[*mishap.facts.charges, failed],
    )  # fmt: skip
    stretches = access.stretches(
        tx, site, subscription.member_id, subscription.offer_id, instead={subscription.id: facts}
    )
    closing = next((at for at, opens in turns_of_access(stretches, failure.at) if not opens), None)
    ends = [Item(local_day(closing, zone), Kind.ACCESS_ENDS)] if closing else []
    return (*steps, *ends)
