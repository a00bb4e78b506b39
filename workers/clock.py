"""The clock process: ``python -m workers.clock``. Any number of them may run.

It calls the sweep every five seconds of real time; what is due is asked of the product's clock by
the sweep itself, which the sandbox may move.
"""

from functools import partial

from config.settings import load_settings
from linkpay.bootstrap import UNHURRIED, build
from linkpay.errors import ProviderError
from linkpay.logs import configure
from linkpay.store.db import STORE_ERRORS
from workers import sweep
from workers.metronome import Metronome
from workers.stopping import StopSignal


def main() -> None:
    """Run until SIGTERM or SIGINT; the exit status is then 0."""
    settings = load_settings()
    configure(settings.log_level, as_json=settings.logs_as_json)
    parts = build(settings, lock_timeout=UNHURRIED)
    stop = StopSignal()
    stop.install()
    metronome = Metronome(
        partial(sweep.turn, parts),
        weather=(ProviderError, *STORE_ERRORS),
        life_sign=settings.clock_life_sign,
    )
    metronome.run(stop)


if __name__ == "__main__":
    main()
