"""More lives: ``python -m tests.lives [--lives N] [--first SEED]``.

A failure is told by its seed and the few acts it takes; ``--first SEED --lives 1`` tells that one again.
"""

import argparse
import logging
import sys
import tempfile

from tests.bench.figures import machine_line, say
from tests.lives import life
from tests.store_fixtures import SqliteDatabases


def main() -> int:
    """Exit status 1 when any life went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.lives")
    parser.add_argument("--lives", type=int, default=300, help="random lives")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    options = parser.parse_args()
    logging.getLogger().addHandler(logging.NullHandler())  # what banks refuse is no news
    say(machine_line())
    tally = life.Tally(tell=say)
    with tempfile.TemporaryDirectory(prefix="lives") as folder:
        seeds = range(options.first, options.first + options.lives)
        life.live(SqliteDatabases(f"sqlite:///{folder}/"), seeds, tally, shortened=True)
    say(tally.report())
    say(f"{len(tally.failed)} lives went wrong." if tally.failed else "Every life was right.")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
