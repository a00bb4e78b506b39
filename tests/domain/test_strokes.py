"""The same key for 45 minutes, silence for ten, then a look: nothing is ever sent blindly."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.strokes import KEY_LIFE, QUIET, SEND_WITHIN, Move, next_move, too_late

FIRST = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
#: Mostly around the moments that matter, sometimes days.
AGES = st.timedeltas(timedelta(minutes=40), timedelta(minutes=60)) | st.timedeltas(
    timedelta(0), timedelta(days=3)
)
MOLLIE_KEEPS_KEYS = timedelta(minutes=60)


def test_a_key_that_was_never_used_is_sent() -> None:
    assert next_move(None, FIRST).move is Move.SEND


@given(AGES)
def test_nothing_is_sent_after_45_minutes(age: timedelta) -> None:
    assert (next_move(FIRST, FIRST + age).move is Move.SEND) == (age <= timedelta(minutes=45))


@given(AGES)
def test_nothing_is_looked_up_while_a_late_request_may_still_arrive(age: timedelta) -> None:
    if next_move(FIRST, FIRST + age).move is Move.SEARCH:
        assert age >= timedelta(minutes=55) + SEND_WITHIN


@pytest.mark.parametrize(
    ("minutes", "move"),
    [(0, Move.SEND), (45, Move.SEND), (45.01, Move.WAIT), (55.49, Move.WAIT), (55.5, Move.SEARCH)],
)
def test_the_key_lives_45_minutes_and_the_look_comes_ten_and_a_half_later(minutes: float, move: Move) -> None:
    assert next_move(FIRST, FIRST + timedelta(minutes=minutes)).move is move


@given(AGES)
def test_a_wait_names_the_very_moment_of_the_look(age: timedelta) -> None:
    answer = next_move(FIRST, FIRST + age)
    assert (answer.at is not None) == (answer.move is Move.WAIT)
    if answer.at is not None:
        assert answer.at > FIRST + age
        assert next_move(FIRST, answer.at).move is Move.SEARCH
        assert next_move(FIRST, answer.at - timedelta(microseconds=1)).move is Move.WAIT


@given(AGES, AGES)
def test_moves_only_go_forward(one: timedelta, other: timedelta) -> None:
    order = [Move.SEND, Move.WAIT, Move.SEARCH]
    earlier, later = sorted((one, other))
    assert order.index(next_move(FIRST, FIRST + earlier).move) <= order.index(
        next_move(FIRST, FIRST + later).move
    )


def test_the_last_request_with_a_key_leaves_while_mollie_still_knows_it() -> None:
    assert KEY_LIFE + SEND_WITHIN < MOLLIE_KEEPS_KEYS
    assert timedelta(minutes=10) <= QUIET


@pytest.mark.parametrize(("seconds", "late"), [(0, False), (30, False), (30.001, True), (3600, True)])
def test_a_claim_is_too_old_after_30_seconds(seconds: float, late: bool) -> None:
    assert too_late(FIRST, FIRST + timedelta(seconds=seconds)) is late
