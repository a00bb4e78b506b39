"""The whole table of a subscription's life: every state with every event."""

import pytest

from linkpay.domain.subscription import LIVE, OVER, SubscriptionEvent, SubscriptionState, move

S, E = SubscriptionState, SubscriptionEvent

# A dot: the event is booked and changes nothing.
TABLE = """
event               pending   trialing  active    past_due  suspended paused    canceling completed ended
first_paid          active    .         .         .         .         .         .         .         active
trial_started       trialing  .         .         .         .         .         .         .         trialing
charge_paid         .         active    .         active    active    .         .         .         .
last_term_paid      completed completed completed completed completed completed completed .         .
charge_failed       .         past_due  past_due  .         .         past_due  .         past_due  .
money_taken_back    .         past_due  past_due  .         .         past_due  .         past_due  .
money_refunded      .         .         .         .         .         .         .         .         .
grace_over          .         .         .         suspended .         .         .         .         .
grace_given         .         .         .         .         past_due  .         .         .         .
cancel_asked        ended     canceling canceling canceling ended     canceling .         .         .
cancel_undone       .         .         .         .         .         .         active    .         .
cancel_date_reached .         .         .         .         .         .         ended     .         .
pause_began         .         paused    paused    .         .         .         .         .         .
resumed             .         .         .         .         .         active    .         .         .
debt_cleared        .         .         .         active    active    .         .         .         .
reactivated         .         .         .         .         .         .         .         .         active
signup_expired      ended     .         .         .         .         .         .         .         .
stopped             ended     ended     ended     ended     ended     ended     ended     ended     .
"""


def rows() -> dict[tuple[SubscriptionState, SubscriptionEvent], SubscriptionState]:
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
def test_a_subscription_moves_as_the_table_says(state: SubscriptionState, event: SubscriptionEvent) -> None:
    assert move(state, event) is DECIDED[state, event]


def test_nothing_leaves_the_end_but_a_first_payment_that_came_after_all_and_the_members_own_wish() -> None:
    leaving = {event for event in E if move(S.ENDED, event) is not S.ENDED}
    assert leaving == {E.FIRST_PAID, E.TRIAL_STARTED, E.REACTIVATED}


def test_a_canceled_subscription_is_never_charged_into_life_again() -> None:
    revived = {event for event in E if move(S.CANCELING, event) is S.ACTIVE}
    assert revived == {E.CANCEL_UNDONE}


def test_a_failed_collection_never_ends_a_subscription_by_itself() -> None:
    for state in LIVE:
        assert move(state, E.CHARGE_FAILED) in LIVE
        assert move(state, E.MONEY_TAKEN_BACK) in LIVE
        assert move(state, E.GRACE_OVER) in LIVE


def test_owed_again_is_asked_for_again_however_the_money_went() -> None:
    """The helping mails and pay links are only for subscriptions that live."""
    for event in (E.CHARGE_FAILED, E.MONEY_TAKEN_BACK):
        assert move(S.COMPLETED, event) in LIVE


def test_a_paid_last_term_completes_whatever_was_asked_before() -> None:
    for state in (S.PENDING, *LIVE):
        assert move(state, E.LAST_TERM_PAID) is S.COMPLETED


def test_stopping_ends_every_subscription() -> None:
    assert {move(state, E.STOPPED) for state in S} == {S.ENDED}


def test_every_state_is_waiting_live_or_over() -> None:
    assert set(S) == {S.PENDING} | LIVE | OVER
    assert not LIVE & OVER
