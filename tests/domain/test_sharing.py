"""Which revokes can be left out, and which open something else anew, for any shelf of offers."""

from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.sharing import closed_with, nothing_to_close

PRODUCTS = st.frozensets(st.sampled_from("abcde"), max_size=4)
SHELF = st.dictionaries(st.integers(0, 6), PRODUCTS, max_size=5)


def at_kajabi(mine: frozenset[str], others: dict[int, frozenset[str]]) -> set[str]:
    """What stays open there after a revoke of `mine`, by what Kajabi says it does."""
    return {product for products in others.values() for product in products} - mine


@given(PRODUCTS, SHELF)
def test_a_revoke_that_is_left_out_would_have_closed_nothing_for_good(
    mine: frozenset[str], others: dict[int, frozenset[str]]
) -> None:
    should_be_open = {product for products in others.values() for product in products}
    if nothing_to_close(mine, list(others.values())):
        assert mine <= should_be_open


@given(PRODUCTS, SHELF)
def test_opening_anew_what_was_closed_in_part_gives_back_exactly_what_is_due(
    mine: frozenset[str], others: dict[int, frozenset[str]]
) -> None:
    open_now = at_kajabi(mine, others)
    for key in closed_with(mine, others):
        # Opening one anew is a revoke and a grant of it.
        open_now = (open_now - others[key]) | others[key]
    assert open_now == {product for products in others.values() for product in products}


@given(PRODUCTS, SHELF)
def test_what_shares_nothing_is_left_alone(mine: frozenset[str], others: dict[int, frozenset[str]]) -> None:
    touched = set(closed_with(mine, others))
    assert touched == {key for key, products in others.items() if mine & products}


def test_where_products_are_not_known_nothing_is_shared() -> None:
    assert not nothing_to_close([], [["a"]])
    assert not nothing_to_close(["a"], [[]])
    assert closed_with([], {1: ["a"]}) == []
