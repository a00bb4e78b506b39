"""A night of renewals: every member of a site is due at once, and a provider as slow as a real one.

Raise, collect, book and keep access, by the product's own worker and clock processes. Run for a few numbers
of members: what one charge costs must not grow with them. ``python -m tests.bench.renewal_night --members N
--due N [--collect N] [--postgresql]`` is one night of any size, or so much of it.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import requests
from redis import Redis
from sqlalchemy import func, select

from linkpay.cli import demo
from linkpay.domain.calendar import local_day
from linkpay.domain.charge import ChargeState
from linkpay.services import billing
from linkpay.services.parts import Parts
from linkpay.store import sites
from linkpay.store.tables import Charge, Grant, Inbox
from linkpay.store.tables.people import Access
from tests.bench import town
from tests.bench.figures import cpu_seconds, machine_line, say
from tests.bench.report import Figure
from tests.chaos.postgres import server_of_our_own
from tests.processes.machine import Machine, machine_running
from tests.processes.patience import until
from tests.waiting import eventually

_PART = "renewals"
_SMALL, _LARGE = 4_000, 40_000
#: So many are due; the other members of the large town only have to be in nobody's way.
_DUE = 2_000
#: Timed is until so many are paid and their webhooks followed: where the provider failed, a try comes later.
_MOST = 0.97
_PATIENCE = 4 * 3_600.0
#: Of so many is the memory taken down that a long night is compared with.
_EVENING = 1_500
#: Seconds between looks for each charge: a look counts them all, and must not cost what is measured.
_PAUSE_EACH = 1e-5


@dataclass(frozen=True, slots=True)
class Night:
    """What one night took."""

    charges_per_second: float
    cpu_ms: float
    commands: float
    calls: float
    early_mib: float
    peak_mib: float
    raised_per_second: float
    most_often: int


def run(rounds: int, database_url: str | None) -> list[Figure]:
    """The figures of this part; each night has a town of its own, so `rounds` beyond 2 are not made."""
    del database_url  # every night needs an empty one
    nights = {members: [_night(members) for _ in range(min(rounds, 2))] for members in (_SMALL, _LARGE)}
    small, large = nights[_SMALL], nights[_LARGE]
    rates = [night.charges_per_second for night in large]
    doubles = max(night.most_often for night in small + large)
    growth = median(night.cpu_ms for night in large) / median(night.cpu_ms for night in small)
    raised = [night.raised_per_second for night in large]
    return [
        Figure(_PART, f"charges a second, {_DUE:,} due of {_LARGE:,}", "/s", rates, (), "", "at least 190",
               sorted(rates)[0] >= 190),
        Figure(_PART, f"charges raised a second, of {_LARGE:,}", "/s", raised, (), "", "at least 20,000",
               sorted(raised)[0] >= 20_000),
        Figure(_PART, "processor time a charge", "ms", [night.cpu_ms for night in large],
               [night.cpu_ms for night in small], f"the same at {_SMALL:,}", "at most 1.15 times",
               growth <= 1.15),
        Figure(_PART, "Redis commands a charge", "", [night.commands for night in large]),
        Figure(_PART, "calls to Mollie a charge", "", [night.calls for night in large]),
        Figure(_PART, "peak memory of the worker", "MiB", [night.peak_mib for night in large],
               [night.early_mib for night in large], f"the same after {_EVENING:,}"),
        Figure(_PART, "most debits for one charge", "", [float(doubles)], (), "", "1", doubles == 1),
    ]  # fmt: skip


def main() -> None:
    """One night of the size that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.renewal_night")
    parser.add_argument("--members", type=int, default=_LARGE)
    parser.add_argument("--due", type=int, default=_DUE)
    parser.add_argument(
        "--collect", type=int, help="end when so many are paid; all that are due when not given"
    )
    parser.add_argument("--postgresql", action="store_true", help="a durable server of its own")
    options = parser.parse_args()
    say(f"{machine_line()}; load {os.getloadavg()[0]:.1f} at the start")
    with server_of_our_own() if options.postgresql else nullcontext() as server:
        say(str(_night(options.members, options.due, server.url if server else None, options.collect)))


def _night(
    members: int, due: int = _DUE, database_url: str | None = None, collect: int | None = None
) -> Night:
    """A night in which so many of the members are due, in an empty database; it ends after `collect`."""
    with (
        tempfile.TemporaryDirectory(prefix="bench") as folder,
        provider() as address,
        machine_running(
            Path(folder) / "var", database_url or f"sqlite:///{folder}/linkpay.db"
        ) as (machine, parts),
    ):  # fmt: skip
        machine.stop("worker", "clock")
        lead_to(machine, address)
        populate(parts, members, due)
        redis = Redis.from_url(machine.settings.redis_url.get_secret_value())
        raised_rate = _raise_all(parts, due)
        before = {"cpu": 0.0, "commands": int(redis.info("stats")["total_commands_processed"])}
        machine.start("worker", "worker", "clock")
        started = time.perf_counter()
        most, pause = collect or int(_MOST * due), max(0.25, due * _PAUSE_EACH)
        until(lambda: _followed(parts) >= min(most, _EVENING), _PATIENCE)
        early_mib = _peak_mib(machine.groups()["worker"])
        until(lambda: _followed(parts) >= most and _paid(parts) >= most, _PATIENCE, pause)
        most, took, spent = _followed(parts), time.perf_counter() - started, cpu_seconds(machine)
        commands = int(redis.info("stats")["total_commands_processed"]) - before["commands"]
        until(lambda: _paid(parts) >= (collect or due), _PATIENCE, pause)
        books = requests.get(f"{address}/books", timeout=60).json()
        assert _shut_out(parts) == 0, "somebody who paid lost her access"
        return Night(
            most / took, 1000 * sum(spent[name] for name in ("worker", "clock")) / most, commands / most,
            sum(books["calls"].values()) / books["payments"], early_mib,
            _peak_mib(machine.groups()["worker"]), raised_rate, books["most"],
        )  # fmt: skip


def lead_to(machine: Machine, address: str) -> None:
    """Processes that start from now on find Mollie there."""
    machine.stack.environment["MOLLIE_API_URL"] = address  # type: ignore[index]  # a plain dict, for no one else


def populate(parts: Parts, members: int, due: int) -> None:
    """Members of the demo site who have paid a month; for so many of them the next one is due today."""
    now = parts.clock.now()
    with parts.database.read() as tx:
        site = sites.by_slug(tx, demo.SITE)
        assert site is not None
        plan = sites.plan(tx, site.id, "monthly")
        assert plan is not None
        today = local_day(now, site.zone)
    town.settle_in(parts.database, plan.id, members - due, today.replace(year=today.year + 1), now)
    town.settle_in(parts.database, plan.id, due, today, now)


def _raise_all(parts: Parts, due: int) -> float:
    """Rows raised a second by one process, before anybody collects them."""
    started = time.perf_counter()
    raised = billing.run(parts.database, parts.clock.now())
    assert raised == due, f"{raised} were raised"
    return raised / (time.perf_counter() - started)


def _paid(parts: Parts) -> int:
    with parts.database.read() as tx:
        query = select(func.count(Charge.id)).where(Charge.period == 1, Charge.state == ChargeState.PAID)
        return tx.scalar(query) or 0


def _followed(parts: Parts) -> int:
    """How many webhooks have been followed to their end."""
    with parts.database.read() as tx:
        return tx.scalar(select(func.count(Inbox.id)).where(Inbox.done_at.is_not(None))) or 0


def _shut_out(parts: Parts) -> int:
    with parts.database.read() as tx:
        return tx.scalar(select(func.count(Grant.id)).where(Grant.wanted != Access.GRANTED)) or 0


def _peak_mib(group: int) -> float:
    """The highest resident memory that any process of a group has had (Linux)."""
    peaks = [0.0]
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError, StopIteration):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[2]) == group:
                    line = next(
                        text for text in (entry / "status").read_text().splitlines() if "VmHWM" in text
                    )
                    peaks.append(int(line.split()[1]) / 1024)
    return max(peaks)


@contextmanager
def provider(*flags: str) -> Iterator[str]:
    """A provider of `tests.bench.provider`; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.provider", str(port), *flags], cwd=Path(__file__).parents[2],
        env=dict(os.environ),
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: _answers(address))
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _answers(address: str) -> Any:
    with suppress(requests.RequestException):
        return requests.get(f"{address}/books", timeout=1).ok
    return False


if __name__ == "__main__":
    main()
