"""Web, workers and clock on hosts of their own: ``python -m tests.bench.hosts [--buyers N]`` (Linux, root).

PostgreSQL, Redis and the providers are at the hub. With 1, 2 and 4 workers buyers pay all at once, and it is
told how many are let in a second; then one worker's host is cut off in the middle and comes back.
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.figures import cpu_seconds, machine_line, say
from tests.chaos.postgres import server_of_our_own
from tests.processes.machine import machine_running
from tests.processes.network import Network, network
from tests.processes.patience import all_in
from tests.processes.shoppers import Shop

_PATIENCE = 300.0  # seconds
_AT_ONCE = 1_000.0  # a second: the bank's own pace decides
_CUT = 20.0  # seconds for which a host is away


def main() -> int:
    """Print the figures; 1 when anybody was charged twice."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.hosts")
    parser.add_argument("--buyers", type=int, default=300)
    buyers = parser.parse_args().buyers
    say(f"{machine_line()}; load {os.getloadavg()[0]:.1f} at the start")
    with (
        tempfile.TemporaryDirectory(prefix="hosts") as folder,
        network() as hosts,
        server_of_our_own(hosts.hub) as server,
        machine_running(Path(folder) / "var", server.url, network=hosts) as (machine, parts),
    ):
        shop = Shop(machine, parts)
        for workers in (1, 2, 4):
            while machine.count("worker") < workers:
                machine.start("worker")
            _rush(shop, f"{workers} workers", buyers)
        _rush(shop, f"4 workers, one host away for {_CUT:.0f} s", buyers, lambda: _cut_one(hosts))
        twice = [key for key, payments in shop.payments_of_periods().items() if len(payments) > 1]
    say(f"{len(twice)} paid twice." if twice else "Nobody paid twice.")
    return 1 if twice else 0


def _rush(shop: Shop, name: str, buyers: int, meanwhile: Callable[[], None] = lambda: None) -> None:
    bought = shop.orders(name.replace(" ", "").replace(",", ""), buyers)
    before, started = cpu_seconds(shop.machine), time.monotonic()
    shop.pay(bought[: buyers // 3], _AT_ONCE)
    meanwhile()
    shop.pay(bought[buyers // 3 :], _AT_ONCE)
    all_in(lambda: shop.outside(bought), _PATIENCE)
    took = time.monotonic() - started
    spent = {kind: now - before.get(kind, 0.0) for kind, now in cpu_seconds(shop.machine).items()}
    each = ", ".join(f"{kind} {1000 * seconds / buyers:.0f}" for kind, seconds in spent.items())
    say(f"{name}: {buyers} let in within {took:.1f} s, {buyers / took:.0f} a second")
    say(f"  milliseconds of the processor each: {each}")


def _cut_one(hosts: Network) -> None:
    hosts.cut("worker1")
    threading.Timer(_CUT, hosts.join, ["worker1"]).start()


if __name__ == "__main__":
    sys.exit(main())
