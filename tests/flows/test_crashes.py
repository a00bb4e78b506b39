"""Every story, killed once at every boundary it crosses."""

from datetime import date
from zlib import crc32

import pytest

from tests.flows import truth
from tests.flows.scene import Scene, frozen
from tests.flows.stage import Stage
from tests.flows.stories import STORIES
from tests.flows.story import Story
from tests.store_fixtures import Databases, SqliteDatabases

#: At every so-manieth boundary, beginning at another each day; with --every-boundary at each. What a kill
#: leaves on a server is what it leaves in a file, and a fresh copy costs a server many times as much.
_EVERY, _EVERY_ON_A_SERVER = 3, 24


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.timeout(600)
def test_a_story_survives_a_kill_at_every_boundary(
    databases: Databases, name: str, pytestconfig: pytest.Config
) -> None:
    story = STORIES[name]
    every = _EVERY if isinstance(databases, SqliteDatabases) else _EVERY_ON_A_SERVER
    every = 1 if pytestconfig.getoption("--every-boundary") else every
    first = 1 + (crc32(name.encode()) + date.today().toordinal()) % every  # noqa: DTZ011 - any day will do

    def begin(stage: Stage) -> None:
        story.begin(stage)
        stage.stop_watching()

    with frozen(databases, begin) as scene:
        total = len(_told(scene, story, kill_at=0))
        assert total > 5
        for kill_at in range(first, total + 1, every):
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
