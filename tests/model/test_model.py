"""Seeded schedules of everything that can go wrong, in a bounded number; `make model N=...` tries more."""

from pathlib import Path

import pytest

from tests.bench.figures import say
from tests.daily import TODAY
from tests.model import plays
from tests.store_fixtures import Databases, SqliteDatabases

#: So many seeds that are always the same, and as many that are others each day.
RANDOM, _TODAYS = 25, 1_000 * TODAY
#: Seeds that once found something. What they found is in the message of the commit that mended it.
FOUND: tuple[int, ...] = (20, 23, 35, 51, 100_604, 101_405, 101_623, 101_675, 102_065)


def _less_on_a_server(databases: Databases, count: int) -> int:
    """A fresh database costs a server many times what it costs a file."""
    return count if isinstance(databases, SqliteDatabases) else count // 6


@pytest.mark.timeout(300)
def test_no_schedule_breaks_a_promise(databases: Databases) -> None:
    tally = plays.fresh()
    count = _less_on_a_server(databases, RANDOM)
    plays.walk(databases, [*FOUND, *range(count), *range(_TODAYS, _TODAYS + count)], tally)
    say(tally.report())
    assert not tally.failed, "\n\n".join(tally.failed)


@pytest.mark.timeout(300)
def test_nothing_that_goes_wrong_once_breaks_a_promise(databases: Databases) -> None:
    """Each thing that can go wrong, once at each kind of boundary; on a server at those of a purchase."""
    tally = plays.fresh()
    on_files = isinstance(databases, SqliteDatabases)
    plays.deviate(databases, list(plays.SCRIPTS) if on_files else ["a purchase"], tally, every=False)
    say(tally.report())
    assert not tally.failed, "\n\n".join(tally.failed)
    done, of = tally.pairs(None if on_files else tally.plain)
    assert done >= 0.95 * of


def test_a_seed_tells_the_same_story_twice(tmp_path: Path) -> None:
    databases = SqliteDatabases(f"sqlite:///{tmp_path}/")
    stories = []
    for _ in range(2):
        tally = plays.fresh()
        plays.walk(databases, [7, 8], tally)
        stories.append((tally.boundaries, dict(tally.director.covered)))
    assert stories[0] == stories[1]
