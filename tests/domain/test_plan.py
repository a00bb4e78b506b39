"""Terms: what was agreed, and nothing that cannot be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.calendar import Interval, Unit
from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind, Terms

MONTHLY = Interval(Unit.MONTH)


@given(st.sampled_from(PlanKind), st.none() | st.integers(-2, 40))
def test_the_number_of_periods_fits_the_kind(kind: PlanKind, periods: int | None) -> None:
    fits = {
        PlanKind.ONE_TIME: periods == 1,
        PlanKind.INSTALMENTS: periods is not None and periods >= 2,
        PlanKind.MEMBERSHIP: periods is None,
    }[kind]
    if not fits:
        with pytest.raises(ValueError, match="periods"):
            Terms(kind, Money(5000), MONTHLY, periods)
        return
    terms = Terms(kind, Money(5000), MONTHLY, periods)
    assert terms.needs_mandate == (kind is not PlanKind.ONE_TIME)


@pytest.mark.parametrize("cents", [0, -1])
def test_a_plan_asks_for_money(cents: int) -> None:
    with pytest.raises(ValueError, match="asks for money"):
        Terms(PlanKind.MEMBERSHIP, Money(cents), MONTHLY)


@given(st.integers(2, 40), st.integers(0, 80))
def test_instalments_have_exactly_their_periods(periods: int, index: int) -> None:
    terms = Terms(PlanKind.INSTALMENTS, Money(5000), MONTHLY, periods)
    assert terms.has_period(index) == (index in range(periods))


@given(st.integers(0, 10_000))
def test_a_membership_always_has_a_next_period(index: int) -> None:
    assert Terms(PlanKind.MEMBERSHIP, Money(5000), MONTHLY).has_period(index)


def test_a_one_time_plan_has_its_one_period() -> None:
    terms = Terms(PlanKind.ONE_TIME, Money(5000), MONTHLY, 1)
    assert terms.has_period(0)
    assert not terms.has_period(1)
