"""How soon access follows money: ``python -m tests.bench.paid_to_granted [--count N] [--rates 5,20]``.

Everything of `make run` as real processes in a folder of its own. Buyers' payments become paid at a
steady pace; measured is from Mollie's webhook arriving to Kajabi's answer, by the instants that the
product itself stored. Beside it the floor: the same outside calls and as many commits, bare, one
purchase after the other in one process, right after on the same machine.
"""

import argparse
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import requests

from linkpay.cli import demo
from linkpay.cli.buy import rank
from linkpay.services import overview
from linkpay.services.overview import Passage
from linkpay.store import sites
from tests.bench.figures import cpu_seconds, machine_line, say
from tests.bench.report import Figure
from tests.processes.machine import machine_running
from tests.processes.patience import all_in
from tests.processes.shoppers import Order, Shop

#: Commits on the way: webhook, claim, booking; claim of the grant and its row, confirmation.
COMMITS = 5
_PATIENCE = 600.0
#: (purchases a second, how many, rounds at most): more than the machine does, and all at once.
_RUSHES = ((100, 1_000, 2), (5_000, 5_000, 1))
_SHARES = (0.5, 0.99, 1.0)
_TIMES_FLOOR, _P99_GOAL, _RUSH_GOAL = 2, 150, 2_000


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.paid_to_granted")
    parser.add_argument("--count", type=int, default=200, help="purchases per rate")
    parser.add_argument("--rates", default="5,20", help="purchases a second, with commas")
    parser.add_argument("--database", help="PostgreSQL to use; it must be empty. SQLite when not given")
    options = parser.parse_args()
    say(machine_line())
    with _shop(options.database) as shop:
        shop.pay(warm := shop.orders("warm", 10), 5)
        all_in(lambda: shop.outside(warm), _PATIENCE)
        for rate in map(float, options.rates.split(",")):
            _print(_measure(shop, f"rate{rate:g}-", rate, options.count), rate, options.count)


@contextmanager
def _shop(database_url: str | None) -> Iterator[Shop]:
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        url = database_url or f"sqlite:///{folder}/linkpay.db"
        with machine_running(Path(folder) / "var", url) as (machine, parts):
            yield Shop(machine, parts)


@dataclass(frozen=True, slots=True)
class _Seen:
    """One burst of purchases at one pace; milliseconds, sorted, and the processor's seconds by program."""

    whole: list[float]
    booking: list[float]
    floor: list[float]
    spent: dict[str, float]

    @property
    def times_the_floor(self) -> float:
        return (rank(self.whole, 0.5) or 0) / (rank(self.floor, 0.5) or 1)


def _measure(shop: Shop, name: str, rate: float, count: int) -> _Seen:
    bought = shop.orders(name, count)
    before = cpu_seconds(shop.machine)
    shop.pay(bought, rate)
    all_in(lambda: shop.outside(bought), _PATIENCE, max(0.25, count / 1_000))  # a look reads the whole list
    spent = {name: seconds - before[name] for name, seconds in cpu_seconds(shop.machine).items()}
    seen = _passages(shop, bought)
    whole = sorted(one.milliseconds for one in seen if one.milliseconds is not None)
    booking = sorted(
        _milliseconds(one.webhook_at, one.booked_at) for one in seen if one.webhook_at and one.booked_at
    )
    return _Seen(whole, booking, _floor(shop, bought[: min(count, 100)]), spent)


def _print(seen: _Seen, rate: float, count: int) -> None:
    load = os.getloadavg()[0]
    say(f"\n{count} purchases at {rate:g} a second, {len(seen.whole)} measured; load {load:.1f}")
    say(f"{'':<28}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    rows = {
        "webhook to Kajabi's answer": seen.whole,
        "  of it, until booked": seen.booking,
        "floor: bare calls, commits": seen.floor,
    }
    for name, values in rows.items():
        say(f"{name:<28}" + "".join(f"{rank(values, share) or 0:>9.1f}" for share in _SHARES))
    say(f"{'times the floor':<28}{seen.times_the_floor:>9.1f}")
    said = ", ".join(f"{name} {1000 * seconds / count:.1f}" for name, seconds in seen.spent.items())
    say(f"CPU, ms per purchase: {said}")


def run(rounds: int, database_url: str | None) -> list[Figure]:
    """The figures of this part: one buyer a second, and twenty, a hundred, and five thousand at once."""
    with _shop(database_url) as shop:
        shop.pay(warm := shop.orders("warm", 10), 5)
        all_in(lambda: shop.outside(warm), _PATIENCE)
        return [*_steady(shop, rounds), *_rushes(shop, rounds)]


def _steady(shop: Shop, rounds: int) -> Iterator[Figure]:
    for rate, count in ((1, 10), (20, 100)):
        seen = [_measure(shop, f"r{rate}n{number}-", rate, count) for number in range(rounds)]
        floor = [rank(one.floor, 0.5) or 0 for one in seen]
        p50, p99 = (_at(seen, share) for share in (0.5, 0.99))
        within = sorted(one.times_the_floor for one in seen)[rounds // 2] <= _TIMES_FLOOR
        swift = sorted(p99)[rounds // 2] < _P99_GOAL
        busy = rate == 20
        yield Figure(
            "granted", f"p50 at {rate}/s", "ms", p50, floor, "the bare calls and commits",
            f"at most {_TIMES_FLOOR} x the floor", within,
        )  # fmt: skip
        yield Figure(
            "granted", f"p99 at {rate}/s", "ms", p99, (), "", f"below {_P99_GOAL} ms" if busy else "",
            swift if busy else None,
        )  # fmt: skip


def _rushes(shop: Shop, rounds: int) -> Iterator[Figure]:
    for rate, count, most in _RUSHES:
        seen = [_measure(shop, f"rush{rate}n{number}-", rate, count) for number in range(min(rounds, most))]
        name = f"{rate}/s" if rate < count else f"{count:,} at once"
        for share, said in ((0.5, "p50"), (0.99, "p99"), (0.999, "p99.9")):
            times = _at(seen, share)
            is_aim = rate == count and said == "p99"
            yield Figure(
                "granted", f"{said} at {name}", "ms", times, (), "",
                f"below {_RUSH_GOAL:,} ms" if is_aim else "", max(times) < _RUSH_GOAL if is_aim else None,
            )  # fmt: skip


def _at(seen: Sequence[_Seen], share: float) -> list[float]:
    return [rank(one.whole, share) or 0 for one in seen]


def _passages(shop: Shop, bought: Sequence[Order]) -> list[Passage]:
    with shop.parts.database.read() as tx:
        site = sites.by_slug(tx, demo.SITE)
        assert site is not None
        offer = sites.offer(tx, site.id, demo.OFFER)
        assert offer is not None
        found = [overview.passage(tx, site.id, one.email, offer.id) for one in bought]
    return [one for one in found if one is not None]


def _milliseconds(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() * 1000


def _floor(shop: Shop, bought: Sequence[Order]) -> list[float]:
    """Milliseconds of the same calls and commits with nothing of ours around them, sorted."""
    parts, times = shop.parts, list[float]()
    with parts.database.read() as tx:
        site = sites.by_slug(tx, demo.SITE)
        assert site is not None
        offer = sites.offer(tx, site.id, demo.OFFER)
        assert offer is not None
        key, hook = sites.mollie_key(site, parts.box), sites.kajabi_url(offer, parts.box, grant=True)
    mollie = f"{shop.machine.settings.mollie_api_url}/v2"
    with requests.Session() as session, tempfile.TemporaryDirectory() as folder:
        session.headers["Authorization"] = f"Bearer {key}"
        with closing(_bare_database(Path(folder) / "floor.db")) as database:
            for one in bought:
                started = time.perf_counter()
                seen = session.get(f"{mollie}/payments/{one.payment}", params={"embed": "refunds"}).json()
                session.get(f"{mollie}/customers/{seen['customerId']}/mandates/{seen['mandateId']}").json()
                body = {"name": "Anna", "email": one.email, "external_user_id": one.email}
                session.post(str(hook), json=body)
                for _ in range(COMMITS):
                    database.execute("INSERT INTO row (body) VALUES (?)", (one.payment,))
                times.append(1000 * (time.perf_counter() - started))
    return sorted(times)


def _bare_database(path: Path) -> sqlite3.Connection:
    """A file in which each statement is a commit that reaches the disk."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, body TEXT)")
    return database


if __name__ == "__main__":
    main()
