"""Banking days and the way Mollie writes moments."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpay.sandbox import ids
from linkpay.sandbox.moments import banking_days_after, is_banking_day, local_day, stamp


@pytest.mark.parametrize(
    "day",
    [
        date(2026, 1, 1),
        date(2026, 4, 3),
        date(2026, 4, 6),
        date(2026, 5, 1),
        date(2026, 12, 25),
        date(2027, 3, 26),
        date(2027, 3, 29),
        date(2026, 3, 7),
        date(2026, 3, 8),
    ],
)
def test_banks_are_closed_at_weekends_and_on_holidays(day: date) -> None:
    assert not is_banking_day(day)


@pytest.mark.parametrize("day", [date(2026, 4, 27), date(2026, 5, 14), date(2026, 12, 24), date(2026, 3, 9)])
def test_banks_work_on_other_days_even_when_shops_do_not(day: date) -> None:
    assert is_banking_day(day)


def test_easter_makes_a_long_wait() -> None:
    assert banking_days_after(date(2026, 4, 2), 1) == date(2026, 4, 7)


@given(st.dates(date(2020, 1, 1), date(2099, 1, 1)), st.integers(1, 10))
def test_the_next_banking_day_is_one_and_is_near(day: date, count: int) -> None:
    after = banking_days_after(day, count)
    assert is_banking_day(after)
    between = [day + timedelta(days=step) for step in range(1, (after - day).days + 1)]
    assert sum(map(is_banking_day, between)) == count


def test_a_moment_has_seconds_and_a_numeric_zone() -> None:
    assert stamp(datetime(2026, 3, 2, 9, 13, 37, 999, tzinfo=UTC)) == "2026-03-02T09:13:37+00:00"
    assert local_day(datetime(2026, 6, 30, 22, 30, tzinfo=UTC)) == date(2026, 7, 1)


@given(st.text(min_size=1, max_size=30))
def test_made_up_accounts_are_valid_and_stay_the_same(seed: str) -> None:
    iban = ids.iban_for(seed)
    assert ids.is_iban(iban)
    assert ids.iban_for(seed) == iban
    wrong = iban[:-1] + str((int(iban[-1]) + 1) % 10)
    assert not ids.is_iban(wrong)
