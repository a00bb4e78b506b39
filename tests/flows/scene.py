"""A stage frozen after a story's beginning, so that its disturbed part can be told many times."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from linkpay.clock import ManualClock
from linkpay.sandbox.inprocess import mounted
from linkpay.sandbox.records import from_text, to_text
from tests.flows.crash import Boundaries, FragileDatabase
from tests.flows.stage import Stage
from tests.store_fixtures import Databases


@dataclass(frozen=True)
class Scene:
    """Both sets of books and the moment, ready to go on from there any number of times."""

    databases: Databases
    url: str
    stage: Stage
    records: tuple[tuple[str, str], ...]

    @contextmanager
    def played(self) -> Iterator[Stage]:
        """A stage of its own that stands where the scene was frozen."""
        url, boundaries = self.databases.copied(self.url), Boundaries()
        database = FragileDatabase(url, boundaries)
        stage = Stage(
            database, clock=ManualClock(self.stage.clock.now()), boundaries=boundaries,
            site_id=self.stage.site_id, offer_id=self.stage.offer_id, kajabi=self.stage.kajabi,
        )  # fmt: skip
        books = stage.sandbox.world.books
        tables = books.tables()
        for kind, text in self.records:
            tables[kind].load(from_text(tables[kind].kind, text))
        for timer in books.timers:
            books.push(timer)
        stage.sandbox.world.courier.resume()
        try:
            with mounted(stage.sandbox):
                yield stage
        finally:
            database.dispose()
            self.databases.drop(url)


@contextmanager
def frozen(databases: Databases, begin: Callable[[Stage], None]) -> Iterator[Scene]:
    """The scene as `begin` leaves it."""
    url, boundaries = databases.migrated(), Boundaries()
    database = FragileDatabase(url, boundaries)
    stage = Stage(database, boundaries=boundaries)
    with mounted(stage.sandbox):
        stage.set_up()
        begin(stage)
        stage.work()
    database.dispose()
    records = tuple(
        (name, to_text(row)) for name, table in stage.sandbox.world.books.tables().items() for row in table
    )
    try:
        yield Scene(databases, url, stage, records)
    finally:
        databases.drop(url)
