"""What is costly to count is counted once for everybody who looks within a minute, on this machine.

A page of numbers asks three times, with its plots; of 100,000 members each count is a third of a second. What
is small is counted each time, so that a small site always sees the present moment.
"""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")
_GOOD_FOR_SECONDS = 60.0
_MOST = 100


class Kept(Generic[T]):
    """Large things by a key, for a minute. Safe to share between threads: one counts, the others wait."""

    def __init__(self, is_large: Callable[[T], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._is_large, self._clock = is_large, clock
        self._held: dict[Hashable, tuple[float, T]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, count: Callable[[], T]) -> T:
        """What is kept under the key, or what `count` finds."""
        with self._lock:
            kept = self._held.get(key)
            if kept is not None and self._clock() < kept[0]:
                return kept[1]
            found = count()
            if self._is_large(found):
                if len(self._held) >= _MOST:
                    self._held.clear()
                self._held[key] = (self._clock() + _GOOD_FOR_SECONDS, found)
            return found
