"""A thread that does one small thing every few seconds, whatever the threads beside it wait for."""

import logging
import threading
from collections.abc import Callable
from types import TracebackType

log = logging.getLogger(__name__)

#: Seconds between two beats.
EVERY = 5.0
_GOODBYE = 2.0  # seconds that the end waits for a beat under way


class Heart:
    """Calls `beat` at once and then every `every` seconds, from `with` to the end of its block.

    A beat that fails is logged, and the next one comes all the same.
    """

    def __init__(self, name: str, beat: Callable[[], None], *, every: float = EVERY) -> None:
        self._beat, self._every = beat, every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go, name=name, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(_GOODBYE)

    def _go(self) -> None:
        while True:
            try:
                self._beat()
            except Exception as error:
                about = {"heart": self._thread.name, "error": type(error).__name__}
                log.warning("a beat failed; the next one comes", extra=about, exc_info=error)
            if self._ended.wait(self._every):
                return
