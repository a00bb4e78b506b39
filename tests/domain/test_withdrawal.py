"""Withdrawing: the last moment counts, and never a cent more than came in."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.order_number import order_number, same_number
from linkpay.domain.withdrawal import Bought, Held, due_back, in_time, last_day, spread

ZONE = "Europe/Amsterdam"
DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))


@st.composite
def purchases(draw: st.DrawFn) -> Bought:
    starts_on = draw(DAYS)
    price = draw(st.integers(0, 100_000))
    extra = draw(st.integers(0, 10_000))
    kept = draw(st.integers(0, price + extra))
    ends_on = starts_on + timedelta(days=draw(st.integers(1, 366)))
    return Bought(kept, price, starts_on, ends_on, draw(st.booleans()))


PURCHASES = st.lists(purchases(), max_size=4)


@given(PURCHASES, DAYS, st.booleans())
def test_never_more_goes_back_than_is_held(bought: list[Bought], day: date, pro_rata: bool) -> None:
    back = due_back(bought, day, pro_rata=pro_rata)
    held = sum(one.kept_cents for one in bought)
    assert 0 <= back <= held
    assert due_back(bought, day, pro_rata=False) == held


@given(PURCHASES, DAYS, st.integers(0, 30))
def test_waiting_never_brings_more_back(bought: list[Bought], day: date, more: int) -> None:
    later = due_back(bought, day + timedelta(days=more), pro_rata=True)
    assert later <= due_back(bought, day, pro_rata=True)


@given(DAYS, st.integers(1, 100_000), st.integers(1, 366), st.integers(0, 400))
def test_what_is_kept_is_no_more_than_the_share_of_the_days_used(
    day: date, price: int, length: int, used: int
) -> None:
    bought = Bought(price, price, day, day + timedelta(days=length))
    kept = price - due_back([bought], day + timedelta(days=used), pro_rata=True)
    share = price * min(used, length) / length
    assert share - 1 < kept <= share


@given(st.lists(st.tuples(st.integers(0, 50_000), INSTANTS), max_size=6), st.integers(0, 100_000))
def test_payments_give_back_to_the_cent_and_the_newest_first(
    amounts: list[tuple[int, datetime]], cents: int
) -> None:
    held = [Held(number, amount, at) for number, (amount, at) in enumerate(amounts)]
    parts = spread(cents, held)
    left = {one.payment_id: one.cents for one in held}
    assert sum(part for _, part in parts) == min(cents, sum(left.values()))
    assert all(0 < part <= left[payment_id] for payment_id, part in parts)
    # Whoever gives only a part is the last one asked; everybody newer gave all.
    assert all(part == left[payment_id] for payment_id, part in parts[:-1])
    when = {one.payment_id: one.paid_at for one in held}
    asked = [when[payment_id] for payment_id, _ in parts]
    assert asked == sorted(asked, reverse=True)


@given(INSTANTS, st.integers(1, 60))
def test_the_last_moment_of_the_last_day_counts_and_the_next_does_not(agreed_at: datetime, days: int) -> None:
    last = last_day(agreed_at.astimezone(ZoneInfo(ZONE)).date(), days)
    midnight = datetime.combine(last + timedelta(days=1), datetime.min.time(), ZoneInfo(ZONE))
    assert in_time(agreed_at, midnight - timedelta(microseconds=1), days=days, zone=ZONE)
    assert not in_time(agreed_at, midnight, days=days, zone=ZONE)
    assert (
        timedelta(days=days) <= last - agreed_at.astimezone(ZoneInfo(ZONE)).date() <= timedelta(days=days + 2)
    )
    assert last.weekday() < 5


@pytest.mark.parametrize(
    ("agreed", "last"),
    [
        (date(2026, 6, 22), date(2026, 7, 6)),  # Monday to Monday
        (date(2026, 6, 19), date(2026, 7, 3)),  # Friday
        (date(2026, 6, 20), date(2026, 7, 6)),  # Saturday runs through the Monday
        (date(2026, 6, 21), date(2026, 7, 6)),  # and so does Sunday
    ],
)
def test_a_period_that_would_end_in_a_weekend_ends_with_the_monday(agreed: date, last: date) -> None:
    assert last_day(agreed, 14) == last


def test_ten_of_thirty_days_used_leaves_two_thirds() -> None:
    month = Bought(5000, 5000, date(2026, 4, 1), date(2026, 5, 1))
    assert due_back([month], date(2026, 4, 11), pro_rata=True) == 3334
    assert due_back([month], date(2026, 4, 1), pro_rata=True) == 5000
    assert due_back([month], date(2026, 6, 1), pro_rata=True) == 0


def test_an_extra_that_is_for_ever_goes_back_whole_and_so_does_a_course_paid_once() -> None:
    with_extra = Bought(6000, 5000, date(2026, 4, 1), date(2026, 5, 1))
    assert due_back([with_extra], date(2026, 4, 11), pro_rata=True) == 4334
    course = Bought(27500, 27500, date(2026, 4, 1), date(2026, 5, 1), lasts=False)
    assert due_back([course], date(2026, 4, 11), pro_rata=True) == 27500


def test_what_went_back_before_does_not_go_back_again() -> None:
    half = Bought(2500, 5000, date(2026, 4, 1), date(2026, 5, 1))
    assert due_back([half], date(2026, 4, 16), pro_rata=True) == 0


@given(st.text(min_size=1))
def test_an_order_number_is_read_however_it_is_typed(token: str) -> None:
    number = order_number(token)
    assert same_number(f" {number.lower()} ", token)
    assert same_number(number.replace("-", " "), token)
    assert not same_number(number[:-1], token)
    assert not same_number("", token)
