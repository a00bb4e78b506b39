"""A browser for tests, where the machine has one."""

import os
import warnings
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import chromium
from tests.browser.studio import Studio, opened_in


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window. Without one the tests are skipped, loudly; in CI they fail."""
    if chromium.path() is None:
        if os.environ.get("CI"):
            pytest.fail("CI installs Chromium, and there is none")
        warnings.warn(
            "THERE IS NO CHROMIUM ON THIS MACHINE: no page was looked at in a browser", stacklevel=1
        )
        pytest.skip("there is no Chromium on this machine")
    with chromium.launched() as found:
        yield found


@pytest.fixture
def studio(database_url: str) -> Iterator[Studio]:
    """A shop that nobody bought in yet, behind a port."""
    with opened_in(database_url, lambda stage: stage.stop_watching()) as made:
        yield made
