"""After a failure: the class of its reason, and the dated ladder of that class."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.dunning import ReasonClass, StepKind, classify, grace_ends_at, ladder
from linkpay.domain.policy import Policy

AMSTERDAM = "Europe/Amsterdam"
R = ReasonClass
POLICIES = st.builds(
    Policy,
    grace_days=st.integers(0, 60),
    reversal_grace_days=st.integers(0, 30),
    retry_days=st.lists(st.integers(0, 60), unique=True, max_size=4).map(lambda days: tuple(sorted(days))),
    mail_days=st.lists(st.integers(0, 60), unique=True, max_size=6).map(lambda days: tuple(sorted(days))),
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


@given(INSTANTS, REASONS, st.booleans(), POLICIES)
def test_a_ladder_rises_and_ends_with_the_grace(
    failed_at: datetime, reason: ReasonClass, taken_back: bool, policy: Policy
) -> None:
    steps = ladder(failed_at, reason, taken_back=taken_back, policy=policy, zone=AMSTERDAM)
    end = grace_ends_at(failed_at, taken_back=taken_back, policy=policy, zone=AMSTERDAM)
    assert [step.number for step in steps] == list(range(len(steps)))
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    *before, last = steps
    assert (last.kind, last.at) == (StepKind.END_GRACE, end)
    assert all(step.kind is not StepKind.END_GRACE and failed_at <= step.at < end for step in before)


@given(INSTANTS, REASONS, st.booleans(), POLICIES)
def test_only_a_soft_failure_is_debited_again_and_never_money_taken_back(
    failed_at: datetime, reason: ReasonClass, taken_back: bool, policy: Policy
) -> None:
    steps = ladder(failed_at, reason, taken_back=taken_back, policy=policy, zone=AMSTERDAM)
    debits = [step for step in steps if step.kind is StepKind.DEBIT]
    if reason is not R.SOFT or taken_back:
        assert debits == []
    else:
        assert len(debits) == len([day for day in policy.retry_days if day < policy.grace_days])


@given(INSTANTS, REASONS, st.booleans(), POLICIES)
def test_a_ladder_made_again_is_the_same(
    failed_at: datetime, reason: ReasonClass, taken_back: bool, policy: Policy
) -> None:
    first, second = (
        ladder(failed_at, reason, taken_back=taken_back, policy=policy, zone=AMSTERDAM) for _ in range(2)
    )
    assert first == second


def day_of(instant: datetime) -> str:
    return f"{instant.astimezone(ZoneInfo(AMSTERDAM)):%-d %B}"


def test_a_debit_that_bounces_on_3_may_is_helped_as_promised() -> None:
    """Mail at once, again after 5 and 8 days with a new debit each; access ends on 17 May."""
    failed_at = datetime(2026, 5, 3, 7, 30, tzinfo=UTC)
    steps = ladder(failed_at, R.SOFT, taken_back=False, policy=Policy(), zone=AMSTERDAM)
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
    steps = ladder(
        datetime(2026, 5, 3, 7, 30, tzinfo=UTC), R.SOFT, taken_back=False, policy=Policy(), zone=AMSTERDAM
    )
    debit, mail = steps[1:3]
    assert debit.at < mail.at


def test_money_taken_back_has_three_days_and_one_mail() -> None:
    taken_at = datetime(2026, 5, 3, 7, 30, tzinfo=UTC)
    steps = ladder(taken_at, R.REFUSED, taken_back=True, policy=Policy(), zone=AMSTERDAM)
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
    steps = ladder(
        datetime(2026, 5, 3, 7, 30, tzinfo=UTC), R.SOFT, taken_back=False, policy=short, zone=AMSTERDAM
    )
    assert [(step.kind.value, day_of(step.at)) for step in steps] == [
        ("mail", "3 May"),
        ("end_grace", "8 May"),
    ]
