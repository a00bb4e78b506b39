"""A host that answers nobody: whoever calls it all the same hangs, and keeps a thread from other work."""

import threading
import time

from linkpay.errors import Retryable

#: So many calls in a row without an answer are no accident.
_NOBODY = 16
_TRIED_EVERY = 1.0  # seconds


class Silence:
    """Watches the calls to one host, from any number of threads.

    While nobody was answered for long, one call a second goes out and the others are refused, until one is
    answered: all threads of a worker would wait for that host otherwise, and payments with them.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._unanswered = 0
        self._next_try = 0.0

    def require_hope(self) -> None:
        """Raise Retryable, with nothing sent, where a call would only hang."""
        with self._lock:
            if self._unanswered < _NOBODY:
                return
            now = time.monotonic()
            if now < self._next_try:
                raise Retryable(f"{self._name}: answers nobody right now")
            self._next_try = now + _TRIED_EVERY

    def hung(self) -> None:
        """A call was given up without an answer."""
        with self._lock:
            self._unanswered += 1

    def answered(self) -> None:
        """A call was answered, whatever the answer says."""
        self._unanswered = 0
