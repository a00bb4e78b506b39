"""Everything at once, and nothing lost: ``python -m tests.chaos [--short] [--kills N] [--minutes N]``.

The product's real processes, with the providers behind a bad line. Buyers pay while processes are killed,
stopped and starved, while the database and Redis go away, and while webhooks are lost and doubled; then
months pass in the same weather. At the end every statement that must always be true is judged by the
providers' own books. Prints a table, writes one JSON file, and fails when anything is wrong.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.bench.figures import say
from tests.chaos import storms
from tests.chaos.course import Course, Plan
from tests.chaos.figures import document, table, write
from tests.chaos.judge import judge
from tests.chaos.postgres import server_of_our_own
from tests.chaos.town import town
from tests.processes.network import Network, network
from tests.store_fixtures import ServerDatabases

#: Instead of a server's address: one that this run starts, and may therefore kill.
OWN = "own"
#: The same, with web, workers and clocks on hosts of their own, which may be cut off.
HOSTS = "hosts"
FULL = Plan(storms.ALL, quiet=64, per_storm=14, again=25, renewals=2, of_each_fate=8)
SHORT = Plan(storms.SHORT, quiet=20, per_storm=8, again=15, renewals=1, of_each_fate=3)


def kills(each: int) -> Plan:
    """Each process killed so many times, at any moment while somebody pays, in any order."""
    order = random.Random(each).sample(storms.KILLS * each, len(storms.KILLS) * each)
    return Plan(order, quiet=20, per_storm=3, again=2, renewals=0, of_each_fate=0, at_any_moment=True)


def run(plan: Plan, database_url: str | None, seed: int, form: str, out: Path) -> list[str]:
    """One run in a folder of its own; returns what was found wrong."""
    if database_url == OWN:
        with server_of_our_own() as server:
            more = replace(plan, storms=(*plan.storms, *storms.of_server(server)))
            return _run_on(more, server.url, seed, f"{form}, own server", out)
    if database_url == HOSTS:
        with network() as hosts, server_of_our_own(hosts.hub) as server:
            more = replace(plan, storms=(*plan.storms, *storms.of_server(server), *storms.of_hosts(hosts)))
            return _run_on(more, server.url, seed, f"{form}, hosts of their own", out, hosts)
    with tempfile.TemporaryDirectory(prefix="chaos") as folder, database_for(database_url, folder) as url:
        return _run_on(plan, url, seed, form, out)


def _run_on(plan: Plan, url: str, seed: int, form: str, out: Path, hosts: Network | None = None) -> list[str]:
    with (
        tempfile.TemporaryDirectory(prefix="chaos") as folder,
        town(Path(folder) / "var", url, seed, hosts) as here,
    ):
        course = Course(here, plan, say)
        course.run()
        figures = document(course, judge(course), seed, form)
    say(table(figures))
    write(figures, out)
    return list(figures["findings"])


@contextmanager
def database_for(server: str | None, folder: str) -> Iterator[str]:
    """A fresh database: a file, or one of its own on the given server."""
    if server is None:
        yield f"sqlite:///{folder}/linkpay.db"
        return
    databases = ServerDatabases(server, "chaos")
    url = databases.migrated()
    try:
        yield url
    finally:
        databases.drop(url)
        databases.close()


def soak(minutes: float, database_url: str | None, seed: int, out: Path) -> list[str]:
    """Run after run, each with its own seed and order of storms, until the time is over or one is wrong."""
    ends, number = time.monotonic() + 60 * minutes, 0
    while time.monotonic() < ends:
        number += 1
        order = random.Random(seed + number).sample(storms.ALL, len(storms.ALL))
        plan = replace(FULL, storms=tuple(order))
        say(f"\nround {number}, seed {seed + number}")
        path = out.with_name(f"{out.stem}-{number}{out.suffix}")
        if found := run(plan, database_url, seed + number, "soak", path):
            return found
    return []


def main() -> int:
    """Exit status 1 when anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--short", action="store_true", help="one storm of each family, about two minutes")
    parser.add_argument("--kills", type=int, help="instead: kill each process so many times at any moment")
    parser.add_argument("--minutes", type=float, help="go on with new seeds for so long")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", help="PostgreSQL server, `own` for one to kill, `hosts`; else SQLite")
    parser.add_argument("--out", type=Path, default=Path("var/chaos.json"), help="where the figures go")
    options = parser.parse_args()
    if options.minutes:
        return 1 if soak(options.minutes, options.database, options.seed, options.out) else 0
    plan, form = (SHORT, "short") if options.short else (FULL, "full")
    if options.kills:
        plan, form = kills(options.kills), "kills"
    return 1 if run(plan, options.database, options.seed, form, options.out) else 0


if __name__ == "__main__":
    sys.exit(main())
