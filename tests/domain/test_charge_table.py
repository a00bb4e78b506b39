"""The whole table of a charge's life: every state with every event."""

import pytest

from linkpay.domain.charge import (
    LET_GO,
    UNSETTLED,
    Attempts,
    ChargeEvent,
    ChargeMoney,
    ChargeState,
    move,
    situation,
)

S, E = ChargeState, ChargeEvent

# A dot: the event changes nothing.
TABLE = """
event             scheduled   open        collecting  paid        failed      written_off void
nothing_owed      paid        paid        paid        .           paid        paid        paid
debit_runs        collecting  collecting  .           collecting  collecting  .           .
debit_failed      failed      failed      failed      failed      .           .           .
person_pays       open        .           open        open        open        .           .
nothing_under_way .           scheduled   scheduled   scheduled   scheduled   .           .
let_go_of         written_off written_off written_off .           written_off .           .
voided            void        void        void        .           void        .           .
"""


def rows() -> dict[tuple[ChargeState, ChargeEvent], ChargeState]:
    head, *lines = [line.split() for line in TABLE.strip().splitlines()]
    states = [S(name) for name in head[1:]]
    return {
        (state, E(event)): state if cell == "." else S(cell)
        for event, *cells in lines
        for state, cell in zip(states, cells, strict=True)
    }


DECIDED = rows()


def test_every_pair_of_state_and_event_is_decided() -> None:
    assert set(DECIDED) == {(state, event) for state in S for event in E}


@pytest.mark.parametrize(("state", "event"), DECIDED)
def test_a_charge_moves_as_the_table_says(state: ChargeState, event: ChargeEvent) -> None:
    assert move(state, event) is DECIDED[state, event]


def test_what_is_paid_is_not_let_go_of() -> None:
    assert {move(S.PAID, event) for event in (E.LET_GO_OF, E.VOIDED)} == {S.PAID}


def test_nothing_but_money_undoes_a_decision() -> None:
    for state in LET_GO:
        assert {event for event in E if move(state, event) is not state} == {E.NOTHING_OWED}


def test_every_event_but_the_two_decisions_is_found_in_money_and_attempts() -> None:
    found = {
        situation(ChargeMoney(5000, paid), Attempts(running, waiting, failed))
        for paid in (0, 5000)
        for running in (True, False)
        for waiting in (True, False)
        for failed in (True, False)
    }
    assert found == set(E) - {E.LET_GO_OF, E.VOIDED}


def test_money_that_goes_out_of_a_paid_charge_is_expected_again() -> None:
    assert {move(S.PAID, event) for event in E if event is not E.NOTHING_OWED} - {S.PAID} == UNSETTLED
