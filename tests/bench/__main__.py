"""All figures in one run: ``python -m tests.bench [PART ...] [--rounds N] [--database URL] [--record]``.

Prints one table and writes `var/benchmarks.json`: the machine, the versions, the commit, and every figure
beside its floor of the same run. What moved more than the noise since the recorded run is marked.
"""

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Callable

from tests.bench import (
    first_purchase,
    ingest,
    pages,
    paid_to_granted,
    queue_bench,
    renewal_night,
    rest,
    webhooks,
)
from tests.bench.figures import machine_line, say
from tests.bench.report import LATEST, RECORDED, Figure, print_table, write_json

PARTS: dict[str, Callable[[int, str | None], list[Figure]]] = {
    "ingest": ingest.run,
    "granted": paid_to_granted.run,
    "burst": queue_bench.run,
    "drain": webhooks.run,
    "renewals": renewal_night.run,
    "pages": pages.run,
    "rest": rest.run,
    "first": first_purchase.run,
}


def main() -> None:
    """Measure the parts that were asked for, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all when not given")
    parser.add_argument("--rounds", type=int, default=5, help="times that each figure is taken")
    parser.add_argument("--database", help="an empty PostgreSQL database; SQLite when not given")
    parser.add_argument("--record", action="store_true", help="later runs are compared with this one")
    options = parser.parse_args()
    if strange := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(strange))}; there are {', '.join(PARTS)}")
    # Whoever ends it early ends what it started as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended early"))
    say(f"{machine_line()}; load {os.getloadavg()[0]:.1f} at the start")
    figures: list[Figure] = []
    failed: list[str] = []
    for name in options.parts or PARTS:
        say(f"measuring {name} ...")
        try:
            figures += PARTS[name](options.rounds, options.database)
        except AssertionError:  # the figures of the other parts are worth keeping
            traceback.print_exc()
            failed.append(name)
    print_table(figures)
    write_json(figures, LATEST)
    if options.record:
        write_json(figures, RECORDED, keep_others=True)
    if failed:
        sys.exit(f"could not be measured: {', '.join(failed)}")


if __name__ == "__main__":
    main()
