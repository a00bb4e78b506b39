"""One time limit for a whole call, however slowly its answer drips: a socket's own bounds the silence
between two bytes. One thread watches over all calls of a process."""

import heapq
import itertools
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class TimeLimit:
    """The end of one call: `expired` once the call was cut."""

    def __init__(self) -> None:
        self.expired = False
        self.is_over = False
        self._socket: socket.socket | None = None
        self._guard = threading.Lock()

    def watch(self, sock: socket.socket | None) -> None:
        """Cut this connection when the limit is over, or now if it is over already."""
        with self._guard:
            self._socket = sock
            if self.expired:
                self._shut()

    def cut(self) -> None:
        """Make every read on the watched connection end at once, unless the call is over."""
        with self._guard:
            if not self.is_over:
                self.expired = True
                self._shut()

    def end(self) -> None:
        """The call is over: its connection serves others now and is never cut any more."""
        with self._guard:
            self.is_over, self._socket = True, None

    def _shut(self) -> None:
        if self._socket is not None:
            try:
                # Not SSLSocket.shutdown: that drops the TLS state under the reading thread.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
            except OSError:
                return  # closed by its owner in the same moment


class _Watch:
    """Cuts each call at its time. A thread for each call would be a tenth of what a call costs."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ends: list[tuple[float, int, TimeLimit]] = []
        self._numbers = itertools.count()
        self._is_awake = False

    def add(self, limit: TimeLimit, seconds: float) -> None:
        """Cut the call in so many seconds."""
        with self._changed:
            end = (time.monotonic() + seconds, next(self._numbers), limit)
            heapq.heappush(self._ends, end)
            if not self._is_awake:
                self._is_awake = True
                threading.Thread(target=self._run, name="time-limits", daemon=True).start()
            elif self._ends[0] is end:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            self._wait_for_next().cut()

    def _wait_for_next(self) -> TimeLimit:
        with self._changed:
            while True:
                while self._ends and self._ends[0][2].is_over:
                    heapq.heappop(self._ends)
                left = self._ends[0][0] - time.monotonic() if self._ends else None
                if left is not None and left <= 0:
                    return heapq.heappop(self._ends)[2]
                self._changed.wait(left)


class _Calls(threading.local):
    limit: TimeLimit | None = None


_calls = _Calls()
_watch = _Watch()


def _forget_after_fork() -> None:
    """A child has neither the thread nor the calls, and may have been made while the lock was held."""
    global _watch  # noqa: PLW0603 - there is one for a process
    _watch = _Watch()


os.register_at_fork(after_in_child=_forget_after_fork)


@contextmanager
def time_limit(seconds: float) -> Iterator[TimeLimit]:
    """Cut this thread's connection when the block takes longer than `seconds`.

    What was read may then be a truncated answer without an exception: look at `expired`.
    """
    limit = TimeLimit()
    _watch.add(limit, seconds)
    _calls.limit = limit
    try:
        yield limit
    finally:
        limit.end()
        _calls.limit = None


def watch(sock: socket.socket | None) -> None:
    """Put a connection under the time limit of the call that this thread makes, if it has one."""
    if _calls.limit is not None:
        _calls.limit.watch(sock)
