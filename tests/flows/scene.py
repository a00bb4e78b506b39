"""A stage frozen after a story's beginning, so that its disturbed part can be told many times."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from linkpay.sandbox.inprocess import mounted
from linkpay.sandbox.records import from_text, to_text
from tests.flows.crash import Boundaries, FragileDatabase
from tests.flows.stage import Stage
from tests.store_fixtures import Databases


@dataclass(frozen=True)
class Scene:
    """Both sets of books and the moment, to go on from any number of times.

    All plays use one engine, one after the other: it remembers the statements it has compiled, which is
    half the time of a play.
    """

    databases: Databases
    url: str
    database: FragileDatabase
    boundaries: Boundaries
    beginning: Stage
    made: type[Stage]
    records: tuple[tuple[str, str], ...]

    @contextmanager
    def played(self) -> Iterator[Stage]:
        """A stage that stands where the scene was frozen."""
        self.database.dispose()
        self.databases.copied(self.url, onto=self.database.url.render_as_string(hide_password=False))
        self.boundaries.arm(0)
        stage = self.made(self.database, self.boundaries, self.beginning.clock.now())
        stage.shop = self.beginning.shop
        self._reopen_books(stage)
        with mounted(stage.sandbox):
            yield stage

    def _reopen_books(self, stage: Stage) -> None:
        world = stage.sandbox.world
        tables = world.books.tables()
        for kind, text in self.records:
            tables[kind].load(from_text(tables[kind].kind, text))
        for timer in world.books.timers:
            world.books.push(timer)
        world.courier.resume()


@contextmanager
def frozen(
    databases: Databases,
    begin: Callable[[Stage], None],
    boundaries: Boundaries | None = None,
    made: type[Stage] = Stage,
) -> Iterator[Scene]:
    """The scene as `begin` leaves it; `boundaries` are those that its plays cross, on a stage as `made`."""
    boundaries = boundaries or Boundaries()
    url, copy = databases.migrated(), databases.migrated()
    database = FragileDatabase(url, Boundaries())
    stage = Stage(database, Boundaries())
    with mounted(stage.sandbox):
        stage.set_up()
        begin(stage)
    database.dispose()
    tables = stage.sandbox.world.books.tables()
    records = tuple((name, to_text(row)) for name, table in tables.items() for row in table)
    player = FragileDatabase(copy, boundaries)
    try:
        yield Scene(databases, url, player, boundaries, stage, made, records)
    finally:
        player.dispose()
        databases.drop(copy)
        databases.drop(url)
