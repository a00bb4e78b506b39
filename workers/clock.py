"""The clock process: ``python -m workers.clock``. Any number of them may run.

It calls the sweep every five seconds of real time; what is due is asked of the product's clock by
the sweep itself, which the sandbox may move. Between sweeps it checks what must always be true.
"""

import logging
from datetime import datetime, timedelta
from functools import partial

from config.settings import load_settings
from linkpay.bootstrap import UNHURRIED, build, report_errors
from linkpay.clock import Clock, SystemClock
from linkpay.errors import ProviderError
from linkpay.logs import configure
from linkpay.services import measuring, recovery
from linkpay.services.parts import Parts
from linkpay.store import progress
from linkpay.store.db import STORE_ERRORS
from workers import invariants, sweep
from workers.metronome import Metronome
from workers.stopping import StopSignal

log = logging.getLogger(__name__)

_COUNT_EVERY = timedelta(minutes=1)


def turn(parts: Parts, machine: Clock) -> sweep.Turn:
    """One beat: say that we live, do what is due, then look a little at whether all is as it must be."""
    now, machine_now = parts.clock.now(), machine.now()
    with parts.database.write() as tx:
        last = progress.find(tx, measuring.CLOCK)
        if last is not None and machine_now - last.machine_at > recovery.OUTAGE:
            recovery.notice_outage(tx, last.at, now)
        progress.put(tx, measuring.CLOCK, 0, now, machine_now)
    done = sweep.turn(parts)
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


def main() -> None:
    """Run until SIGTERM or SIGINT; the exit status is then 0."""
    settings = load_settings()
    configure(settings.log_level, as_json=settings.logs_as_json)
    report_errors(settings, "clock")
    parts = build(settings, lock_timeout=UNHURRIED)
    stop = StopSignal()
    stop.install()
    metronome = Metronome(
        partial(turn, parts, SystemClock()),
        weather=(ProviderError, *STORE_ERRORS),
        life_sign=settings.clock_life_sign,
    )
    metronome.run(stop)


if __name__ == "__main__":
    main()
