"""Stories in processes of their own, of which SIGKILL ends one at a boundary; the next goes on."""

import pytest

from tests.daily import first_of
from tests.flows import truth
from tests.flows.mortal import MortalBoundaries, MortalStage
from tests.flows.scene import Scene, frozen
from tests.flows.stage import Stage
from tests.flows.stories import STORIES
from tests.flows.story import Story
from tests.store_fixtures import Databases

#: In a usual run: each stroke of money and access once, killed at two boundaries, other ones each day.
SAMPLE = (
    "a purchase", "a renewal whose answer is lost", "a bounce until access ends",
    "paying again after access ended", "two parts of a payment go back",
)  # fmt: skip


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    config = metafunc.config
    sample = SAMPLE[:2] if config.getoption("--database") else SAMPLE  # a server takes twice as long
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", STORIES if config.getoption("--every-boundary") else sample)


@pytest.mark.timeout(3_600)
def test_a_story_goes_on_when_its_process_is_killed(
    databases: Databases, name: str, pytestconfig: pytest.Config
) -> None:
    story = STORIES[name]

    def begin(stage: Stage) -> None:
        story.begin(stage)
        stage.stop_watching()

    with frozen(databases, begin, MortalBoundaries(), MortalStage) as scene:
        total = _rehearsed(scene, story)
        assert total > 5
        every = 1 if pytestconfig.getoption("--every-boundary") else total // 2
        for kill_at in range(1 + first_of(name, every), total + 1, every):
            _killed(scene, story, kill_at)


def _rehearsed(scene: Scene, story: Story) -> int:
    """How many boundaries the story crosses when nobody dies."""
    with scene.played() as stage:
        assert isinstance(stage, MortalStage)
        stage.boundaries.rehearsing = True
        story.go_on(stage)
        stage.work()
        stage.boundaries.rehearsing = False
        return len(stage.boundaries.crossed)


def _killed(scene: Scene, story: Story, kill_at: int) -> None:
    with scene.played() as stage:
        assert isinstance(stage, MortalStage)
        stage.boundaries.arm(kill_at)
        story.go_on(stage)
        stage.work()
        place = f"killed at {kill_at} ({stage.boundaries.crossed[kill_at - 1]})"
        assert stage.deaths == 1, place
        try:
            story.check(stage)
            truth.check(stage)
        except AssertionError as wrong:
            raise AssertionError(f"{place}: {wrong}") from wrong
