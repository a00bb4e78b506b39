"""The worker process: ``python -m workers.worker``. Any number of them may run.

It listens for rings and runs their rows on a bounded thread pool. Nothing forks, so pooled
connections to the database, Mollie and Kajabi are kept and need no disposal in children.
"""

import logging
import os
import sys
from functools import partial

from config.settings import load_settings
from linkpay.adapters.queue import RqBell
from linkpay.bootstrap import UNHURRIED, build, settle_down, tell_outside
from linkpay.logs import configure
from workers import jobs
from workers.doorbell import serve
from workers.heart import Heart
from workers.leases import Leases
from workers.nearby import NearBell, still_due
from workers.pool import Pool

log = logging.getLogger(__name__)

#: Rows that wait for a thread: enough for one full ring, little enough that other workers get theirs.
_ROOM = 128
#: Seconds after which others hear of what can wait, or found no room here: the grant is through by then.
_AFTERWARDS = 0.1


def main() -> None:
    """Run until SIGTERM or SIGINT; the exit status is then 0."""
    settings = load_settings()
    configure(settings.log_level, as_json=settings.logs_as_json)
    tell_outside(settings, "worker")
    redis_url = settings.redis_url.get_secret_value()
    bell = NearBell(RqBell(redis_url, gather_seconds=_AFTERWARDS))
    parts = build(settings, bell=bell, lock_timeout=UNHURRIED)
    threads = settings.worker_threads
    leases = Leases(parts)
    pool = Pool(threads, _ROOM, partial(jobs.run, parts, keep=leases.keep))
    bell.serve(pool)
    settle_down()
    log.info("worker starts", extra={"threads": threads})
    with Heart("leases", leases.beat):
        is_drained = serve(redis_url, pool, partial(still_due, parts))
    if not is_drained:
        # The interpreter would wait for the threads that still run, longer than a supervisor does.
        logging.shutdown()
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
