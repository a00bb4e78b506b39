"""A stage for each test, mounted in process."""

from collections.abc import Iterator

import pytest

from linkpay.sandbox.inprocess import mounted
from linkpay.store.db import Database
from tests.flows.stage import Stage


@pytest.fixture
def stage(database: Database) -> Iterator[Stage]:
    made = Stage(database)
    with mounted(made.sandbox):
        made.set_up()
        yield made
    made.sandbox.close()
