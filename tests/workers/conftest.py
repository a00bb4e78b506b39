"""What the tests of the workers share."""

from collections.abc import Iterator

import pytest

from tests.workers.valkey import Valkey


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """A running Valkey of this test's own."""
    server = Valkey()
    server.start()
    yield server
    server.discard()
