"""More schedules: ``python -m tests.model [--seeds N] [--first N] [--deviations] [--pairs N]``.

A failure prints its seed; ``--first SEED --seeds 1`` tells that one again.
"""

import argparse
import sys
import tempfile

from tests.bench.figures import machine_line, say
from tests.model import plays
from tests.store_fixtures import Databases, ServerDatabases, SqliteDatabases


def main() -> int:
    """Exit status 1 when any schedule broke a promise."""
    parser = argparse.ArgumentParser(prog="python -m tests.model")
    parser.add_argument("--seeds", type=int, default=1000, help="random schedules")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--deviations", action="store_true", help="everything wrong at every boundary, once")
    parser.add_argument("--pairs", type=int, default=0, help="and two things wrong, so many times per script")
    parser.add_argument("--database", help="PostgreSQL server to make databases on; SQLite when not given")
    options = parser.parse_args()
    say(machine_line())
    tally = plays.fresh()
    with tempfile.TemporaryDirectory(prefix="model") as folder:
        databases: Databases = (
            ServerDatabases(options.database, "model")
            if options.database
            else SqliteDatabases(f"sqlite:///{folder}/")
        )
        plays.walk(databases, range(options.first, options.first + options.seeds), tally)
        if options.deviations:
            plays.deviate(databases, list(plays.SCRIPTS), tally, every=True, two=options.pairs)
        if isinstance(databases, ServerDatabases):
            databases.close()
    for wrong in tally.failed[:20]:
        say(f"WRONG: {wrong}\n")
    say(tally.report())
    say(f"{len(tally.failed)} schedules broke a promise." if tally.failed else "Every promise held.")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
