"""Every story, killed once after every effect it has; ``--every-boundary`` kills at the others too."""

import pytest

from tests.daily import first_of
from tests.flows import truth
from tests.flows.scene import Scene, frozen
from tests.flows.stage import Stage
from tests.flows.stories import STORIES
from tests.flows.story import Story
from tests.store_fixtures import Databases, SqliteDatabases

#: On a server after every so-manieth effect, beginning at another each day: what a kill leaves there is what
#: it leaves in a file, and a fresh copy costs a server many times as much.
_EVERY_ON_A_SERVER = 12


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.timeout(600)
def test_a_story_survives_a_kill_after_every_effect(
    databases: Databases, name: str, pytestconfig: pytest.Config
) -> None:
    story = STORIES[name]
    every = 1 if isinstance(databases, SqliteDatabases) else _EVERY_ON_A_SERVER

    def begin(stage: Stage) -> None:
        story.begin(stage)
        stage.stop_watching()

    with frozen(databases, begin) as scene:
        crossed = _told(scene, story, kill_at=0)
        assert len(crossed) > 5
        if pytestconfig.getoption("--every-boundary"):
            points = list(range(1, len(crossed) + 1))
        else:
            points = effects(crossed)[first_of(name, every) :: every]
        for kill_at in points:
            _told(scene, story, kill_at)


def effects(crossed: list[str]) -> list[int]:
    """Before the first effect, and after each: a commit, or a call to somebody outside.

    Whoever dies between two of them leaves what he would have left right after the first. A boundary before
    one is only worth its own kill where time passed or a message came since.
    """
    return [n for n, name in enumerate(crossed, 1) if n == 1 or name.startswith("after ")]


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
