"""A fair lock between all threads and processes that write one SQLite file.

SQLite's busy_timeout polls, so whoever holds the write lock keeps winning it. Here a writer first
takes the gate and then the floor; leaving the floor it must queue at the gate again, where somebody
already waits. Both are advisory locks on small files beside the database: a killed process lets go.
"""

import fcntl
import os
import threading
import time
from pathlib import Path
from types import TracebackType

_PAUSE_SECONDS = 0.0005


class LockTimeout(Exception):
    """The database was busy with other writers for too long."""


class Turnstile:
    """Use as a context manager around a writing transaction; waits at most `timeout` seconds."""

    def __init__(self, database: Path, timeout: float) -> None:
        self._gate = database.with_name(database.name + "-gate")
        self._floor = database.with_name(database.name + "-floor")
        self._timeout = timeout
        self._held = threading.local()

    def __enter__(self) -> None:
        deadline = time.monotonic() + self._timeout
        gate = _lock(self._gate, deadline)
        try:
            self._held.floor = _lock(self._floor, deadline)
        finally:
            os.close(gate)

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        os.close(self._held.floor)


def _lock(path: Path, deadline: float) -> int:
    """An open file descriptor that holds the lock; closing it lets go."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise LockTimeout(f"waited too long to write to {path.name}") from None
            time.sleep(_PAUSE_SECONDS)
