"""A stage for each test, mounted in process."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime

import pytest

from linkpay.sandbox.inprocess import mounted
from linkpay.store.db import Database
from tests.flows.crash import Boundaries, FragileDatabase
from tests.flows.stage import START, Stage
from tests.store_fixtures import Databases


@pytest.fixture
def make_stage(databases: Databases) -> Iterator[Callable[..., Stage]]:
    """Makes stages of their own, one after the other; only the newest is mounted."""
    with ExitStack() as leftovers:
        current = ExitStack()
        leftovers.callback(current.close)

        def make(start: datetime = START) -> Stage:
            current.close()
            url = databases.migrated()
            boundaries = Boundaries()
            database: Database = FragileDatabase(url, boundaries)
            stage = Stage(database, boundaries, start)
            current.callback(databases.drop, url)
            current.callback(database.dispose)
            current.callback(stage.sandbox.close)
            current.enter_context(mounted(stage.sandbox))
            stage.set_up()
            return stage

        yield make


@pytest.fixture
def stage(make_stage: Callable[..., Stage]) -> Stage:
    """One stage."""
    return make_stage()
