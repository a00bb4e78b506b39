"""Growth: who joins, who leaves, and what the others pay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.growth import Assumptions, grow

SUPPOSED = st.builds(
    Assumptions,
    st.integers(0, 10_000),
    st.integers(0, 100_000),
    st.integers(0, 10_000),
    st.integers(0, 100_000),
)


def test_ten_a_month_at_fifty_euro_of_whom_a_fifth_leaves() -> None:
    months = list(grow(Assumptions(10, 5000, 2000), 3))
    assert [month.members for month in months] == [10, 18, 25]
    assert [month.cents for month in months] == [50_000, 90_000, 125_000]


def test_nobody_new_and_nobody_leaving_changes_nothing() -> None:
    assert {month.members for month in grow(Assumptions(0, 5000, 0, start_members=7), 24)} == {7}


@given(SUPPOSED, st.integers(0, 120))
def test_members_are_those_before_and_the_new_less_who_left(assumed: Assumptions, months: int) -> None:
    before = assumed.start_members
    for month in grow(assumed, months):
        assert month.members == before + month.joined - month.left
        assert 0 <= month.left <= before
        assert month.left * 10_000 <= before * assumed.leaving_basis_points < (month.left + 1) * 10_000
        assert month.cents == month.members * assumed.price_cents
        before = month.members


@given(SUPPOSED)
def test_growth_ends_where_as_many_leave_as_come(assumed: Assumptions) -> None:
    *_, last = grow(assumed, 120)
    if assumed.leaving_basis_points >= 1000:
        bound = assumed.new_members * 10_000 // assumed.leaving_basis_points
        assert last.members <= max(bound + assumed.new_members + 10, assumed.start_members)


@pytest.mark.parametrize("wrong", [(-1, 0, 0), (0, -1, 0), (0, 0, -1), (0, 0, 10_001)])
def test_what_cannot_be_is_refused(wrong: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Assumptions(*wrong)


def test_a_forecast_has_an_end() -> None:
    with pytest.raises(ValueError, match="120 months"):
        list(grow(Assumptions(1, 1, 1), 121))


def test_more_than_a_million_members_grow_like_any_others() -> None:
    (month,) = grow(Assumptions(10, 5000, 100, start_members=1_000_001), 1)
    assert (month.left, month.members) == (10_000, 990_011)
