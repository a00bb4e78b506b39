"""Money is whole cents, and amounts are exact strings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.money import Money, amount_string, decimals, parse_amount, split_evenly

CURRENCIES = st.sampled_from(["EUR", "USD", "GBP", "JPY", "ISK"])
CENTS = st.integers(-(10**12) + 1, 10**12 - 1)
AMOUNTS = st.builds(Money, CENTS, CURRENCIES)


@given(AMOUNTS)
def test_an_amount_written_and_read_is_the_same(money: Money) -> None:
    assert parse_amount(amount_string(money), money.currency) == money


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(5000), "50.00"),
        (Money(5), "0.05"),
        (Money(0), "0.00"),
        (Money(-1), "-0.01"),
        (Money(-12345), "-123.45"),
        (Money(123456789), "1234567.89"),
        (Money(5000, "JPY"), "5000"),
        (Money(-5000, "ISK"), "-5000"),
    ],
)
def test_amounts_are_written_with_the_decimals_of_their_currency(money: Money, text: str) -> None:
    assert amount_string(money) == text
    assert parse_amount(text, money.currency) == money


@pytest.mark.parametrize(
    "text",
    [
        "50", "50.0", "50.000", "50,00", "1.000,00", "1,000.00", " 50.00", "50.00 ", "50.00\n", "+50.00", "",
        ".50", "5e1", "1e-2", "NaN", "--5.00", "٥٠.٠٠", "0x10.00", "9999999999999.00",
    ],
)  # fmt: skip
def test_any_other_shape_of_an_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount in EUR"):
        parse_amount(text, "EUR")


@pytest.mark.parametrize("value", [50.0, 50, None, True, b"50.00"])
def test_only_strings_are_read_as_amounts(value: object) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        parse_amount(value, "EUR")  # type: ignore[arg-type] # as it may come out of JSON


def test_yen_have_no_decimals() -> None:
    assert (decimals("JPY"), decimals("ISK"), decimals("EUR")) == (0, 0, 2)
    with pytest.raises(ValueError, match="not an amount in JPY"):
        parse_amount("5000.00", "JPY")


@pytest.mark.parametrize("cents", [50.0, 0.1, "50", None, True])
def test_money_is_never_a_float(cents: object) -> None:
    with pytest.raises(TypeError, match="never a float"):
        Money(cents)  # type: ignore[arg-type] # what a careless caller would pass


@pytest.mark.parametrize("currency", ["eur", "EURO", "", "EU1", "EUR\n"])
def test_a_currency_is_three_capitals(currency: str) -> None:
    with pytest.raises(ValueError, match="not a currency"):
        Money(1, currency)


@given(CENTS, CENTS, CURRENCIES)
def test_sums_and_differences_are_exact(a: int, b: int, currency: str) -> None:
    one, other = Money(a, currency), Money(b, currency)
    assert (one + other).cents == a + b
    assert one - other == one + -other


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="cannot mix"):
        Money(1, "EUR") + Money(1, "USD")
    with pytest.raises(ValueError, match="cannot mix"):
        Money(1, "EUR") - Money(1, "USD")


@given(AMOUNTS, st.integers(1, 60))
def test_parts_sum_to_the_whole_to_the_cent(total: Money, parts: int) -> None:
    split = split_evenly(total, parts)
    assert len(split) == parts
    assert sum((part.cents for part in split), 0) == total.cents
    assert {part.currency for part in split} == {total.currency}
    first, *others = split
    assert len(set(others)) <= 1
    assert all(0 <= first.cents - other.cents < parts for other in others)


def test_there_is_at_least_one_part() -> None:
    with pytest.raises(ValueError, match="at least one"):
        split_evenly(Money(100), 0)
