"""After a failure: the class of its reason, and the dated ladder of that class."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.banking import is_banking_day
from linkpay.domain.calendar import local_day
from linkpay.domain.dunning import (
    Failure,
    ReasonClass,
    Step,
    StepKind,
    classify,
    grace_ends_at,
    grace_of,
    ladder,
)
from linkpay.domain.policy import Policy

AMSTERDAM = "Europe/Amsterdam"
R = ReasonClass
POLICIES = st.builds(
    Policy,
    grace_days=st.integers(0, 60),
    reversal_grace_days=st.integers(0, 30),
    retry_days=st.lists(st.integers(0, 60), unique=True, max_size=4).map(lambda days: tuple(sorted(days))),
    mail_days=st.lists(st.integers(0, 60), unique=True, max_size=6).map(lambda days: tuple(sorted(days))),
    card_retry_days=st.lists(st.integers(0, 60), unique=True, max_size=4).map(
        lambda days: tuple(sorted(days))
    ),
    bounce_cost_cents=st.integers(0, 1500),
    bounce_cost_cap_cents=st.integers(0, 5000),
    pay_days=st.lists(st.integers(1, 31), unique=True, max_size=3).map(lambda days: tuple(sorted(days))),
)
INSTANTS = st.datetimes(datetime(2024, 1, 1), datetime(2036, 12, 31), timezones=st.just(UTC))
REASONS = st.sampled_from(ReasonClass)

# Mollie: SEPA reason codes of returned debits, and `failureReason` of cards.
CLASSES = {
    R.SOFT: ["AM04", "MS03", "insufficient_funds", "unknown_reason", "card_declined"],
    R.BROKEN: [
        "AC01", "AC04", "AC06", "AG02", "MD01", "card_expired", "inactive_card", "invalid_card_number",
        "invalid_card_type", "invalid_card_holder_name", "invalid_cvv", "authentication_required",
        "authentication_failed", "authentication_abandoned",
    ],
    R.REFUSED: ["MD06", "MS02", "MD07", "SL01", "possible_fraud", "refused_by_issuer"],
}  # fmt: skip


@pytest.mark.parametrize(("expected", "codes"), CLASSES.items())
def test_every_documented_reason_has_its_class(expected: ReasonClass, codes: list[str]) -> None:
    assert {classify(code) for code in codes} == {expected}


@pytest.mark.parametrize("code", [None, "", "ZZ99", "a reason of next year", "am04"])
def test_an_unheard_of_reason_is_soft(code: str | None) -> None:
    assert classify(code) is R.SOFT


def test_a_debit_without_a_mandate_is_helped_by_a_new_mandate() -> None:
    assert classify("no_mandate") is R.BROKEN


FAILURES = st.builds(
    Failure,
    at=INSTANTS,
    reason=REASONS,
    taken_back=st.booleans(),
    method=st.sampled_from(["directdebit", "creditcard", "paypal"]),
    bounces=st.integers(1, 6),
)


def debits_of(steps: Sequence[Step]) -> list[datetime]:
    return [step.at for step in steps if step.kind is StepKind.DEBIT]


@given(FAILURES, POLICIES)
def test_a_ladder_rises_and_ends_with_the_grace(failure: Failure, policy: Policy) -> None:
    steps = ladder(failure, policy, AMSTERDAM)
    end = grace_of(failure, policy, AMSTERDAM)
    assert [step.number for step in steps] == list(range(len(steps)))
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    *before, last = steps
    assert (last.kind, last.at) == (StepKind.END_GRACE, end)
    for step in before:
        assert step.kind is not StepKind.END_GRACE
        at_once = step.kind is StepKind.MAIL and step.at == failure.at
        assert failure.at <= step.at < end or at_once


@given(FAILURES, POLICIES)
def test_only_a_soft_failure_is_debited_again_and_never_money_taken_back(
    failure: Failure, policy: Policy
) -> None:
    if failure.reason is not R.SOFT or failure.taken_back:
        assert debits_of(ladder(failure, policy, AMSTERDAM)) == []


@given(FAILURES, POLICIES)
def test_no_try_is_planned_whose_failure_would_pass_the_cap(failure: Failure, policy: Policy) -> None:
    tries = debits_of(ladder(failure, policy, AMSTERDAM))
    if failure.method == "directdebit" and policy.bounce_cost_cap_cents and tries:
        assert (failure.bounces + len(tries)) * policy.bounce_cost_cents <= policy.bounce_cost_cap_cents


@given(FAILURES, POLICIES)
def test_a_sepa_try_waits_for_a_pay_day_on_a_banking_day_and_a_card_for_nothing(
    failure: Failure, policy: Policy
) -> None:
    tries = debits_of(ladder(failure, policy, AMSTERDAM))
    days = [(local_day(at, AMSTERDAM) - local_day(failure.at, AMSTERDAM)).days for at in tries]
    if failure.method != "directdebit":
        assert set(days) <= set(policy.card_retry_days)
    elif not policy.pay_days:
        assert set(days) <= set(policy.retry_days)
    else:
        assert all(is_banking_day(local_day(at, AMSTERDAM)) for at in tries)
        assert all(day >= policy.retry_days[0] for day in days)
        assert len(set(days)) == len(days)


@given(FAILURES, POLICIES, st.integers(1, 60))
def test_more_time_keeps_every_step_and_its_number_and_may_add_some(
    failure: Failure, policy: Policy, days: int
) -> None:
    first = ladder(failure, policy, AMSTERDAM)
    longer = replace(failure, grace_until=grace_of(failure, policy, AMSTERDAM) + timedelta(days=days))
    assert ladder(longer, policy, AMSTERDAM)[: len(first) - 1] == first[:-1]


@given(FAILURES, POLICIES)
def test_a_ladder_made_again_is_the_same(failure: Failure, policy: Policy) -> None:
    assert ladder(failure, policy, AMSTERDAM) == ladder(failure, policy, AMSTERDAM)


def days_of(failure: Failure, policy: Policy) -> list[tuple[str, str]]:
    return [(step.kind.value, day_of(step.at)) for step in ladder(failure, policy, AMSTERDAM)]


def debit_days(failure: Failure, policy: Policy) -> list[str]:
    return [day for kind, day in days_of(failure, policy) if kind == "debit"]


MAY_3 = datetime(2026, 5, 3, 7, 30, tzinfo=UTC)


def test_without_grace_the_member_is_told_all_the_same() -> None:
    assert days_of(Failure(MAY_3, R.SOFT), Policy(grace_days=0)) == [
        ("mail", "3 May"),
        ("end_grace", "3 May"),
    ]


def test_tries_wait_for_wages_and_those_for_banks() -> None:
    """The 25th of May 2026 is a banking day; in July the 25th is a Saturday."""
    policy = Policy(pay_days=(25,), grace_days=30, mail_days=(0,))
    assert debit_days(Failure(MAY_3, R.SOFT), policy) == ["25 May"]
    july = datetime(2026, 7, 3, 7, 30, tzinfo=UTC)
    assert debit_days(Failure(july, R.SOFT), policy) == ["27 July"]
    twice = replace(policy, pay_days=(10, 25), retry_days=(5, 12))
    assert debit_days(Failure(MAY_3, R.SOFT), twice) == ["11 May", "25 May"]


def test_a_pay_day_after_the_end_of_grace_is_not_waited_for() -> None:
    assert debit_days(Failure(MAY_3, R.SOFT), Policy(pay_days=(25,))) == []


def test_a_card_is_tried_sooner_and_costs_nothing() -> None:
    card = Failure(MAY_3, R.SOFT, method="creditcard", bounces=9)
    assert debit_days(card, Policy()) == ["4 May", "6 May", "10 May"]


@pytest.mark.parametrize(
    ("bounces", "cost", "cap", "tries"),
    [(1, 750, 2250, 2), (2, 750, 2250, 1), (3, 750, 2250, 0), (9, 750, 2250, 0), (9, 750, 0, 2),
     (9, 0, 50, 2), (1, 750, 749, 0), (1, 750, 1500, 1)],
)  # fmt: skip
def test_what_bounces_have_cost_in_all_limits_the_tries(
    bounces: int, cost: int, cap: int, tries: int
) -> None:
    policy = Policy(bounce_cost_cents=cost, bounce_cost_cap_cents=cap)
    assert len(debit_days(Failure(MAY_3, R.SOFT, bounces=bounces), policy)) == tries


def day_of(instant: datetime) -> str:
    return f"{instant.astimezone(ZoneInfo(AMSTERDAM)):%-d %B}"


def test_a_debit_that_bounces_on_3_may_is_helped_as_promised() -> None:
    """Mail at once, again after 5 and 8 days with a new debit each; access ends on 17 May."""
    failed_at = datetime(2026, 5, 3, 7, 30, tzinfo=UTC)
    steps = ladder(Failure(failed_at, R.SOFT, taken_back=False), Policy(), AMSTERDAM)
    assert [(step.kind.value, day_of(step.at)) for step in steps] == [
        ("mail", "3 May"),
        ("debit", "8 May"),
        ("mail", "8 May"),
        ("debit", "11 May"),
        ("mail", "11 May"),
        ("end_grace", "17 May"),
    ]
    assert steps[0].at == failed_at
    assert steps[-1].at == failed_at + timedelta(days=14)


def test_the_debit_of_a_day_goes_before_its_mail() -> None:
    steps = ladder(Failure(MAY_3, R.SOFT), Policy(), AMSTERDAM)
    debit, mail = steps[1:3]
    assert debit.at < mail.at


def test_money_taken_back_has_three_days_and_one_mail() -> None:
    taken_at = datetime(2026, 5, 3, 7, 30, tzinfo=UTC)
    steps = ladder(Failure(taken_at, R.REFUSED, taken_back=True), Policy(), AMSTERDAM)
    assert [(step.kind.value, day_of(step.at)) for step in steps] == [
        ("mail", "3 May"),
        ("end_grace", "6 May"),
    ]


def test_grace_keeps_the_hour_over_a_clock_change() -> None:
    failed_at = datetime(2026, 10, 20, 7, 30, tzinfo=UTC)
    end = grace_ends_at(failed_at, taken_back=False, policy=Policy(), zone=AMSTERDAM)
    assert end == datetime(2026, 11, 3, 8, 30, tzinfo=UTC)


def test_a_step_on_the_day_on_which_grace_ends_is_left_out() -> None:
    short = Policy(grace_days=5, retry_days=(5, 8), mail_days=(0, 5))
    steps = ladder(Failure(MAY_3, R.SOFT), short, AMSTERDAM)
    assert [(step.kind.value, day_of(step.at)) for step in steps] == [
        ("mail", "3 May"),
        ("end_grace", "8 May"),
    ]


def test_the_steps_of_an_empty_account_to_the_minute() -> None:
    at = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
    failure = Failure(at, R.SOFT)
    assert (failure.bounces, failure.taken_back, failure.grace_until) == (1, False, None)
    steps = ladder(failure, Policy(), AMSTERDAM)
    since = [(step.kind, step.at - at) for step in steps]
    assert since == [
        (StepKind.MAIL, timedelta(0)),
        (StepKind.DEBIT, timedelta(days=5)), (StepKind.MAIL, timedelta(days=5, minutes=5)),
        (StepKind.DEBIT, timedelta(days=8)), (StepKind.MAIL, timedelta(days=8, minutes=5)),
        (StepKind.END_GRACE, timedelta(days=14)),
    ]  # fmt: skip


@pytest.mark.parametrize(("days_given", "days_left"), [(None, 14), (3, 14), (20, 20)])
def test_time_that_the_owner_gave_only_lengthens_grace(days_given: int | None, days_left: int) -> None:
    at = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
    given_until = None if days_given is None else at + timedelta(days=days_given)
    failure = Failure(at, R.SOFT, grace_until=given_until)
    assert grace_of(failure, Policy(), AMSTERDAM) == at + timedelta(days=days_left)
