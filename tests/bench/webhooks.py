"""Webhooks that wait, drained by our worker and by other queues: ``python -m tests.bench.webhooks``.

Everybody has been debited, and every payment has been paid since, which nobody told. Then a webhook for each
waits in the inbox, and each contender gets a share of them, one after the other on one database: fetch the
payment from a provider as slow as a real one, and book it. All do it by the same code, so what differs is how
work is handed out, how many calls wait at once, and how many bookings share a transaction.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select, update

from linkpay.adapters.queue import RqBell
from linkpay.services import billing
from linkpay.services.parts import Parts
from linkpay.store import inbox
from linkpay.store.tables import Inbox, Outbox, Payment
from tests.bench.figures import say
from tests.bench.renewal_night import lead_to, populate, provider
from tests.bench.report import ROOT, Figure, print_table
from tests.processes.machine import Machine, machine_running
from tests.processes.patience import until

_PART = "drain"
_PATIENCE = 300.0  # seconds
_GLANCE = 0.05  # seconds between looks, which cost what is measured next to nothing
#: Members more than are needed: where the provider failed, a debit is sent much later.
_SPARE = 400
#: Counted is until so many of a share are booked; where the provider failed, a look comes again much later.
_MOST = 0.95
#: Installed beside the project, as no part of it needs them.
_OTHERS = ROOT / "var" / "queues"
_PINNED = ("celery==5.7.0", "dramatiq==2.2.1")


@dataclass(frozen=True, slots=True)
class Contender:
    """Who drains a share: `queue` of `tests.bench.plain_tasks`, or our own worker where it is empty."""

    name: str
    queue: str
    share: int
    processes: int = 1


CONTENDERS = (
    Contender("our worker", "", 5_000),
    Contender("2 of our workers", "", 5_000, 2),
    Contender("rq worker, a fork for each", "rq", 30),
    Contender("rq SimpleWorker", "rq-simple", 30),
    Contender("celery, 2 processes", "celery-prefork", 100),
    Contender("celery, 64 threads", "celery", 1_000),
    Contender("dramatiq, 64 threads", "dramatiq", 1_000),
)


def run(rounds: int, database_url: str | None) -> list[Figure]:
    """The figures of this part; each round has a database of its own, so `rounds` beyond 3 are not made."""
    _install()
    rates: dict[str, list[float]] = {one.name: [] for one in CONTENDERS}
    for _ in range(min(rounds, 3) if database_url is None else 1):
        for name, rate in _round(database_url):
            say(f"  {name}: {rate:.1f} a second")
            rates[name].append(rate)
    ours = rates.pop("our worker")
    figures = [Figure(_PART, "webhooks a second, our worker", "/s", ours)]
    for name, theirs in rates.items():
        goal, reached = "", None
        if name.startswith("rq worker"):
            goal, reached = "at least 10 times", min(ours) >= 10 * max(theirs)
        elif "threads" in name or "processes" in name:
            goal, reached = "not behind", sorted(ours)[len(ours) // 2] >= sorted(theirs)[len(theirs) // 2]
        figures.append(Figure(_PART, name, "/s", theirs, ours, "our worker", goal, reached))
    return figures


def _round(database_url: str | None) -> Iterator[tuple[str, float]]:
    """Each contender's webhooks a second."""
    with (
        tempfile.TemporaryDirectory(prefix="bench") as folder,
        provider("--silent") as address,
        machine_running(
            Path(folder) / "var", database_url or f"sqlite:///{folder}/linkpay.db"
        ) as (machine, parts),
    ):  # fmt: skip
        machine.stop("worker", "clock")
        lead_to(machine, address)
        _debit(machine, parts, sum(one.share for one in CONTENDERS) + _SPARE)
        for one in CONTENDERS:
            ids = _webhooks(parts, one.share)
            if one.queue:
                _command(machine, one.queue, "fill", str(ids[0]), str(ids[-1]))
            else:
                bell = RqBell(machine.settings.redis_url.get_secret_value())
                bell.ring(ids)
                bell.close()
            with _at_work(machine, one):
                until(lambda: _handled(parts, ids) > 0, _PATIENCE, _GLANCE)  # noqa: B023 - called at once
                began, before = time.perf_counter(), _handled(parts, ids)
                most = int(_MOST * len(ids))
                until(lambda: _handled(parts, ids) >= most, _PATIENCE, _GLANCE)  # noqa: B023 - as above
                yield one.name, (most - before) / (time.perf_counter() - began)


def _debit(machine: Machine, parts: Parts, members: int) -> None:
    """Everybody has a debit that is under way, as far as we know."""
    populate(parts, members + 1, members)
    billing.run(parts.database, parts.clock.now())
    machine.start("worker", "worker", "clock")
    sent = select(func.count(Payment.id)).where(Payment.status == "pending")

    def are_sent() -> bool:
        with parts.database.read() as tx:
            return (tx.scalar(sent) or 0) >= members - _SPARE

    until(are_sent, _PATIENCE)
    machine.stop("worker", "clock")
    with parts.database.write() as tx:  # nobody looks on his own account meanwhile
        later = parts.clock.now() + timedelta(days=1)
        tx.execute(update(Outbox).where(Outbox.kind == "poll_payment").values(run_at=later))


def _webhooks(parts: Parts, count: int) -> Sequence[int]:
    """Keep a webhook for each of so many payments that none came for yet; their ids, one after the other."""
    told = select(Inbox.ref)
    query = select(Payment.site_id, Payment.mollie_id).where(
        Payment.status == "pending", Payment.mollie_id.not_in(told)
    )
    with parts.database.write() as tx:
        first = 1 + (tx.scalar(select(func.max(Inbox.id))) or 0)
        for site_id, mollie_id in tx.execute(query.order_by(Payment.id).limit(count)).all():
            inbox.note(tx, site_id=site_id, ref=str(mollie_id), why="a webhook", now=parts.clock.now())
    return range(first, first + count)


def _handled(parts: Parts, ids: Sequence[int]) -> int:
    with parts.database.read() as tx:
        query = select(func.count(Inbox.id)).where(Inbox.id.between(ids[0], ids[-1]))
        return tx.scalar(query.where(Inbox.done_at.is_not(None))) or 0


@contextmanager
def _at_work(machine: Machine, contender: Contender) -> Iterator[None]:
    if not contender.queue:
        machine.start(*["worker"] * contender.processes)
        yield
        machine.stop("worker")
        return
    with ExitStack() as ends:
        process = _start(machine, contender.queue, "work")
        ends.callback(process.wait, 30)
        ends.callback(process.terminate)
        yield


def _start(machine: Machine, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.bench.plain_tasks", *words], cwd=ROOT,
        env={**machine.stack.environment, "PYTHONPATH": str(_OTHERS)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _command(machine: Machine, *words: str) -> None:
    assert _start(machine, *words).wait(120) == 0, " ".join(words)


def _install() -> None:
    """Put celery and dramatiq where only this benchmark looks, once."""
    if not _OTHERS.exists():
        half = _OTHERS.with_name(f"queues.{os.getpid()}")
        installer = Path(sys.executable).with_name("uv")
        subprocess.run([installer, "pip", "install", "--quiet", "--target", half, *_PINNED], check=True)
        half.rename(_OTHERS)


if __name__ == "__main__":
    say("webhooks that wait, drained")
    print_table(run(1, None))
