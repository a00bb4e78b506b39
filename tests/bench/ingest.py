"""How fast webhooks are taken in: LinkPay's route beside two bare ones under the same server.

Every round takes the peak of each in turn (32 connections that send as fast as answers come), so that
whatever else the machine does hits all three. Then arrivals at half of LinkPay's peak that wait for nobody,
and arrivals while one long write holds the database.
"""

import os
import resource
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from linkpay.cli import demo
from linkpay.store import sites
from tests.bench import bare, load
from tests.bench.report import Figure
from tests.processes.machine import Machine, machine_running
from tests.processes.shoppers import Shop
from tests.waiting import eventually

_CONNECTIONS = 32
_SECONDS = 3.0
_LONG_WRITE = 3.0
_PART = "ingest"


def run(rounds: int, database_url: str | None) -> list[Figure]:
    """The figures of this part. `database_url` is an empty PostgreSQL database; SQLite when None."""
    with tempfile.TemporaryDirectory(prefix="bench") as folder, _product(Path(folder), database_url) as ours:
        machine, port, path = ours
        request = load.post_form(path, b"id=tr_benchmark1")
        hook = load.post_form("/hook", b"id=tr_benchmark1")
        floor_url = _floor_database(Path(folder), database_url)
        size = machine.programs["web"].command
        with (
            _served(size, "tests.bench.bare:bare", "") as bare_port,
            _served(size, "tests.bench.bare:committed", floor_url) as floor_port,
        ):
            peaks: dict[str, list[float]] = {"ours": [], "bare": [], "committed": []}
            own = resource.getrusage(resource.RUSAGE_SELF).ru_utime
            for _ in range(rounds):
                for name, where, what in (
                    ("ours", port, request), ("bare", bare_port, hook), ("committed", floor_port, hook)
                ):  # fmt: skip
                    peaks[name].append(_peak(where, what))
            own = resource.getrusage(resource.RUSAGE_SELF).ru_utime - own
            half = sorted(peaks["ours"])[rounds // 2] / 2
            calm = [_at_pace(port, request, half) for _ in range(rounds)]
            floor_calm = [_at_pace(floor_port, hook, half) for _ in range(rounds)]
        held = [_while_locked(machine, port, request) for _ in range(min(rounds, 3))]
    ratio = sorted(peaks["ours"])[rounds // 2] / sorted(peaks["committed"])[rounds // 2]
    p99 = [one.at(0.99) for one in calm]
    share = 100 * own / (rounds * 3 * _SECONDS)
    return [
        Figure(_PART, "peak, durable", "/s", peaks["ours"], peaks["committed"], "bare Flask and one commit",
               "at least 0.6 of the floor", ratio >= 0.6),
        Figure(_PART, "bare Flask, answers 200", "/s", peaks["bare"]),
        Figure(_PART, "bare Flask and one durable commit", "/s", peaks["committed"]),
        Figure(_PART, "p50 at half of its peak", "ms", [one.at(0.5) for one in calm],
               [one.at(0.5) for one in floor_calm], "the floor at the same pace"),
        Figure(_PART, "p99 at half of its peak", "ms", p99, [one.at(0.99) for one in floor_calm],
               "the floor at the same pace", "below 25 ms", sorted(p99)[rounds // 2] < 25),
        Figure(_PART, f"slowest answer during a write of {_LONG_WRITE:g} s", "ms", held, (), "",
               "below 1,000 ms", max(held) < 1000),
        Figure(_PART, "the generator's own share of a core", "%", [share]),
    ]  # fmt: skip


@contextmanager
def _product(folder: Path, database_url: str | None) -> Iterator[tuple[Machine, int, str]]:
    """Web and what it needs; the worker rests, so that only taking in is measured."""
    url = database_url or f"sqlite:///{folder}/linkpay.db"
    with machine_running(folder / "var", url) as (machine, parts):
        shop = Shop(machine, parts)
        with shop.parts.database.read() as tx:
            site = sites.by_slug(tx, demo.SITE)
            assert site is not None
        machine.stop("worker", "clock")
        port = int(machine.settings.base_url.rpartition(":")[2])
        yield machine, port, f"/webhooks/mollie/{site.token}"


def _floor_database(folder: Path, database_url: str | None) -> str:
    url = str(folder / "floor.db")
    if database_url is not None:
        url = database_url.replace("+psycopg", "")
    bare.prepare(url)
    return url


@contextmanager
def _served(like: tuple[str, ...], target: str, database: str) -> Iterator[int]:
    """A bare application under the very command that serves LinkPay; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [*like[:-1], target]
    command[command.index("--port") + 1] = str(port)
    process = subprocess.Popen(
        command, env={**os.environ, "BENCH_DATABASE": database}, cwd=Path(__file__).parents[2],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        eventually(lambda: _listens(port))
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
        return True
    return False


def _peak(port: int, request: bytes) -> float:
    load.closed(port, request, connections=_CONNECTIONS, seconds=0.3)
    seen = load.closed(port, request, connections=_CONNECTIONS, seconds=_SECONDS)
    return seen.statuses[200] / seen.seconds


def _at_pace(port: int, request: bytes, per_second: float) -> load.Answers:
    return load.open_load(port, request, per_second=per_second, seconds=_SECONDS, connections=64)


def _while_locked(machine: Machine, port: int, request: bytes) -> float:
    """Milliseconds of the slowest answer, of whatever status, while somebody else's write goes on and on."""
    holding, done = threading.Event(), threading.Event()
    url = machine.settings.database_url.get_secret_value()
    holder = threading.Thread(target=_hold, args=(url, holding, done))
    holder.start()
    assert holding.wait(60), "nobody holds the database"
    seen = load.open_load(port, request, per_second=20, seconds=_LONG_WRITE - 1, connections=64)
    done.set()
    holder.join()
    time.sleep(0.5)
    return seen.at(1.0)


def _hold(url: str, holding: threading.Event, done: threading.Event) -> None:
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None) as database:
            database.execute("BEGIN IMMEDIATE")
            holding.set()
            done.wait(_LONG_WRITE)
            database.execute("ROLLBACK")
        return
    with psycopg.connect(url.replace("+psycopg", "")) as server:
        server.execute("UPDATE inbox SET attempts = attempts")
        server.execute("UPDATE site SET name = name")
        holding.set()
        done.wait(_LONG_WRITE)
        server.rollback()


if __name__ == "__main__":
    from tests.bench.report import print_table

    print_table(run(int(sys.argv[1]) if len(sys.argv) > 1 else 5, None))
