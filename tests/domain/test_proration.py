"""What days are worth: shares of a period that always sum to the whole."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.proration import unused_cents, used_cents

FIRST, AFTER = date(2026, 1, 31), date(2026, 2, 28)  # 28 days
CENTS = st.integers(0, 10_000_00)
DAYS = st.integers(-10, 40)


@pytest.mark.parametrize(
    ("from_on", "unused"),
    [
        (FIRST - timedelta(days=1), 5000), (FIRST, 5000), (FIRST + timedelta(days=1), 4821),
        (date(2026, 2, 14), 2500), (date(2026, 2, 27), 179), (AFTER, 0), (AFTER + timedelta(days=1), 0),
    ],
)  # fmt: skip
def test_days_that_were_not_used_are_worth_their_share(from_on: date, unused: int) -> None:
    assert unused_cents(5000, FIRST, AFTER, from_on) == unused
    assert used_cents(5000, FIRST, AFTER, from_on) == 5000 - unused


def test_half_a_cent_counts_whole() -> None:
    assert unused_cents(1, FIRST, FIRST + timedelta(days=2), FIRST + timedelta(days=1)) == 1
    assert unused_cents(1, FIRST, FIRST + timedelta(days=3), FIRST + timedelta(days=2)) == 0


@given(CENTS, DAYS, DAYS)
def test_a_share_is_never_more_than_all_and_never_grows_with_time(cents: int, one: int, other: int) -> None:
    earlier, later = sorted((one, other))
    more, less = (
        unused_cents(cents, FIRST, AFTER, FIRST + timedelta(days=days)) for days in (earlier, later)
    )
    assert 0 <= less <= more <= cents
