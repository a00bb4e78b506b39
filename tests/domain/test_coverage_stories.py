"""Coverage in the cases that people will ask about, one by one."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from linkpay.domain.calendar import DEFAULT_ZONE, Interval, Unit, day_starts_at
from linkpay.domain.charge import ChargeMoney, ChargeState
from linkpay.domain.coverage import ChargeFacts, Source, SubscriptionFacts, Wanted, access_wanted, covers
from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind, Terms
from linkpay.domain.policy import Policy
from linkpay.domain.subscription import SubscriptionState

S = SubscriptionState
MONTHLY = Terms(PlanKind.MEMBERSHIP, Money(5000), Interval(Unit.MONTH))
PAID = ChargeMoney(5000, 5000)
UNPAID = ChargeMoney(5000)


def at(month: int, day: int, hour: int = 0) -> datetime:
    return day_starts_at(date(2026, month, day), DEFAULT_ZONE) + timedelta(hours=hour)


#: The period from 1 May to 1 June, paid; and what may become of it.
MAY = ChargeFacts(1, date(2026, 5, 1), date(2026, 6, 1), ChargeState.PAID, PAID)
RUNNING = replace(MAY, state=ChargeState.COLLECTING, money=UNPAID, debit_running=True)
BOUNCED = replace(MAY, state=ChargeState.FAILED, money=UNPAID, failed_at=at(5, 3, 9))
TAKEN_BACK = replace(
    MAY, state=ChargeState.FAILED, money=ChargeMoney(5000, 5000, 0, 5000), failed_at=at(5, 20, 9),
    taken_back=True,
)  # fmt: skip


def a_membership(*charges: ChargeFacts, state: SubscriptionState = S.PAST_DUE) -> SubscriptionFacts:
    return SubscriptionFacts(state, MONTHLY, Policy(), charges)


def wanted(now: datetime, *subscriptions: SubscriptionFacts) -> Wanted:
    return access_wanted([cover for one in subscriptions for cover in covers(one, DEFAULT_ZONE)], now)


def test_a_debit_that_bounces_on_3_may_ends_access_on_17_may() -> None:
    member = a_membership(BOUNCED)
    assert wanted(at(5, 3, 9), member) == Wanted(True, Source.GRACE, at(5, 17, 9))
    assert wanted(at(5, 17, 8), member).granted
    assert not wanted(at(5, 17, 9), member).granted


def test_paying_within_or_after_the_grace_brings_the_rest_of_the_period() -> None:
    assert wanted(at(5, 25), a_membership(MAY, state=S.ACTIVE)).until == at(6, 1)


def test_a_running_debit_keeps_access_to_the_end_of_its_period() -> None:
    assert wanted(at(5, 6), a_membership(RUNNING)) == Wanted(True, Source.DEBIT_RUNNING, at(6, 1))


def test_a_running_debit_gives_nothing_where_the_policy_says_so() -> None:
    strict = Policy(keep_access_while_debit_runs=False)
    assert not wanted(at(5, 1), replace(a_membership(RUNNING), policy=strict)).granted
    assert wanted(at(5, 1), replace(a_membership(MAY), policy=strict)).granted


def test_a_debit_tried_again_keeps_access_past_the_grace_but_not_when_it_fails_too() -> None:
    tried_again = replace(BOUNCED, state=ChargeState.COLLECTING, debit_running=True)
    assert wanted(at(5, 18), a_membership(tried_again)).source is Source.DEBIT_RUNNING
    assert not wanted(at(5, 18), a_membership(BOUNCED)).granted


def test_money_taken_back_leaves_three_days() -> None:
    member = a_membership(TAKEN_BACK)
    assert wanted(at(5, 20, 9), member) == Wanted(True, Source.REVERSAL_GRACE, at(5, 23, 9))
    assert not wanted(at(5, 23, 9), member).granted


def test_a_full_refund_ends_its_periods_access_and_a_partial_one_does_not() -> None:
    refunded = replace(MAY, money=ChargeMoney(5000, 5000, refunded_cents=5000))
    partly = replace(MAY, money=ChargeMoney(5000, 5000, refunded_cents=4999))
    assert not wanted(at(5, 10), a_membership(refunded)).granted
    assert wanted(at(5, 10), a_membership(partly)).until == at(6, 1)
    generous = Policy(full_refund_ends_access=False)
    assert wanted(at(5, 10), replace(a_membership(refunded), policy=generous)).granted


def test_a_refund_of_what_came_in_twice_ends_nothing() -> None:
    twice = replace(MAY, money=ChargeMoney(5000, 10_000, refunded_cents=5000))
    assert wanted(at(5, 10), a_membership(twice, state=S.ACTIVE)).source is Source.PAID


def test_two_subscriptions_to_one_offer_cover_for_each_other() -> None:
    lost, held = a_membership(BOUNCED), a_membership(MAY, state=S.ACTIVE)
    assert wanted(at(5, 25), lost, held) == Wanted(True, Source.PAID, at(6, 1))
    assert not wanted(at(5, 25), lost).granted


def test_a_period_we_have_not_asked_for_is_our_delay_for_seven_days() -> None:
    active = replace(a_membership(MAY, state=S.ACTIVE), next_due_on=date(2026, 6, 1))
    assert wanted(at(5, 10), active).until == at(6, 8)
    assert wanted(at(6, 3), active).source is Source.COLLECTION
    assert not wanted(at(6, 8), active).granted


def test_a_canceled_membership_ends_with_its_paid_period() -> None:
    leaving = replace(
        a_membership(MAY, state=S.CANCELING), next_due_on=date(2026, 6, 1), cancel_on=date(2026, 6, 1)
    )
    assert wanted(at(5, 10), leaving) == Wanted(True, Source.PAID, at(6, 1))
    assert wanted(at(5, 10), replace(leaving, cancel_on=None)).until == at(6, 1)


def test_a_cancellation_after_a_minimum_term_keeps_the_periods_before_it() -> None:
    bound = replace(
        a_membership(MAY, state=S.CANCELING), next_due_on=date(2026, 6, 1), cancel_on=date(2026, 9, 1)
    )
    assert wanted(at(5, 10), bound).until == at(6, 8)


@pytest.mark.parametrize("state", [S.CANCELING, S.ENDED])
def test_who_leaves_without_paying_stays_no_longer_than_who_paid(state: SubscriptionState) -> None:
    late = replace(BOUNCED, failed_at=at(5, 28))
    unpaid, paid = a_membership(late, state=state), a_membership(MAY, state=state)
    assert wanted(at(5, 29), unpaid).until == wanted(at(5, 29), paid).until == at(6, 1)
    assert wanted(at(5, 29), a_membership(late)).until == at(6, 11)


def test_a_sign_up_from_kajabi_is_covered_until_its_mandate_is_due() -> None:
    signup = SubscriptionFacts(S.PENDING, MONTHLY, Policy(), (), signup_ends_at=at(5, 8))
    assert wanted(at(5, 2), signup) == Wanted(True, Source.SIGNUP, at(5, 8))
    assert not wanted(at(5, 8), signup).granted
    assert not wanted(at(5, 2), replace(signup, state=S.ENDED)).granted


def test_a_first_payment_that_is_only_open_gives_nothing() -> None:
    first = replace(MAY, index=0, state=ChargeState.OPEN, money=UNPAID)
    assert not wanted(at(5, 2), a_membership(first, state=S.PENDING)).granted
    assert not wanted(at(5, 2), a_membership(replace(first, failed_at=at(5, 1)), state=S.PENDING)).granted


@pytest.mark.parametrize("given_up", [ChargeState.VOID, ChargeState.WRITTEN_OFF])
def test_a_period_that_was_given_up_gives_nothing(given_up: ChargeState) -> None:
    assert not wanted(at(5, 2), a_membership(replace(BOUNCED, state=given_up))).granted


COURSE = Terms(PlanKind.INSTALMENTS, Money(5000), Interval(Unit.MONTH), 3)
TERMS = [
    replace(MAY, index=index, starts_on=date(2026, 3 + index, 1), ends_on=date(2026, 4 + index, 1))
    for index in range(3)
]


def a_course(*charges: ChargeFacts, state: SubscriptionState = S.COMPLETED) -> SubscriptionFacts:
    return SubscriptionFacts(state, COURSE, Policy(), charges)


def test_a_course_is_open_for_ever_after_its_last_term() -> None:
    assert wanted(at(12, 31), a_course(*TERMS)) == Wanted(True, Source.COMPLETED, None)
    assert wanted(at(12, 31), a_course(*TERMS, state=S.ENDED)).granted


def test_a_course_with_a_term_owed_is_not_completed() -> None:
    unpaid = replace(TERMS[2], state=ChargeState.FAILED, money=UNPAID, failed_at=at(5, 3, 9))
    late = a_course(TERMS[0], TERMS[1], unpaid, state=S.PAST_DUE)
    assert wanted(at(5, 10), late).until == at(5, 17, 9)
    assert not wanted(at(5, 17, 9), late).granted
    assert not wanted(at(6, 10), a_course(*TERMS[:2], state=S.ACTIVE)).granted


def test_a_course_with_a_term_refunded_whole_is_not_completed() -> None:
    refunded = replace(TERMS[0], money=ChargeMoney(5000, 5000, refunded_cents=5000))
    assert not wanted(at(12, 31), a_course(refunded, *TERMS[1:])).granted


def test_a_one_time_purchase_is_for_ever() -> None:
    once = Terms(PlanKind.ONE_TIME, Money(5000), Interval(Unit.MONTH), 1)
    bought = SubscriptionFacts(S.COMPLETED, once, Policy(), [replace(MAY, index=0)])
    assert wanted(at(12, 31), bought).until is None
    disputed = SubscriptionFacts(S.PAST_DUE, once, Policy(), [replace(TAKEN_BACK, index=0)])
    assert wanted(at(5, 21), disputed) == Wanted(True, Source.REVERSAL_GRACE, at(5, 23, 9))
