"""Every story, killed once at every boundary it crosses."""

import pytest

from tests.flows import truth
from tests.flows.scene import Scene, frozen
from tests.flows.stage import Stage
from tests.flows.stories import STORIES
from tests.flows.story import Story
from tests.store_fixtures import Databases


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.timeout(600)
def test_a_story_survives_a_kill_at_every_boundary(databases: Databases, name: str) -> None:
    story = STORIES[name]

    def begin(stage: Stage) -> None:
        story.begin(stage)
        stage.stop_watching()

    with frozen(databases, begin) as scene:
        total = len(_told(scene, story, kill_at=0))
        assert total > 5
        for kill_at in range(1, total + 1):
            _told(scene, story, kill_at)


def _told(scene: Scene, story: Story, kill_at: int) -> list[str]:
    """The story, with the process killed at one boundary and started again; the boundaries crossed."""
    with scene.played() as stage:
        stage.boundaries.arm(kill_at)
        story.go_on(stage)
        stage.work()
        crossed = list(stage.boundaries.crossed)
        try:
            story.check(stage)
            truth.check(stage)
        except AssertionError as wrong:
            place = crossed[kill_at - 1] if kill_at else "nowhere"
            raise AssertionError(f"killed at {kill_at} ({place}): {wrong}") from wrong
    return crossed
