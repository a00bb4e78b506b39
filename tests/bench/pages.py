"""The pages that owners and members wait for, of a site with many members: time, statements, weight.

In one process, without a network: what a page costs the server. Every page is asked for often enough to say
something of its slowest one in a hundred.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import event, select

from linkpay.app import create_app
from linkpay.bootstrap import settle_down
from linkpay.domain.calendar import local_day
from linkpay.domain.roles import Role
from linkpay.sandbox.inprocess import MOLLIE_HOST, mounted
from linkpay.services import numbers
from linkpay.store import schema, sites
from linkpay.store.db import Database
from linkpay.store.tables import Member, Offer, Subscription
from linkpay.web.edge import Edge
from tests.bench import town
from tests.bench.report import Figure
from tests.flows.crash import Boundaries
from tests.flows.stage import Stage
from tests.web.owner.conftest import Team
from tests.web.visitor import Visitor
from workers import jobs

_PART = "pages"
MEMBERS = int(os.environ.get("BENCH_MEMBERS", "20000"))
_TIMES = 200
_GOAL_MS, _GOAL_STATEMENTS, _GOAL_KIB = 50, 12, 100


def run(rounds: int, database_url: str | None) -> list[Figure]:
    """The figures of this part, on SQLite; `BENCH_MEMBERS` says how many members the site has."""
    del database_url
    figures = []
    with _site_with_members() as (stage, owner, reader):
        figures.append(Figure(_PART, "numbers, counted in the background", "ms", _count_numbers(stage)))
        counted = _Counter(stage.database)
        settle_down()
        for name, visitor, path in _pages(stage, owner, reader):
            seen = [_look(visitor, path, counted) for _ in range(max(_TIMES, 12 * rounds))]
            times = sorted(milliseconds for milliseconds, _, _ in seen[1:])
            p99, statements, weight = _p99(times), seen[-1][1], seen[-1][2] / 1024
            good = p99 < _GOAL_MS and statements <= _GOAL_STATEMENTS and weight < _GOAL_KIB
            figures += [
                Figure(_PART, f"{name}, p50 ({statements} statements, {weight:.0f} KiB)", "ms",
                       [times[len(times) // 2]]),
                Figure(_PART, f"{name}, p99", "ms", [p99], (), "",
                       f"below {_GOAL_MS} ms, {_GOAL_STATEMENTS} statements, {_GOAL_KIB} KiB", good),
            ]  # fmt: skip
        figures += _own_noise()
    return figures


def _p99(times: list[float]) -> float:
    return times[int(0.99 * len(times))]


def _own_noise() -> list[Figure]:
    """The same piece of arithmetic again and again: what this machine adds to a p99 by itself."""
    times = []
    for _ in range(400):
        started = time.perf_counter()
        sum(range(1_000_000))
        times.append(1000 * (time.perf_counter() - started))
    times.sort()
    return [
        Figure(_PART, "the machine alone, the same sum, p50", "ms", [times[len(times) // 2]]),
        Figure(_PART, "the machine alone, the same sum, p99", "ms", [_p99(times)]),
    ]


def _count_numbers(stage: Stage) -> list[float]:
    """Count and keep the numbers as the workers do for a large site; what each time took."""
    times = []
    for _ in range(5):
        started = time.perf_counter()
        with stage.database.write() as tx:
            numbers.have_counted(tx, stage.clock.now())
        (job,) = stage.jobs("count_numbers")
        jobs.run(stage.parts, "outbox", job.id)
        times.append(1000 * (time.perf_counter() - started))
    return times


class _Counter:
    """Statements that reached the database since it was last read."""

    def __init__(self, database: Database) -> None:
        self._seen = 0
        event.listen(database.engine, "before_cursor_execute", self._count)

    def _count(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        self._seen += not statement.startswith("BEGIN")

    def read(self) -> int:
        seen, self._seen = self._seen, 0
        return seen


def _look(visitor: Visitor, path: str, counted: _Counter) -> tuple[float, int, int]:
    counted.read()
    started = time.perf_counter()
    answer = visitor.client.get(path)
    took = 1000 * (time.perf_counter() - started)
    assert answer.status_code == 200, f"{path} answered {answer.status_code}"
    return took, counted.read(), len(answer.data)


def _pages(stage: Stage, owner: Visitor, reader: Visitor) -> Iterator[tuple[str, Visitor, str]]:
    with stage.database.read() as tx:
        site = sites.get(tx, stage.shop.site_id)
        member = tx.scalars(select(Member.id).order_by(Member.id.desc())).first()
        offer = tx.get_one(Offer, stage.shop.offer_id).slug
        email = tx.scalars(select(Member.email).order_by(Member.id.desc())).first() or ""
    desk = f"/owner/{site.slug}"
    yield "today", owner, f"{desk}/"
    yield "members", owner, f"{desk}/members"
    yield "members, found by address", owner, f"{desk}/members?q={email}"
    yield "members, found by a word of one", owner, f"{desk}/members?q={email.partition('@')[0]}"
    yield "members, found by words of all", owner, f"{desk}/members?q=anna+vries"
    yield "members, found by a part of a word", owner, f"{desk}/members?q=rie"
    yield "a member", owner, f"{desk}/members/{member}"
    yield "numbers", owner, f"{desk}/numbers"
    yield "offers", owner, f"{desk}/offers"
    yield "policies", owner, f"{desk}/policies"
    yield "log", owner, f"{desk}/log"
    yield "checkout", reader, f"/{site.slug}/buy/{offer}"
    yield "portal's door", reader, f"/{site.slug}/portal"


@contextmanager
def _site_with_members() -> Iterator[tuple[Stage, Visitor, Visitor]]:
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'pages.db'}")
        schema.upgrade(database)
        stage = Stage(database, Boundaries())
        with mounted(stage.sandbox):
            stage.set_up()
            stage.buy("anna@example.com")
            now = stage.clock.now()
            with database.read() as tx:
                site = sites.get(tx, stage.shop.site_id)
                plan = tx.scalars(select(Subscription.plan_id)).first()
                due_on = local_day(now, site.zone)
            assert plan is not None
            town.settle_in(database, plan, MEMBERS, due_on.replace(year=due_on.year + 1), now)
            app = create_app(stage.parts, Edge("a made-up key that signs nothing real", False, MOLLIE_HOST))
            team = Team(stage, lambda: Visitor(app.test_client()))
            yield stage, team.signed_in(Role.OWNER), Visitor(app.test_client())
        stage.sandbox.close()
        database.dispose()
