"""Every story plain, doubled, reordered and lost."""

from collections.abc import Callable

import pytest

from tests.flows import truth
from tests.flows.stage import Stage
from tests.flows.stories import STORIES


def as_sent(stage: Stage) -> None:
    """Messages come as they are sent."""


def doubled(stage: Stage) -> None:
    """Every message comes twice, and every row is rung twice."""
    stage.deliveries = lambda ids: [each for each in ids for _ in range(2)]
    stage.order = lambda rows: [row for row in rows for _ in range(2)]


def reordered(stage: Stage) -> None:
    """The last message comes first, and the last row is done first."""
    stage.deliveries = lambda ids: list(reversed(ids))
    stage.order = lambda rows: list(reversed(rows))


def lost(stage: Stage) -> None:
    """No message ever comes: the poller finds out."""
    stage.deliveries = lambda ids: []


@pytest.mark.parametrize("weather", [as_sent, doubled, reordered], ids=lambda weather: weather.__name__)
@pytest.mark.parametrize("name", STORIES)
def test_a_story_ends_the_same_in_every_weather(
    stage: Stage, name: str, weather: Callable[[Stage], None]
) -> None:
    story = STORIES[name]
    story.begin(stage)
    weather(stage)
    story.go_on(stage)
    story.check(stage)
    truth.check(stage)


# What Kajabi does not tell us it tells nobody: its stories begin with its message.
@pytest.mark.parametrize("name", [name for name in STORIES if "Kajabi" not in name])
def test_a_story_ends_the_same_when_no_webhook_ever_comes(stage: Stage, name: str) -> None:
    story = STORIES[name]
    story.begin(stage)
    lost(stage)
    story.go_on(stage)
    # What the poller finds out later starts its clocks later.
    stage.advance(days=4)
    story.check(stage)
    truth.check(stage)
