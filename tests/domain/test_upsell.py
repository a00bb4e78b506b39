"""One click: what stands in its way, and how much a young mandate carries."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from linkpay.domain.calendar import Interval, Unit
from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind, Terms, Trial
from linkpay.domain.policy import Policy
from linkpay.domain.upsell import Click, Refusal, refusal

TODAY = date(2026, 5, 3)
MONTHLY = Terms(PlanKind.MEMBERSHIP, Money(5000), Interval(Unit.MONTH))
TERMS = Terms(PlanKind.INSTALMENTS, Money(5000), Interval(Unit.MONTH), 3)
OLD, YOUNG = TODAY - timedelta(days=60), TODAY - timedelta(days=59)
CLICK = Click(MONTHLY, TODAY, YOUNG)


@pytest.mark.parametrize(
    ("click", "why"),
    [
        (CLICK, None),
        (replace(CLICK, signed_on=None), Refusal.NO_MANDATE),
        (replace(CLICK, has_it=True, signed_on=None), Refusal.HAS_IT),
        (replace(CLICK, blocked=True, has_it=True), Refusal.BLOCKED),
        (replace(CLICK, archived=True), Refusal.NOT_SOLD),
        (replace(CLICK, terms=replace(MONTHLY, trial=Trial(14))), Refusal.TRIAL),
    ],
)
def test_what_stands_in_the_way(click: Click, why: Refusal | None) -> None:
    assert refusal(click, Policy()) is why


@pytest.mark.parametrize(
    ("terms", "signed_on", "sold", "is_sold"),
    [
        (MONTHLY, YOUNG, 10_000, True),  # 150.00 in all
        (MONTHLY, YOUNG, 10_001, False),
        (MONTHLY, OLD, 1_000_000, True),
        (TERMS, YOUNG, 0, True),  # a price in parts counts whole
        (TERMS, YOUNG, 1, False),
        (replace(MONTHLY, setup_fee_cents=1), YOUNG, 10_000, False),
    ],
)
def test_a_young_mandate_carries_so_much_and_an_old_one_all(
    terms: Terms, signed_on: date, sold: int, is_sold: bool
) -> None:
    why = refusal(Click(terms, TODAY, signed_on, sold), Policy())
    assert why is (None if is_sold else Refusal.OVER_CAP)


def test_no_cap_is_none() -> None:
    click = Click(replace(MONTHLY, amount=Money(900_000)), TODAY, TODAY)
    assert refusal(click, replace(Policy(), upsell_cap_cents=0)) is None
    assert refusal(click, replace(Policy(), upsell_young_days=0)) is None
