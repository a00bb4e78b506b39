"""What a charge is made of: always to the cent, whatever comes on top or off."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain import proof
from linkpay.domain.calendar import Interval, Unit, add_intervals
from linkpay.domain.coupon import Discount, DiscountKind, Duration
from linkpay.domain.money import Money, split_evenly
from linkpay.domain.plan import PlanKind, Terms, Trial
from linkpay.domain.pricing import Line, LineKind, credit_used, from_plain, lines, to_plain, total
from linkpay.domain.quote import quote
from linkpay.domain.tax import by_rate

CENTS = st.integers(1, 200_000)
TODAY = date(2026, 1, 31)


@st.composite
def discounts(draw: st.DrawFn) -> Discount:
    kind, duration = draw(st.sampled_from(DiscountKind)), draw(st.sampled_from(Duration))
    value = draw(st.integers(1, 10_000) if kind is DiscountKind.PERCENT else CENTS)
    periods = draw(st.integers(1, 8)) if duration is Duration.PERIODS else None
    return Discount(kind, value, duration, periods)


@st.composite
def some_terms(draw: st.DrawFn) -> Terms:
    kind, count = draw(st.sampled_from(PlanKind)), draw(st.integers(2, 10))
    periods = {PlanKind.ONE_TIME: 1, PlanKind.MEMBERSHIP: None}.get(kind, count)
    uneven = kind is PlanKind.INSTALMENTS and draw(st.booleans())
    term_cents = tuple(draw(st.lists(CENTS, min_size=count, max_size=count))) if uneven else ()
    unit = draw(st.sampled_from([Unit.WEEK, Unit.MONTH, Unit.YEAR]))
    trials = st.none() | st.builds(Trial, st.integers(1, 60), st.integers(0, 5_000))
    return Terms(
        kind, Money(draw(CENTS)), Interval(unit), periods,
        term_cents=term_cents, setup_fee_cents=draw(st.integers(0, 10_000)),
        minimum_periods=draw(st.integers(0, 24)) if kind is PlanKind.MEMBERSHIP else 0,
        trial=None if kind is PlanKind.ONE_TIME else draw(trials),
    )  # fmt: skip


BUMPS = st.lists(st.builds(Line, st.just(LineKind.BUMP), CENTS, st.sampled_from([0, 900, 2100])), max_size=3)


@given(some_terms(), st.integers(-1, 30), st.none() | discounts(), BUMPS, st.integers(0, 500_000))
def test_the_sum_is_never_negative_and_every_line_has_its_place(
    terms: Terms, index: int, discount: Discount | None, bumps: list[Line], credit: int
) -> None:
    if not (terms.has_period(index) and index >= terms.first_period):
        return
    made = lines(
        terms, index, vat_basis_points=2100, discount=discount, extras=bumps, credit_cents=credit
    )  # fmt: skip
    assert total(made) >= 0
    off = -sum(line.cents for line in made if line.kind is LineKind.DISCOUNT)
    fee = terms.setup_fee_cents if index == terms.first_period else 0
    assert total(made) == terms.price_cents(index) + fee - off + total(bumps) - credit_used(made)
    assert 0 <= off <= terms.price_cents(index)
    assert credit_used(made) <= credit
    assert from_plain(to_plain(made)) == made
    assert sum(gross for gross, _ in by_rate(made).values()) == total(made)


@pytest.mark.parametrize(
    ("credit", "used"), [(0, None), (1, -1), (2000, -2000), (7500, -7500), (9000, -7500)]
)
def test_credit_pays_as_much_as_there_is_to_pay_and_no_more(credit: int, used: int | None) -> None:
    terms = Terms(PlanKind.MEMBERSHIP, Money(5000), Interval(Unit.MONTH), setup_fee_cents=1500)
    bump = Line(LineKind.BUMP, 1000, 900)
    made = lines(terms, 0, vat_basis_points=2100, extras=[bump], credit_cents=credit)
    paid = [Line(LineKind.PERIOD, 5000, 2100), Line(LineKind.SETUP_FEE, 1500, 2100), bump]
    assert made == paid + ([Line(LineKind.CREDIT, used, 2100)] if used else [])
    assert credit_used(made) == -(used or 0)


def test_a_trial_is_named_as_one_and_what_follows_as_a_period() -> None:
    terms = Terms(PlanKind.MEMBERSHIP, Money(5000), Interval(Unit.MONTH), trial=Trial(14, 100))
    assert lines(terms, -1, vat_basis_points=2100) == [Line(LineKind.TRIAL, 100, 2100)]
    assert lines(terms, 0, vat_basis_points=2100) == [Line(LineKind.PERIOD, 5000, 2100)]


def test_a_line_is_kept_with_its_text_where_it_has_one() -> None:
    named, plain = Line(LineKind.BUMP, 1000, 900, "A workbook"), Line(LineKind.PERIOD, 5000, 2100)
    assert to_plain([named, plain]) == [
        {"kind": "bump", "cents": 1000, "vat_basis_points": 900, "text": "A workbook"},
        {"kind": "period", "cents": 5000, "vat_basis_points": 2100},
    ]
    assert from_plain(to_plain([named, plain])) == [named, plain]


@given(some_terms(), discounts(), st.integers(1, 14))
def test_over_any_periods_a_coupon_takes_exactly_what_it_says(
    terms: Terms, discount: Discount, count: int
) -> None:
    indexes = [index for index in range(terms.first_period, count) if terms.has_period(index)]
    for index in indexes:
        whole = total(lines(terms, index, vat_basis_points=2100))
        less = total(lines(terms, index, vat_basis_points=2100, discount=discount))
        price, how_many = terms.price_cents(index), {Duration.ONCE: 1, Duration.FOREVER: 99}
        is_given = 0 <= index < how_many.get(discount.duration, discount.periods or 0)
        if not is_given:
            assert whole == less
        elif discount.kind is DiscountKind.AMOUNT:
            assert whole - less == min(discount.value, price)
        else:
            assert abs((whole - less) * 10_000 - price * discount.value) <= 5_000


@given(st.integers(0, 10_000_000), st.integers(1, 60))
def test_splits_sum_to_the_cent_with_the_remainder_on_the_first(cents: int, parts: int) -> None:
    amounts = [part.cents for part in split_evenly(Money(cents), parts)]
    assert sum(amounts) == cents
    assert amounts[1:] == [cents // parts] * (parts - 1)
    assert 0 <= amounts[0] - cents // parts < parts


@given(some_terms(), st.none() | discounts(), BUMPS)
def test_a_quote_is_what_the_charges_come_to(
    terms: Terms, discount: Discount | None, bumps: list[Line]
) -> None:
    told = quote(terms, TODAY, vat_basis_points=2100, discount=discount, extras=bumps)
    assert told.due_cents == total(
        lines(terms, terms.first_period, vat_basis_points=2100, discount=discount, extras=bumps)
    )
    anchor = TODAY + timedelta(days=terms.trial.days) if terms.trial else TODAY
    index = terms.first_period + 1
    for run in told.runs:
        # Far enough to see that an endless run never changes.
        for _ in range(run.times or 40):
            assert run.cents == total(lines(terms, index, vat_basis_points=0, discount=discount))
            index += 1
        first = index - (run.times or 40)
        assert run.starts_on == add_intervals(anchor, terms.interval, first)
    assert [run.times for run in told.runs[:-1]].count(None) == 0
    if terms.periods is not None:
        assert index == terms.periods
    assert all(one.cents != after.cents for one, after in zip(told.runs, told.runs[1:], strict=False))


@given(st.sampled_from(list(proof.PROOF_CENTS)), st.integers(1, 60))
def test_a_proof_asks_the_least_and_is_known_as_one(method: str, days: int) -> None:
    terms = Terms(PlanKind.MEMBERSHIP, Money(5000), Interval(Unit.MONTH), trial=Trial(days))
    check = proof.check_line(method)
    made = [*lines(terms, -1, vat_basis_points=2100), *([check] if check else [])]
    assert total(made) == proof.check_cents(made) == proof.PROOF_CENTS[method]
    assert proof.method_of(made) == method
    assert proof.only_checks(made)
    paid = lines(terms, 0, vat_basis_points=2100)
    assert proof.method_of(paid) is None
    assert not proof.only_checks(paid)


def test_what_is_taken_off_whole_leaves_only_a_proof() -> None:
    terms = Terms(PlanKind.MEMBERSHIP, Money(5000), Interval(Unit.MONTH))
    gift = Discount(DiscountKind.PERCENT, 10_000, Duration.ONCE)
    check = proof.check_line("ideal")
    assert check is not None
    assert proof.only_checks([*lines(terms, 0, vat_basis_points=2100, discount=gift), check])
