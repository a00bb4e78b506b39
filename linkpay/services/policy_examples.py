"""What each policy comes to on real days, computed by the functions that act: failed payments and access.

An example is a dict of facts (days, money, counts) for the words in ``policies``; `which` picks between
the texts of one policy. The rest is `policy_examples_life`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from linkpay.domain import catch_up
from linkpay.domain.calendar import DEFAULT_ZONE, Interval, Unit, add_months, days_later, local_day
from linkpay.domain.charge import ChargeMoney, ChargeState
from linkpay.domain.coverage import ChargeFacts, SubscriptionFacts, Wanted, access_wanted, covers
from linkpay.domain.dunning import (
    Failure,
    ReasonClass,
    StepKind,
    affordable_debits,
    grace_of,
    ladder,
)
from linkpay.domain.leaving import Series
from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind, Terms
from linkpay.domain.policy import Policy
from linkpay.domain.subscription import SubscriptionState

#: One fact for the words: a day, several days, an amount, or a count.
Fact = date | Sequence[date] | Money | int | str
Facts = Mapping[str, Fact]

MONTHLY = Interval(Unit.MONTH)
PRICE = Money(5000)
_MEMBERSHIP = Terms(PlanKind.MEMBERSHIP, PRICE, MONTHLY)
_MISSED = 5


@dataclass(frozen=True, slots=True)
class Case:
    """A policy on a day: everything in the example happens around `on`, mid-morning."""

    policy: Policy
    on: date
    zone: str = DEFAULT_ZONE

    @property
    def at(self) -> datetime:
        """The moment of the example."""
        return datetime.combine(self.on, time(9, 30), UTC)

    @property
    def month_later(self) -> date:
        """The day on which a month from `on` ends."""
        return add_months(self.on, 1)

    def day(self, instant: datetime) -> date:
        """The day it is at an instant."""
        return local_day(instant, self.zone)


def _bounce(case: Case, **more: object) -> Failure:
    return replace(Failure(case.at, ReasonClass.SOFT), **more)  # type: ignore[arg-type]  # fields by name


def _steps(case: Case, kind: StepKind, **more: object) -> list[date]:
    steps = ladder(_bounce(case, **more), case.policy, case.zone)
    return [case.day(step.at) for step in steps if step.kind is kind]


def _grace(case: Case) -> Facts:
    return {"end": case.day(grace_of(_bounce(case), case.policy, case.zone))}


def _reversal_grace(case: Case) -> Facts:
    taken_back = Failure(case.at, ReasonClass.REFUSED, taken_back=True)
    return {"end": case.day(grace_of(taken_back, case.policy, case.zone))}


def _some(dates: Sequence[date], **more: Fact) -> Facts:
    return {"dates": dates, "which": "some" if dates else "none", **more}


def _retries(case: Case) -> Facts:
    return _some(_steps(case, StepKind.DEBIT))


def _card_retries(case: Case) -> Facts:
    return _some(_steps(case, StepKind.DEBIT, method="creditcard"))


def _mails(case: Case) -> Facts:
    return _some(_steps(case, StepKind.MAIL))


def _bounce_cost(case: Case) -> Facts:
    tries = 1 + len(_steps(case, StepKind.DEBIT))
    return {"tries": tries, "cost": Money(tries * case.policy.bounce_cost_cents)}


def _bounce_cap(case: Case) -> Facts:
    more = affordable_debits(1, case.policy)
    return {"which": "zero"} if more is None else {"more": more}


def _pay_days(case: Case) -> Facts:
    at_any_day = replace(case, policy=replace(case.policy, pay_days=()))
    dates, without = _steps(case, StepKind.DEBIT), _steps(at_any_day, StepKind.DEBIT)
    if not without:
        return {"which": "never"}
    if not dates:
        return {"which": "too_late", "without": without}
    return {"dates": dates, "without": without}


def _charge(case: Case, state: ChargeState, money: ChargeMoney, **more: object) -> ChargeFacts:
    facts = ChargeFacts(1, case.on, case.month_later, state, money)
    return replace(facts, **more)  # type: ignore[arg-type]  # fields by name


def _wanted(case: Case, charge: ChargeFacts) -> Wanted:
    """What a member with this charge, from `on` on, should have that morning."""
    facts = SubscriptionFacts(
        SubscriptionState.ACTIVE, _MEMBERSHIP, case.policy, [charge], next_due_on=case.month_later
    )
    return access_wanted(covers(facts, case.zone), case.at)


def _end(case: Case, wanted: Wanted, *, yes: str, no: str) -> Facts:
    end = case.on if wanted.until is None else case.day(wanted.until)
    return {"end": end, "which": yes if wanted.granted else no}


def _while_it_runs(case: Case) -> Facts:
    money = ChargeMoney(PRICE.cents)
    running = _charge(case, ChargeState.COLLECTING, money, debit_running=True)
    return {"end": case.month_later, "which": "yes" if _wanted(case, running).granted else "no"}


def _collection(case: Case) -> Facts:
    unasked = _charge(case, ChargeState.SCHEDULED, ChargeMoney(PRICE.cents))
    return _end(case, _wanted(case, unasked), yes="some", no="zero")


def _mandate(case: Case) -> Facts:
    return {"end": case.day(days_later(case.at, case.policy.mandate_days, case.zone))}


def _full_refund(case: Case) -> Facts:
    refunded = ChargeMoney(PRICE.cents, paid_cents=PRICE.cents, refunded_cents=PRICE.cents)
    wanted = _wanted(case, _charge(case, ChargeState.PAID, refunded, paid_at=case.at))
    return {"end": case.month_later, "which": "no" if wanted.granted else "yes"}


def _gap(case: Case) -> Facts:
    return {"next": catch_up.not_before(case.on, case.policy)}


def _missed(case: Case) -> Facts:
    """The service was away for some periods up to yesterday."""
    yesterday = case.on - timedelta(days=1)
    first = add_months(yesterday, 1 - _MISSED)
    dropped = sum(
        catch_up.is_too_old(Series(first, 0, index, MONTHLY), case.policy, case.on)
        for index in range(_MISSED)
    )
    return {"collected": _MISSED - dropped, "dropped": dropped}


EXAMPLES: Mapping[str, Callable[[Case], Facts]] = {
    "grace_days": _grace,
    "reversal_grace_days": _reversal_grace,
    "retry_days": _retries,
    "card_retry_days": _card_retries,
    "mail_days": _mails,
    "bounce_cost_cents": _bounce_cost,
    "bounce_cost_cap_cents": _bounce_cap,
    "pay_days": _pay_days,
    "keep_access_while_debit_runs": _while_it_runs,
    "collection_days": _collection,
    "mandate_days": _mandate,
    "full_refund_ends_access": _full_refund,
    "catch_up_gap_days": _gap,
    "catch_up_periods": _missed,
}
