"""A fair lock between all threads and processes that write one SQLite file.

SQLite's busy_timeout polls, so whoever holds the write lock keeps winning it. Here the threads of a
process stand in one line, first come first served, and the head of each line goes through a row of
gates onto the floor, letting go of each gate only when it has the next. Nobody can be overtaken
between the gates, and who leaves the floor begins again at the first one. So each process gets its
turns however many threads another one has, and only one thread per process polls. (One gate is not
enough: of five busy processes the two that happen to be awake then take turns for seconds.)
Gates and floor are advisory locks on small files beside the database: a killed process lets go.
"""

import fcntl
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PAUSE_SECONDS = 0.0005
#: So many processes can wait in order; more than these take their chance at the first gate.
_GATES = 5


class LockTimeout(Exception):
    """The database was busy with other writers for too long."""


class Line:
    """A lock between threads that is handed over in order. (Python's own may be snatched again by
    the thread that just released it.)"""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._is_taken = False

    def acquire(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds for one's turn; False when it did not come."""
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=timeout):
            return True
        with self._guard:
            if turn not in self._waiting:
                return True  # it was handed over just now
            self._waiting.remove(turn)
            return False

    def release(self) -> None:
        """Hand over to who waits longest."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False


class Turnstile:
    """The line of this process, and its way to the database."""

    def __init__(self, database: Path) -> None:
        names = [*(f"gate-{number}" for number in range(_GATES, 0, -1)), "floor"]
        self._way = [database.with_name(f"{database.name}-{name}") for name in names]
        self._line = Line()

    @contextmanager
    def passing(self, timeout: float) -> Iterator[None]:
        """Around a writing transaction. Raises LockTimeout when it is not one's turn in `timeout` seconds."""
        deadline = time.monotonic() + timeout
        if not self._line.acquire(timeout):
            raise LockTimeout(f"waited too long to write to {self._way[-1].name}")
        try:
            held = self._pass_through(deadline)
            try:
                yield
            finally:
                os.close(held)
        finally:
            self._line.release()

    def _pass_through(self, deadline: float) -> int:
        held = -1
        try:
            for place in self._way:
                ahead = _lock(place, deadline)
                if held >= 0:
                    os.close(held)
                held = ahead
        except BaseException:
            if held >= 0:
                os.close(held)
            raise
        return held


def _lock(path: Path, deadline: float) -> int:
    """An open file descriptor that holds the lock; closing it lets go."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LockTimeout(f"cannot open {path.name}: {error.strerror}") from error
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise LockTimeout(f"waited too long to write to {path.name}") from None
            time.sleep(_PAUSE_SECONDS)
