"""A sandbox of its own for each test, mounted in process, with a clock that stands still."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from mollie.api.client import Client

from linkpay.clock import ManualClock
from linkpay.sandbox.app import Sandbox, create_sandbox
from linkpay.sandbox.inprocess import mounted
from tests.sandbox.desk import KEY, MOLLIE, Inbox

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def sandbox(inbox: Inbox) -> Iterator[Sandbox]:
    box = create_sandbox(clock=ManualClock(START), deliver=inbox)
    with mounted(box):
        yield box
    box.close()


@pytest.fixture
def mollie(sandbox: Sandbox) -> Client:
    """The real Mollie client, signed in with a test key."""
    client = Client(api_endpoint=MOLLIE)
    client.set_api_key(KEY)
    return client
