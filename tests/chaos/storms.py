"""What goes wrong, one thing at a time: how it begins, how long it lasts, how it ends, and what it may cost.

Processes are signalled by the ids under which this run started them.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from redis import Redis
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from tests.chaos.postgres import Server
from tests.chaos.town import Town
from tests.processes.network import Network

Act = Callable[[Town], None]

#: Seconds within which all is right again after it is over: the promises of docs/reliability.md.
LIMITS = {"N1": 10.0, "N2": 30.0, "N3": 360.0, "N4": 120.0, "N5": 75 * 60.0}
_FULL, _ROOMY = "1", "256mb"
_TRIES = 50


@dataclass(frozen=True, slots=True)
class Storm:
    """One kind of trouble. `promise` names the limit that counts from the end of `heal`."""

    name: str
    promise: str
    lasts: float
    strike: Act
    heal: Act


def _nothing(_town: Town) -> None:
    """It is over by itself."""


def _killed(*names: str, lasts: float = 1.0) -> Storm:
    return Storm(
        f"{'+'.join(names)} killed", "N2", lasts, lambda town: town.kill(*names), lambda town: town.restore()
    )


def _stopped(name: str, lasts: float) -> Storm:
    return Storm(
        f"{name} stopped {lasts:.0f} s", "N2", lasts,
        lambda town: town.machine.pause(name), lambda town: town.machine.go_on(name),
    )  # fmt: skip


def _stopped_past_its_leases(town: Town) -> None:
    town.machine.pause("worker")
    town.sandbox.advance(61)


def _redis_emptied(town: Town) -> None:
    town.kill("valkey")
    town.machine.empty_redis()


def _fill(memory: str) -> Act:
    def act(town: Town) -> None:
        with Redis.from_url(town.machine.settings.redis_url.get_secret_value()) as redis:
            redis.config_set("maxmemory", memory)

    return act


def _hold_database(town: Town) -> None:
    """Somebody else writes and does not end."""
    database = town.parts.database
    if database.is_sqlite:
        held = sqlite3.connect(database.url.database or "", isolation_level=None, timeout=5)
        town.holds.callback(held.close)
        held.execute("BEGIN IMMEDIATE")
    else:
        _lock_tables(town.holds.enter_context(database.engine.connect()))


def _lock_tables(connection: Connection) -> None:
    """Lock them all. Who has one of them and waits for the next is let by: the storm is no deadlock."""
    for _ in range(_TRIES):
        try:
            connection.execute(text("SET LOCAL lock_timeout = '200ms'"))
            connection.execute(text("LOCK TABLE inbox, outbox, payment IN ACCESS EXCLUSIVE MODE"))
        except OperationalError:
            connection.rollback()
        else:
            return
    raise AssertionError(f"the tables were never free in {_TRIES} tries")


def _release_database(town: Town) -> None:
    town.holds.close()


def _cut_database(town: Town) -> None:
    """Every connection to the database is cut, as by its restart; on SQLite there is none to cut."""
    database = town.parts.database
    database.dispose()
    if database.is_sqlite:
        town.kill("web", "worker", "clock")
        return
    with database.engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


def _line(kind: str, share: float = 1.0, *, lasts: float = 4.0) -> Storm:
    def strike(town: Town) -> None:
        town.mollie.weather(kind, share)
        town.kajabi.weather(kind, share)

    def heal(town: Town) -> None:
        town.mollie.calm()
        town.kajabi.calm()

    return Storm(f"line: {kind}", "N4", lasts, strike, heal)


def of_server(server: Server) -> tuple[Storm, ...]:
    """The database server itself dies, and is stopped; afterwards it is started again."""

    def heal(town: Town) -> None:
        server.start()
        town.parts.database.dispose()
        town.restore()

    return (
        Storm("database server killed", "N2", 4.0, lambda _town: server.die(), heal),
        Storm("database server restarted", "N2", 2.0, lambda _town: server.stop(), heal),
    )


def of_hosts(network: Network) -> tuple[Storm, ...]:
    """A host is cut off, and neither it nor anybody else is told; then it is back."""

    def cut_off(what: str, *hosts: str, lasts: float, past_leases: bool = False) -> Storm:
        def strike(town: Town) -> None:
            for host in hosts:
                network.cut(host)
            if past_leases:
                town.sandbox.advance(61)

        def heal(_town: Town) -> None:
            for host in hosts:
                network.join(host)

        return Storm(f"{what} cut off {lasts:.0f} s", "N2", lasts, strike, heal)

    return (
        cut_off("a worker's host", "worker1", lasts=20.0),
        cut_off("the web's host", "web1", lasts=10.0),
        cut_off("a host, past its leases,", "worker2", lasts=10.0, past_leases=True),
        cut_off("a clock's host", "clock1", lasts=10.0),
        cut_off("all workers' hosts", "worker1", "worker2", lasts=20.0),
    )


_KINDS = ("status:429", "status:500", "status:502", "status:503", "html", "html_after", "accepted_202")
_LOST = ("timeout_before", "timeout_after", "reset_before", "reset_after")


def _provider(target: str, kinds: tuple[str, ...], share: float) -> Storm:
    def strike(town: Town) -> None:
        town.plan_faults(*({"target": target, "kind": kind, "probability": share} for kind in kinds))

    return Storm(
        f"{target}: {'errors' if kinds is _KINDS else 'lost calls'}", "N4", 4.0, strike,
        lambda town: town.plan_faults(),
    )  # fmt: skip


ALL = (
    _killed("worker"),
    _line("reset", 0.5),
    _killed("web"),
    _line("lost_answer", 0.5),
    Storm("redis emptied", "N2", 2.0, _redis_emptied, lambda town: town.restore()),
    _line("black_hole"),
    Storm("worker stopped past its leases", "N2", 2.0, _stopped_past_its_leases,
          lambda town: town.machine.go_on("worker")),
    _provider("kajabi", _KINDS, 0.12),
    _killed("clock"),
    _line("latency"),
    _stopped("web", 5.0),
    _provider("mollie", _KINDS, 0.12),
    _killed("valkey", lasts=3.0),
    _line("cut", 0.5),
    Storm("redis full", "N2", 3.0, _fill(_FULL), _fill(_ROOMY)),
    _line("reset_answer", 0.5),
    Storm("database held", "N2", 6.0, _hold_database, _release_database),
    _provider("kajabi", _LOST, 0.15),
    _killed("web", "worker", "clock", lasts=2.0),
    _line("slow_drip", 0.7),
    _stopped("valkey", 5.0),
    _provider("mollie", _LOST, 0.15),
    Storm("database cut", "N2", 1.0, _cut_database, lambda town: town.restore()),
    _stopped("worker", 6.0),
)  # fmt: skip

#: For the form that only kills.
KILLS = tuple(_killed(name, lasts=0.2) for name in ("web", "worker", "clock", "valkey"))
#: One of each family, for the short form.
SHORT = tuple(
    storm
    for storm in ALL
    if storm.name
    in (
        "worker killed",
        "web killed",
        "redis emptied",
        "line: lost_answer",
        "worker stopped past its leases",
        "mollie: errors",
        "kajabi: lost calls",
        "database cut",
    )
)
