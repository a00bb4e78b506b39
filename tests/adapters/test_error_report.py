"""Errors are reported with where they happened, and without anybody's data."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from sentry_sdk.transport import Transport

from linkpay.adapters import error_report

DSN = "https://made-up@errors.example.test/1"


class Kept(Transport):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Any] = []

    def capture_envelope(self, envelope: Any) -> None:
        self.sent += [item.payload.json for item in envelope.items]


@pytest.fixture
def kept() -> Iterator[Kept]:
    transport = Kept()
    error_report.start(DSN, "worker", transport=transport)
    yield transport
    sentry_sdk.init()


def test_an_error_is_told_with_its_place_and_without_data(kept: Kept) -> None:
    email, key = "anna.devries@example.com", "live_aB3dE5gH7jK9mN1pQ3rS5tU7vW9xY1"
    try:
        raise ValueError(f"{email} could not pay with {key}")
    except ValueError:
        logging.getLogger("linkpay").exception("row failed", extra={"email": email})
    sentry_sdk.flush()
    (event,) = kept.sent
    told = json.dumps(event)
    assert event["exception"]["values"][0]["type"] == "ValueError"
    assert event["server_name"] == "worker"
    for secret in ("anna.devries", key, "a local variable"):
        assert secret not in told
