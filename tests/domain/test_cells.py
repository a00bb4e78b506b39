"""Cells: nothing runs in a spreadsheet, and nothing is lost."""

import csv
import io
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.calendar import Unit
from linkpay.domain.cells import read_text, write, write_text

#: What any database of ours can hold: no NUL and no half of a surrogate pair.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
TRICKY = st.sampled_from(
    ["", "'", "''", "=1+1", "'=1", "-5", "+31", "@x", "\t=1", "\r", "a\nb", "＝1", '"', ","]
)


@given(st.one_of(TEXTS, TRICKY))
def test_every_text_comes_back(text: str) -> None:
    assert read_text(write_text(text)) == text


@given(st.lists(st.one_of(st.none(), TEXTS, TRICKY), min_size=1, max_size=6))
def test_every_row_comes_back_through_a_file(row: list[str | None]) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerow([write(value) for value in row])
    (read,) = csv.reader(io.StringIO(file.getvalue(), newline=""))
    assert [read_text(cell) for cell in read] == row


@given(st.one_of(TEXTS, TRICKY))
def test_no_cell_of_people_begins_like_a_formula(text: str) -> None:
    assert write_text(text)[:1] not in ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""), (True, "true"), (False, "false"), (-500, "-500"), (date(2026, 5, 3), "2026-05-03"),
        (datetime(2026, 5, 3, 9, tzinfo=UTC), "2026-05-03T09:00:00+00:00"), (Unit.MONTH, "month"),
        ({"b": 1, "a": "é"}, '{"a": "é", "b": 1}'), ([1, 2], "[1, 2]"),
    ],
)  # fmt: skip
def test_values_are_plain(value: object, cell: str) -> None:
    assert write(value) == cell
