"""What tags say, for any subscriptions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.subscription import SubscriptionState
from linkpay.domain.tags import Tag, tags_of

S = SubscriptionState
STATES = st.lists(st.sampled_from([state for state in S if state is not S.PENDING]), max_size=4)


@pytest.mark.parametrize(
    ("state", "tags"),
    [
        (S.TRIALING, {Tag.ACTIVE}), (S.ACTIVE, {Tag.ACTIVE}), (S.PAUSED, {Tag.ACTIVE}),
        (S.COMPLETED, {Tag.ACTIVE}), (S.PAST_DUE, {Tag.PAYMENT_FAILED}), (S.SUSPENDED, {Tag.PAYMENT_FAILED}),
        (S.CANCELING, {Tag.ACTIVE, Tag.CANCELLED}), (S.ENDED, {Tag.CANCELLED}),
    ],
)  # fmt: skip
def test_one_subscription(state: S, tags: set[Tag]) -> None:
    assert tags_of([state]) == tags


@given(STATES)
def test_who_keeps_anything_is_not_cancelled_and_everybody_has_a_tag(states: list[S]) -> None:
    tags = tags_of(states)
    assert bool(tags) == bool(states)
    if set(states) - {S.CANCELING, S.ENDED}:
        assert Tag.CANCELLED not in tags


@given(STATES, STATES)
def test_owing_is_told_whatever_else_runs(states: list[S], others: list[S]) -> None:
    assert Tag.PAYMENT_FAILED in tags_of([*states, S.PAST_DUE, *others])
