"""Machines for the tests with real processes. `make test` runs them one by one, and nothing beside them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.machine import Machine, machine_running
from tests.processes.shoppers import Shop
from tests.store_fixtures import Databases

_PATIENCE = 600.0  # seconds one test may take


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.timeout(_PATIENCE))


@pytest.fixture(scope="module")
def module_shop(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A machine that the tests of a module share, whatever state the last of them left it in."""
    url = databases.migrated()
    try:
        with machine_running(tmp_path_factory.mktemp("machine") / "var", url) as (machine, parts):
            yield Shop(machine, parts)
    finally:
        databases.drop(url)


@pytest.fixture
def shop(module_shop: Shop) -> Shop:
    """The module's machine with one process of each kind at work."""
    module_shop.machine.make_whole()
    return module_shop


@pytest.fixture
def machine(shop: Shop) -> Machine:
    """The processes of `shop`."""
    return shop.machine
