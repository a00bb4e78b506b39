"""A charge's state follows from its money and attempts, and its sums never contradict each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.charge import UNSETTLED, Attempts, ChargeMoney, ChargeState, charge_state

S = ChargeState
CENTS = st.integers(0, 20_000)
MONEY = st.builds(ChargeMoney, st.integers(1, 10_000), CENTS, CENTS, CENTS)
ATTEMPTS = st.builds(Attempts, st.booleans(), st.booleans(), st.booleans())


@given(MONEY)
def test_what_is_owed_is_the_amount_less_what_stayed_with_us(money: ChargeMoney) -> None:
    assert money.owed_cents >= 0
    assert (money.owed_cents == 0) == (money.paid_cents - money.charged_back_cents >= money.amount_cents)
    assert money.kept_cents == money.paid_cents - money.refunded_cents - money.charged_back_cents
    assert money.surplus_cents == max(0, money.kept_cents - money.amount_cents)
    assert money.surplus_cents == 0 or money.owed_cents == 0


def test_money_we_refunded_is_not_owed_again_but_money_taken_back_is() -> None:
    assert ChargeMoney(5000, 5000, refunded_cents=5000).owed_cents == 0
    assert ChargeMoney(5000, 5000, charged_back_cents=5000).owed_cents == 5000
    assert ChargeMoney(5000, 5000, 5000, 5000).kept_cents == -5000


def test_what_came_in_twice_goes_back_once() -> None:
    assert ChargeMoney(5000, 10_000).surplus_cents == 5000
    assert ChargeMoney(5000, 10_000, refunded_cents=5000).surplus_cents == 0
    assert ChargeMoney(5000, 10_000, charged_back_cents=5000).surplus_cents == 0


@given(st.sampled_from(ChargeState), MONEY, ATTEMPTS)
def test_a_charge_is_paid_exactly_when_nothing_is_owed(
    now_is: ChargeState, money: ChargeMoney, attempts: Attempts
) -> None:
    assert (charge_state(now_is, money, attempts) is S.PAID) == (money.owed_cents == 0)


@given(st.sampled_from(ChargeState), MONEY, ATTEMPTS)
def test_a_state_found_again_stays(now_is: ChargeState, money: ChargeMoney, attempts: Attempts) -> None:
    found = charge_state(now_is, money, attempts)
    assert charge_state(found, money, attempts) is found


@given(st.sampled_from([S.WRITTEN_OFF, S.VOID]), ATTEMPTS)
def test_only_money_undoes_a_decision_of_people(decided: ChargeState, attempts: Attempts) -> None:
    assert charge_state(decided, ChargeMoney(5000, 4999), attempts) is decided
    assert charge_state(decided, ChargeMoney(5000, 5000), attempts) is S.PAID


@pytest.mark.parametrize("now_is", sorted(UNSETTLED | {S.PAID}))
@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        (Attempts(), S.SCHEDULED),
        (Attempts(waiting_for_person=True), S.OPEN),
        (Attempts(failed=True), S.FAILED),
        (Attempts(waiting_for_person=True, failed=True), S.FAILED),
        (Attempts(running=True), S.COLLECTING),
        (Attempts(running=True, waiting_for_person=True, failed=True), S.COLLECTING),
    ],
)
def test_an_owed_charge_shows_what_is_under_way(
    now_is: ChargeState, attempts: Attempts, expected: ChargeState
) -> None:
    assert charge_state(now_is, ChargeMoney(5000), attempts) is expected
    assert expected in UNSETTLED


def test_settled_and_unsettled_states_are_all_states() -> None:
    assert set(ChargeState) == UNSETTLED | {S.PAID, S.WRITTEN_OFF, S.VOID}
