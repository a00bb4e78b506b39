"""Waiting for what other threads and processes do."""

import time
from collections.abc import Callable


def eventually(is_so: Callable[[], object], within: float = 60.0) -> None:
    """Return as soon as `is_so()` is true; fail when it is not within `within` seconds."""
    deadline = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < deadline, f"not so within {within} s"
        time.sleep(0.005)
