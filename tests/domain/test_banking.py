"""Banking days and pay days."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.banking import banking_day, is_banking_day, next_pay_day

DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))
PAY_DAYS = st.lists(st.integers(1, 31), min_size=1, max_size=3, unique=True)


@pytest.mark.parametrize(
    "closed",
    ["2026-01-01", "2026-04-03", "2026-04-06", "2026-05-01", "2026-12-25", "2027-03-26", "2027-03-29",
     "2028-04-14", "2028-12-26", "2026-05-02", "2026-05-03"],
)  # fmt: skip
def test_banks_are_closed_on_the_days_of_the_ecb_and_at_weekends(closed: str) -> None:
    assert not is_banking_day(date.fromisoformat(closed))


@pytest.mark.parametrize("working", ["2026-04-27", "2026-05-05", "2026-05-14", "2026-05-25", "2026-12-24"])
def test_banks_work_on_national_holidays(working: str) -> None:
    assert is_banking_day(date.fromisoformat(working))


@given(DAYS)
def test_the_next_banking_day_is_at_most_five_days_on(day: date) -> None:
    found = banking_day(day)
    assert is_banking_day(found)
    assert timedelta(0) <= found - day <= timedelta(days=5)
    assert not any(is_banking_day(day + timedelta(days=n)) for n in range((found - day).days))


@given(DAYS, PAY_DAYS)
def test_a_pay_day_comes_within_a_month_and_is_one_banks_work_on(day: date, pay_days: list[int]) -> None:
    found = next_pay_day(day, pay_days)
    assert is_banking_day(found)
    assert timedelta(0) <= found - day <= timedelta(days=36)
    assert next_pay_day(found, pay_days) == found


@pytest.mark.parametrize(
    ("day", "pay_days", "found"),
    [("2026-05-08", [25], "2026-05-25"), ("2026-07-25", [25], "2026-07-27"),
     ("2026-07-26", [25], "2026-07-27"), ("2026-07-28", [25], "2026-08-25"),
     ("2026-02-10", [31], "2026-03-02"), ("2026-02-27", [28], "2026-03-02"),
     ("2026-12-20", [25], "2026-12-28"), ("2026-05-25", [25], "2026-05-25"),
     ("2026-05-01", [1, 15], "2026-05-04")],
)  # fmt: skip
def test_wages_that_fall_on_a_closed_day_are_waited_for(day: str, pay_days: list[int], found: str) -> None:
    assert next_pay_day(date.fromisoformat(day), pay_days) == date.fromisoformat(found)
