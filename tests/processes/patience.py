"""Waiting for what other processes do, without keeping them from doing it."""

import time
from collections.abc import Callable

_PAUSE = 0.25  # seconds; looking at a provider's books costs it time that it needs for its callers


def until(is_so: Callable[[], object], within: float, pause: float = _PAUSE) -> None:
    """Return when `is_so()` is true, looking every `pause` seconds; fail when it is not within `within`."""
    deadline = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < deadline, f"not so within {within:.1f} s"
        time.sleep(pause)


def all_in(missing: Callable[[], int], within: float, pause: float = _PAUSE) -> float:
    """Wait until nothing is missing; returns the seconds. Fails with how much still is after `within`."""
    started = time.monotonic()
    while left := missing():
        assert time.monotonic() - started < within, f"{left} missing after {within:.1f} s"
        time.sleep(pause)
    return time.monotonic() - started
