"""Real processes that work on one database at the same moment, and what each of them does."""

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from typing import Any

from linkpay.store import due, schema, subscriptions, work
from linkpay.store.db import Database
from linkpay.store.tables import Outbox, Subscription
from tests import builders as make

#: Nothing here takes a tenth of it on a machine at rest; a process that hangs fails its test, not the run.
PATIENCE_SECONDS = 240

_spawn = multiprocessing.get_context("spawn")
Task = Callable[..., Any]
Begin = Callable[[], object]


def together(task: Task, count: int, *args: Any) -> list[Any]:
    """Run `task(begin, *args)` in `count` new processes; what each returned.

    Each makes itself ready and calls `begin`, which lets all go on at one moment.
    """
    barrier = _spawn.Barrier(count)
    started = []
    for _ in range(count):
        ours, theirs = _spawn.Pipe()
        process = _spawn.Process(target=_run, args=(theirs, barrier, task, args), daemon=True)
        process.start()
        theirs.close()
        started.append((process, ours))
    try:
        return [_answer(ours) for _, ours in started]
    finally:
        for process, _ in started:
            _end(process)


def alone(task: Task, *args: Any) -> tuple[BaseProcess, Connection]:
    """Start `task(connection, *args)` in one new process, to be killed by the test."""
    ours, theirs = _spawn.Pipe()
    process = _spawn.Process(target=task, args=(theirs, *args), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _run(answer: Connection, barrier: Barrier, task: Task, args: tuple[Any, ...]) -> None:
    answer.send(task(lambda: barrier.wait(PATIENCE_SECONDS), *args))


def _answer(ours: Connection) -> Any:
    if not ours.poll(PATIENCE_SECONDS):
        raise TimeoutError("a process never answered")
    return ours.recv()


def _end(process: BaseProcess) -> None:
    process.join(5)
    if process.is_alive():
        process.kill()
        process.join()


def count_up(begin: Begin, url: str, subscription_id: int, times: int) -> int:
    """Read a number, add one, write it back: each in a transaction of its own."""
    database = Database(url, lock_timeout=PATIENCE_SECONDS)
    begin()
    for _ in range(times):
        with database.write() as tx:
            subscription = subscriptions.lock(tx, subscription_id)
            subscription.next_index = subscription.next_index + 1
    database.dispose()
    return times


@dataclass(frozen=True)
class Turns:
    """How often one writer had its turn, and the most turns that others had between two of its own."""

    count: int
    passed_over: int


def write_all_the_time(begin: Begin, url: str, subscription_id: int, turns: int) -> Turns:
    """Commit in a tight loop, as no part of the product does, until all writers had so many turns.

    Waiting is measured in everybody's turns, which the number counts: a busy machine is no matter.
    """
    database, count, mine, passed_over = Database(url, lock_timeout=PATIENCE_SECONDS), 0, 0, 0
    with database.read() as tx:
        tx.get(Subscription, subscription_id)  # connected, and nothing left to be compiled
    begin()
    while mine < turns:
        with database.write() as tx:
            subscription = subscriptions.lock(tx, subscription_id)
            passed_over = max(passed_over, subscription.next_index - mine)
            mine = subscription.next_index = subscription.next_index + 1
        count += 1
    database.dispose()
    return Turns(count, passed_over)


def owe_the_same(begin: Begin, url: str, site_id: int, times: int) -> list[int]:
    """Owe pieces of work that others owe at the same moment; which of them were owed here first."""
    database, first = Database(url, lock_timeout=PATIENCE_SECONDS), []
    begin()
    for number in range(times):
        with database.write() as tx:
            if work.add(
                tx, site_id=site_id, kind="apply_grant", ref=str(number), target_id=number, run_at=make.NOW,
                now=make.NOW,
            ):  # fmt: skip
                first.append(number)
    database.dispose()
    return first


def claim_all(begin: Begin, url: str, now: datetime) -> list[int]:
    """Claim whatever is due; the ids that this process got."""
    database, got = Database(url, lock_timeout=PATIENCE_SECONDS), list[int]()
    with database.read() as tx:
        waiting = list(due.ids(tx, Outbox, now, 1000))
    begin()
    for row_id in waiting:
        with database.write() as tx:
            got += work.claim(tx, Outbox, [row_id], now)
    database.dispose()
    return got


def migrate(begin: Begin, url: str) -> list[str]:
    """Bring an empty database up; what is missing afterwards."""
    database = Database(url)
    begin()
    schema.upgrade(database)
    missing = schema.missing(database)
    database.dispose()
    return missing


def hold_the_database(tell: Connection, url: str) -> None:
    """Write, tell, and never commit."""
    with Database(url).write() as tx:
        make.make_site(tx, slug="never-committed")
        tell.send("holding")
        time.sleep(PATIENCE_SECONDS)
