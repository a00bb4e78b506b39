"""A charge's state follows from its money and attempts, and its sums never contradict each other."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.charge import UNSETTLED, Attempts, ChargeMoney, ChargeState, charge_state, money_of
from linkpay.domain.ledger import EntryKind

S, K = ChargeState, EntryKind
COMES_IN = {K.PAYMENT, K.REFUND_UNDONE, K.CHARGEBACK_UNDONE, K.OUTSIDE}
CENTS = st.integers(0, 20_000)
MONEY = st.builds(ChargeMoney, st.integers(1, 10_000), CENTS, CENTS, CENTS)
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
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


def test_what_nobody_names_is_nothing() -> None:
    money = ChargeMoney(5000)
    assert (money.paid_cents, money.refunded_cents, money.charged_back_cents) == (0, 0, 0)
    assert money.surplus_refunded_cents == 0


def test_what_came_in_twice_goes_back_once() -> None:
    assert ChargeMoney(5000, 10_000).surplus_cents == 5000
    assert ChargeMoney(5000, 10_000, refunded_cents=5000).surplus_cents == 0
    assert ChargeMoney(5000, 10_000, charged_back_cents=5000).surplus_cents == 0


@dataclass
class Fact:
    """An entry of the ledger, `hour` hours after the first."""

    kind: EntryKind
    ref: str
    amount_cents: int
    hour: int

    @property
    def occurred_at(self) -> datetime:
        return START + timedelta(hours=self.hour)


PAID_TWICE = [Fact(K.PAYMENT, "tr_a", 5000, 0), Fact(K.PAYMENT, "tr_b", 5000, 1)]


@given(
    st.permutations([*PAID_TWICE, Fact(K.REFUND, "re_b", -5000, 2), Fact(K.CHARGEBACK, "chb_a", -5000, 3)])
)
def test_paid_twice_sent_back_once_and_then_charged_back_is_owed_however_we_heard_of_it(
    heard: list[Fact],
) -> None:
    money = money_of(5000, heard)
    assert money == ChargeMoney(5000, 10_000, 5000, 5000, 5000)
    assert (money.owed_cents, money.kept_cents, money.surplus_cents) == (5000, 0, 0)


@given(
    st.permutations([*PAID_TWICE, Fact(K.CHARGEBACK, "chb_a", -5000, 2), Fact(K.REFUND, "re_b", -5000, 3)])
)
def test_what_we_chose_to_refund_after_the_second_payment_went_back_by_itself_is_not_owed(
    heard: list[Fact],
) -> None:
    money = money_of(5000, heard)
    assert money.surplus_refunded_cents == 0
    assert money.owed_cents == 0


@given(
    st.permutations([*PAID_TWICE, Fact(K.CHARGEBACK, "chb_a", -5000, 2), Fact(K.REFUND, "re_b", -5000, 3)])
)
def test_what_was_meant_as_a_surplus_is_owed_when_the_bank_was_faster_with_the_other_payment(
    heard: list[Fact],
) -> None:
    money = money_of(5000, heard, frozenset({"re_b"}))
    assert (money.surplus_refunded_cents, money.owed_cents, money.kept_cents) == (5000, 5000, 0)


def test_no_more_was_meant_as_a_surplus_than_came_in_beyond_the_price() -> None:
    meant = [*PAID_TWICE, Fact(K.CHARGEBACK, "chb_a", -5000, 2), Fact(K.REFUND, "re_b", -5000, 3)]
    assert money_of(6000, meant, frozenset({"re_b"})).surplus_refunded_cents == 4000
    twice = [*PAID_TWICE, Fact(K.REFUND, "re_a", -5000, 2), Fact(K.REFUND, "re_b", -5000, 3)]
    assert money_of(5000, twice, frozenset({"re_a", "re_b"})).surplus_refunded_cents == 5000
    some = [Fact(K.PAYMENT, "tr_a", 2000, 0), Fact(K.REFUND, "re_a", -2000, 1)]
    assert money_of(5000, some, frozenset({"re_a"})).surplus_refunded_cents == 0


def test_the_one_payment_of_who_bought_it_elsewhere_goes_back_and_nothing_is_owed() -> None:
    facts = [Fact(K.PAYMENT, "tr_a", 5000, 0), Fact(K.REFUND, "re_a", -5000, 1)]
    assert money_of(5000, facts, frozenset({"re_a"})).owed_cents == 0


def test_a_refund_of_more_than_the_surplus_gave_back_the_surplus_and_some_of_the_price() -> None:
    assert money_of(5000, [*PAID_TWICE, Fact(K.REFUND, "re", -7000, 2)]).surplus_refunded_cents == 5000


def test_a_refund_of_the_surplus_that_came_to_nothing_leaves_the_surplus() -> None:
    undone = [Fact(K.REFUND, "re", -5000, 2), Fact(K.REFUND_UNDONE, "re/undone", 5000, 2)]
    money = money_of(5000, [*PAID_TWICE, *undone])
    assert (money.surplus_refunded_cents, money.surplus_cents, money.owed_cents) == (0, 5000, 0)


def test_money_from_outside_is_money() -> None:
    paid = [Fact(K.OUTSIDE, "outside:1", 5000, 0)]
    assert money_of(5000, paid).owed_cents == 0
    assert money_of(5000, [*paid, Fact(K.OUTSIDE_UNDONE, "outside:1/undone", -5000, 1)]).owed_cents == 5000


FACTS = st.builds(
    Fact, st.sampled_from(EntryKind), st.uuids().map(str), st.integers(1, 9000), st.integers(0, 99)
).map(lambda fact: fact if fact.kind in COMES_IN else replace(fact, amount_cents=-fact.amount_cents))


@given(st.integers(1, 9000), st.lists(FACTS, max_size=9))
def test_the_sums_of_a_ledger_keep_every_cent(amount: int, facts: list[Fact]) -> None:
    money = money_of(amount, facts)
    assert money.kept_cents == sum(fact.amount_cents for fact in facts)
    assert money.surplus_refunded_cents >= 0


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
