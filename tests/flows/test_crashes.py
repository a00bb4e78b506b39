"""Every story, killed once at every boundary it crosses."""

from collections.abc import Callable

import pytest

from tests.flows import truth
from tests.flows.stage import Stage
from tests.flows.stories import STORIES

MakeStage = Callable[[], Stage]


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.timeout(600)
def test_a_story_survives_a_kill_at_every_boundary(make_stage: MakeStage, name: str) -> None:
    story = STORIES[name]
    total = len(_told(make_stage(), name, kill_at=0).boundaries.crossed)
    assert total > 5
    for kill_at in range(1, total + 1):
        stage = _told(make_stage(), name, kill_at)
        place = stage.boundaries.crossed[kill_at - 1]
        try:
            story.check(stage)
            truth.check(stage)
        except AssertionError as wrong:
            raise AssertionError(f"killed at {kill_at} ({place}): {wrong}") from wrong


def _told(stage: Stage, name: str, kill_at: int) -> Stage:
    """The story, with the process killed at one boundary and started again."""
    story = STORIES[name]
    story.begin(stage)
    stage.stop_watching()
    stage.boundaries.arm(kill_at)
    story.go_on(stage)
    stage.work()
    return stage
