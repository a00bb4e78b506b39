"""The clock process: ``python -m workers.clock``. Any number of them may run.

It calls the sweep every five seconds of real time; what is due is asked of the product's clock by
the sweep itself, which the sandbox may move. Between sweeps it checks what must always be true.
"""

import logging
import time
from datetime import datetime, timedelta

from config.settings import load_settings
from linkpay.bootstrap import UNHURRIED, build, settle_down, tell_outside
from linkpay.clock import Clock, SystemClock
from linkpay.errors import ProviderError
from linkpay.logs import configure
from linkpay.services import billing, measuring, numbers, recovery
from linkpay.services.parts import Parts
from linkpay.store import progress
from linkpay.store.db import STORE_ERRORS
from workers import invariants, sweep
from workers.metronome import Metronome
from workers.stopping import StopSignal

log = logging.getLogger(__name__)

_COUNT_EVERY = timedelta(minutes=1)
_NUMBERS_EVERY = timedelta(minutes=10)
#: Of the five seconds between two beats.
_RAISES_FOR_S = 4.0


class Beats:
    """The turns of one process, none of which takes much longer than the time between two.

    A night on which very many are charged is raised in pieces: whoever watches the clock sees it live, what
    else is due is not kept waiting, and it ends when it is told to.
    """

    def __init__(self, parts: Parts, machine: Clock, stop: StopSignal) -> None:
        self._parts, self._machine, self._stop = parts, machine, stop
        self._shift = billing.Shift(self._goes_on)
        self._until = 0.0

    def __call__(self) -> sweep.Turn:
        self._until = time.monotonic() + _RAISES_FOR_S
        return turn(self._parts, self._machine, self._shift)

    def _goes_on(self) -> bool:
        return time.monotonic() < self._until and not self._stop.requested


def turn(parts: Parts, machine: Clock, shift: billing.Shift | None = None) -> sweep.Turn:
    """One beat: say that we live, do what is due, then look a little at whether all is as it must be."""
    now, machine_now = parts.clock.now(), machine.now()
    with parts.database.write() as tx:
        last = progress.find(tx, measuring.CLOCK)
        if last is not None and machine_now - last.machine_at > recovery.OUTAGE:
            recovery.notice_outage(tx, last.at, now)
        progress.put(tx, measuring.CLOCK, 0, now, machine_now)
    done = sweep.turn(parts, shift)
    try:
        _look(parts, now, machine_now)
    except Exception:
        # Whatever is wrong with a check, money and access go on; that nobody checks any more is an alert.
        log.exception("check failed; the work goes on")
    return done


def _look(parts: Parts, now: datetime, machine_now: datetime) -> None:
    invariants.turn(parts, machine_now)
    with parts.database.write() as tx:
        if progress.take_turn(tx, "count_granted", _COUNT_EVERY, now, machine_now):
            measuring.count_granted(tx, now, machine_now)
        if progress.take_turn(tx, "numbers", _NUMBERS_EVERY, now, machine_now):
            numbers.have_counted(tx, now)


def main() -> None:
    """Run until SIGTERM or SIGINT; the exit status is then 0."""
    settings = load_settings()
    configure(settings.log_level, as_json=settings.logs_as_json)
    tell_outside(settings, "clock")
    parts = build(settings, lock_timeout=UNHURRIED)
    settle_down()
    stop = StopSignal()
    stop.install()
    metronome = Metronome(
        Beats(parts, SystemClock(), stop),
        weather=(ProviderError, *STORE_ERRORS),
        life_sign=settings.clock_life_sign,
    )
    metronome.run(stop)


if __name__ == "__main__":
    main()
