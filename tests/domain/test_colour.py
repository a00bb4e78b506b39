"""A site's colour is readable whatever its owner likes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain import colour

_LIGHT, _DARK = (246, 245, 241), (28, 31, 30)


def rgb(text: str) -> colour.Rgb:
    found = colour.parse(text)
    assert found is not None
    return found


@given(st.integers(0, 0xFFFFFF))
def test_links_and_buttons_can_be_read_in_both_looks(number: int) -> None:
    made = colour.accent(f"#{number:06x}")
    for shades, ground in ((made.light, _LIGHT), (made.dark, _DARK)):
        assert colour.contrast(rgb(shades.accent), ground) >= colour.ENOUGH
        assert colour.contrast(rgb(shades.ink), rgb(shades.accent)) >= colour.ENOUGH
        assert colour.contrast(rgb(shades.accent), rgb(shades.soft)) >= colour.ENOUGH - 0.35


def test_a_colour_that_can_be_read_is_used_as_it_is() -> None:
    assert colour.accent("#0b6b57").is_readable
    pale = colour.accent("#FFE08A")
    assert not pale.is_readable
    assert pale.contrast == pytest.approx(1.3, abs=0.05)


def test_contrast_is_that_of_wcag() -> None:
    assert colour.contrast((255, 255, 255), (0, 0, 0)) == pytest.approx(21)
    assert colour.contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("text", ["", "red", "#fff", "#0b6b5g", "#0b6b57;}"])
def test_what_is_no_colour_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no colour"):
        colour.accent(text)
