"""How the long-lived processes notice that they should end."""

import os
import select
import signal
from collections.abc import Callable
from contextlib import suppress
from types import FrameType


def _nothing() -> None:
    pass


class StopSignal:
    """Remembers SIGTERM or SIGINT and wakes whoever sleeps on it.

    Nothing is raised out of a signal: work under way ends where it means to. `on_stop` is called
    once, in the signal handler, and must take no lock.
    """

    def __init__(self, on_stop: Callable[[], None] = _nothing) -> None:
        self._on_stop = on_stop
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self.requested = False

    def install(self) -> None:
        """Listen to SIGTERM and SIGINT; only the main thread may call this."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.request()

    def request(self) -> None:
        """Ask for the end. Repeating is harmless."""
        if self.requested:
            return
        self.requested = True
        # A byte in a pipe, not a threading.Event: setting an event takes a lock that the
        # interrupted thread may hold, and then nobody ever wakes.
        with suppress(BlockingIOError):
            os.write(self._writer, b"x")
        self._on_stop()

    def sleep(self, seconds: float) -> bool:
        """Wait, at most `seconds`; True at once when the end is asked for."""
        select.select([self._reader], [], [], max(0.0, seconds))
        return self.requested
