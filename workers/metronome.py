"""Calls one thing at a steady pace, through bad weather, until told to stop."""

import logging
import math
import random
import time
from collections.abc import Callable
from pathlib import Path

from workers.stopping import StopSignal

log = logging.getLogger(__name__)


class Metronome:
    """Calls `turn` every `period` seconds, counted from the start so that nothing drifts.

    `jitter` is the most seconds the first turn waits, so that processes started together do not
    sweep together. `weather` are the errors a turn may meet (a database or provider that is away):
    they are logged and counted, and the next turn goes on. Any other error ends the process.
    After each turn that went well `life_sign` is touched, for health checks that watch a file's age.
    `now` tells seconds since any moment.
    """

    def __init__(
        self,
        turn: Callable[[], object],
        *,
        weather: tuple[type[Exception], ...],
        period: float = 5.0,
        jitter: float = 1.0,
        life_sign: Path | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._turn = turn
        self._weather = weather
        self._period = period
        self._jitter = jitter
        self._life_sign = life_sign
        self._now = now
        self.turns = 0
        self.failures = 0

    def run(self, stop: StopSignal) -> None:
        """Beat until `stop`. A turn that took too long skips the beats it missed."""
        start = self._now() + random.uniform(0, self._jitter)  # noqa: S311 - spreads load, hides nothing
        beat = 0
        while not stop.sleep(start + beat * self._period - self._now()):
            self._beat()
            beat = max(beat + 1, math.ceil((self._now() - start) / self._period))

    def _beat(self) -> None:
        self.turns += 1
        try:
            report = self._turn()
        except self._weather as error:
            self.failures += 1
            log.warning(
                "turn failed; the next one goes on",
                extra={"failures": self.failures, "error": type(error).__name__},
                exc_info=error,
            )
            return
        log.debug("turn done", extra={"report": repr(report)})
        if self._life_sign is not None:
            self._life_sign.touch()
