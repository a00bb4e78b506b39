"""Taking over: where the days go on, for every rhythm there is."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.calendar import Interval, Unit, add_intervals, period
from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind, Terms
from linkpay.domain.snapshots import (
    MandateSnapshot,
    MandateStatus,
    PaymentSnapshot,
    PaymentStatus,
    Sequence,
    SubscriptionSnapshot,
    SubscriptionStatus,
)
from linkpay.domain.takeover import (
    Choice,
    Promise,
    Rule,
    Verdict,
    anchor,
    choose,
    course,
    mandate_of,
    margin_days,
    may_stop,
    same,
    standing,
    terms,
)

ZONE = "Europe/Amsterdam"
MONTHLY = Interval(Unit.MONTH)
START = date(2026, 1, 10)
#: Mollie's own limits.
INTERVALS = st.one_of(
    st.builds(Interval, st.just(Unit.MONTH), st.integers(1, 12)),
    st.builds(Interval, st.just(Unit.WEEK), st.integers(1, 52)),
    st.builds(Interval, st.just(Unit.DAY), st.integers(1, 365)),
)
STARTS = st.dates(date(2020, 1, 1), date(2030, 12, 31))


def seen(**change: Any) -> SubscriptionSnapshot:
    about: dict[str, Any] = {
        "id": "sub_1", "customer_id": "cst_1", "mode": "test", "status": SubscriptionStatus.ACTIVE,
        "amount": Money(5000), "interval": MONTHLY, "description": "Yoga monthly",
        "created_at": datetime(2026, 1, 1, tzinfo=UTC), "started_on": START, "next_on": date(2026, 3, 10),
    }  # fmt: skip
    return SubscriptionSnapshot(**about | change)


def paid(day: date, status: PaymentStatus = PaymentStatus.PAID, **change: Any) -> PaymentSnapshot:
    about: dict[str, Any] = {
        "id": f"tr_{day:%Y%m%d}", "status": status, "mode": "test", "amount": Money(5000),
        "sequence": Sequence.RECURRING, "created_at": datetime.combine(day, time(8), UTC),
    }  # fmt: skip
    return PaymentSnapshot(**about | change)


@given(STARTS, INTERVALS, st.integers(0, 60))
def test_period_one_begins_on_mollies_next_day(started_on: date, interval: Interval, steps: int) -> None:
    next_on = add_intervals(started_on, interval, steps)
    anchor_on, index = anchor(started_on, interval, next_on)
    assert period(anchor_on, interval, 1, anchor_index=index).starts_on == next_on


@given(STARTS, INTERVALS, st.integers(0, 40), st.integers(1, 30))
def test_later_days_are_those_that_mollie_would_have_charged(
    started_on: date, interval: Interval, steps: int, more: int
) -> None:
    anchor_on, index = anchor(started_on, interval, add_intervals(started_on, interval, steps))
    later = period(anchor_on, interval, 1 + more, anchor_index=index).starts_on
    assert later == add_intervals(started_on, interval, steps + more)


@given(STARTS, INTERVALS, STARTS)
def test_a_rhythm_that_was_changed_begins_anew(started_on: date, interval: Interval, next_on: date) -> None:
    anchor_on, index = anchor(started_on, interval, next_on)
    assert period(anchor_on, interval, 1, anchor_index=index).starts_on == next_on


@given(STARTS, INTERVALS, st.integers(0, 20), st.integers(0, 4), st.one_of(st.none(), st.integers(1, 9)))
def test_what_mollie_made_meanwhile_takes_a_period_each(
    started_on: date, interval: Interval, steps: int, made: int, remaining: int | None
) -> None:
    """Before the promised day and after it, each period belongs to exactly one of the two."""
    next_on = add_intervals(started_on, interval, steps)
    payments = [paid(add_intervals(started_on, interval, at)) for at in range(steps + made)]
    found = course(
        seen(started_on=started_on, interval=interval), Promise(next_on, remaining), payments, ZONE
    )
    if remaining is not None and made >= remaining:
        assert found is None
        return
    assert found is not None
    assert found.next_on == add_intervals(started_on, interval, steps + made)
    assert found.remaining == (None if remaining is None else remaining - made)
    assert (found.adopted is None) == (not payments)
    if found.adopted is not None:
        assert found.adopted.id == payments[-1].id


def test_a_payment_that_failed_after_the_promise_is_ours_to_see_through() -> None:
    failed = paid(date(2026, 3, 10), PaymentStatus.FAILED)
    found = course(seen(), Promise(date(2026, 3, 10), None), [failed], ZONE)
    assert found is not None
    assert (found.next_on, found.adopted) == (date(2026, 4, 10), failed)


@pytest.mark.parametrize(
    "payment",
    [
        paid(date(2026, 2, 10), PaymentStatus.FAILED),
        paid(date(2026, 2, 10), charged_back_cents=5000),
        paid(date(2026, 2, 10), refunded_cents=5000),
        paid(date(2026, 1, 10)),
        paid(date(2026, 2, 10), amount=Money(5000, "USD")),
    ],
    ids=["failed", "taken back", "sent back", "of the month before", "other money"],
)
def test_what_is_history_is_not_ours(payment: PaymentSnapshot) -> None:
    found = course(seen(), Promise(date(2026, 3, 10), None), [payment], ZONE)
    assert found is not None
    assert (found.adopted, found.next_on) == (None, date(2026, 3, 10))
    assert found.current.starts_on == date(2026, 2, 10)


@given(INTERVALS, STARTS, st.integers(-3, 40))
def test_nothing_is_stopped_near_its_day(interval: Interval, today: date, ahead: int) -> None:
    next_on = today + timedelta(days=ahead)
    assert may_stop(next_on, today, interval) == (ahead > margin_days(interval))
    assert not may_stop(today, today, interval)
    assert 0 <= margin_days(interval) <= 2


@given(INTERVALS)
def test_every_rhythm_has_a_day_on_which_it_may_be_stopped(interval: Interval) -> None:
    today = date(2026, 3, 1)
    assert may_stop(add_intervals(today, interval, 1), today, interval)


MEMBERSHIP = Terms(PlanKind.MEMBERSHIP, Money(5000), MONTHLY)
COURSE = Terms(PlanKind.INSTALMENTS, Money(5000), MONTHLY, 3)
YEARLY = Terms(PlanKind.MEMBERSHIP, Money(5000), Interval(Unit.YEAR))


@pytest.mark.parametrize(
    ("change", "rules", "expected"),
    [
        ({}, [], "monthly"),
        ({"remaining": 2}, [], "course"),
        ({"interval": Interval(Unit.MONTH, 12)}, [], "yearly"),
        ({"amount": Money(4900)}, [], Verdict.UNKNOWN_PLAN),
        ({"amount": Money(5000, "USD")}, [], Verdict.CURRENCY),
        ({"interval": None}, [], Verdict.UNKNOWN_PLAN),
        ({"amount": Money(4900)}, [Rule("monthly")], "monthly"),
        ({}, [Rule("monthly", description="pilates*")], Verdict.UNKNOWN_PLAN),
        ({}, [Rule("monthly", description="YOGA *"), Rule("yearly")], "monthly"),
        ({}, [Rule("yearly", amount=Money(1)), Rule("monthly", interval=MONTHLY)], "monthly"),
        ({"remaining": 2}, [Rule("monthly")], Verdict.UNKNOWN_PLAN),
    ],
)
def test_a_plan_is_found(change: dict[str, Any], rules: list[Rule], expected: str | Verdict) -> None:
    choices = [Choice("monthly", MEMBERSHIP), Choice("course", COURSE), Choice("yearly", YEARLY)]
    found = choose(seen(**change), choices, rules)
    assert (found.slug if isinstance(found, Choice) else found) == expected


def test_two_plans_that_fit_need_a_word() -> None:
    choices = [Choice("one", MEMBERSHIP), Choice("two", MEMBERSHIP)]
    assert choose(seen(), choices, []) is Verdict.SEVERAL_PLANS


def test_of_plans_of_one_price_the_plain_one_is_meant() -> None:
    bound = Choice("bound", replace(MEMBERSHIP, minimum_periods=12))
    assert choose(seen(), [bound, Choice("plain", MEMBERSHIP)], []) == Choice("plain", MEMBERSHIP)
    assert choose(seen(), [bound], []) == bound


def mandate(number: int, status: MandateStatus, method: str = "directdebit") -> MandateSnapshot:
    return MandateSnapshot(f"mdt_{number}", status, method, None, None, None, None)


def test_the_mandate_is_the_one_that_mollie_would_charge() -> None:
    broken, card, bank = (
        mandate(3, MandateStatus.INVALID), mandate(2, MandateStatus.VALID, "creditcard"),
        mandate(1, MandateStatus.VALID),
    )  # fmt: skip
    held = [broken, card, bank]
    assert mandate_of(seen(), held) == card
    assert mandate_of(seen(method="directdebit"), held) == bank
    assert mandate_of(seen(mandate_id="mdt_1"), held) == bank
    assert mandate_of(seen(mandate_id="mdt_3"), held) is None
    assert mandate_of(seen(), [broken]) is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, Verdict.TAKE),
        ({"mode": "live"}, Verdict.OTHER_MODE),
        ({"status": SubscriptionStatus.SUSPENDED}, Verdict.SUSPENDED),
        ({"status": SubscriptionStatus.CANCELED}, Verdict.CANCELED),
        ({"status": SubscriptionStatus.COMPLETED}, Verdict.COMPLETED),
        ({"status": SubscriptionStatus.PENDING}, Verdict.NO_MANDATE),
        ({"status": SubscriptionStatus.UNKNOWN}, Verdict.NOT_ACTIVE),
        ({"next_on": None}, Verdict.NOTHING_TO_COME),
        ({"remaining": 0}, Verdict.NOTHING_TO_COME),
    ],
)
def test_only_what_mollie_charges_is_taken(change: dict[str, Any], expected: Verdict) -> None:
    assert standing(seen(**change), "test") is expected


def test_every_status_has_a_verdict() -> None:
    assert all(isinstance(standing(seen(status=one), "test"), Verdict) for one in SubscriptionStatus)


def test_equal_lengths_are_equal() -> None:
    assert same(Interval(Unit.YEAR), Interval(Unit.MONTH, 12))
    assert same(Interval(Unit.WEEK, 2), Interval(Unit.DAY, 14))
    assert not same(Interval(Unit.DAY, 30), MONTHLY)
    assert not same(None, None)


def test_what_is_left_counts_the_period_that_runs() -> None:
    assert terms(seen(), None).kind is PlanKind.MEMBERSHIP
    assert terms(seen(), 1).periods == 2
