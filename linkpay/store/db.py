"""Transactions; the one door to the database.

SQLite is the embedded default, PostgreSQL the production choice. On SQLite every writing
transaction is `BEGIN IMMEDIATE` behind a fair lock: with the driver's default, 916 of 1,200
concurrent updates were lost without an error, and without the fair lock one of two busy writers
made 1 commit in 5 seconds while the other made 24,980.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, Protocol, cast

from sqlalchemy import URL, Executable, Result, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, make_transient_to_detached, sessionmaker

from linkpay.store import engines
from linkpay.store.remembering import TOLD, Row, hold, only_reads_on, row_written, watch
from linkpay.store.tables.base import Base
from linkpay.store.turnstile import LockTimeout, Turnstile

#: A unit of work. Services take one, never make one, and never commit.
Tx = Session

#: How rows are held for a change: rows that point at them may be written meanwhile. A plain `FOR UPDATE`
#: would make who holds a member wait, with a mail to her, for who holds her subscription and wants her.
FOR_CHANGE: Final[dict[str, Any]] = {"key_share": True}

#: What a database that is away, full or locked raises; the edge answers 503, jobs try later.
DATABASE_ERRORS = (DBAPIError, PoolTimeout, LockTimeout)

#: Any error of the store, for loops that must go on.
STORE_ERRORS = (SQLAlchemyError, LockTimeout)


class Ring(Protocol):
    """Told the ids of the rows that a commit made due: messages, work, and work that can wait."""

    def __call__(
        self, inbox_ids: Sequence[int], outbox_ids: Sequence[int], patient_ids: Sequence[int] = (), /
    ) -> None:
        """Never raises and never waits."""


#: So long (seconds) somebody waits at most for her turn who has to be answered within a second, and as long
#: again for a writer who stands in no line of ours.
BRIEFLY: Final = 0.35

_ONE_MOMENT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
_BY_ITSELF = {"isolation_level": "AUTOCOMMIT"}


def _nobody_listens(_inbox: Sequence[int], _outbox: Sequence[int], _patient: Sequence[int] = (), /) -> None:
    """The sweep finds the rows all the same."""


def ring_after_commit(
    tx: Tx, *, inbox_id: int | None = None, outbox_id: int | None = None, can_wait: bool = False
) -> None:
    """Wake a worker for this row as soon as the transaction is committed, or when it has nothing else."""
    if inbox_id is not None:
        tx.info.setdefault("inbox", []).append(inbox_id)
    if outbox_id is not None:
        tx.info.setdefault("patient" if can_wait else "outbox", []).append(outbox_id)


def core(table: type[Base]) -> Table:
    """The table itself. Statements on it skip the ORM, whose UPDATE costs ten times as much."""
    return cast("Table", table.__table__)


def carry_out(tx: Tx, table: type[Base], statement: Executable, values: Mapping[str, Any]) -> Result[Any]:
    """Carry out a statement that makes or changes a row of `table`; the caller tells of that (`row_written`).

    Only what that row refers to, or may be refused for, is written before it. The rest waits until somebody
    asks or the end comes: then many rows are written with one statement.
    """
    news = any(isinstance(row, (table, *_referred(table))) for row in tx.new)
    if news or any(isinstance(row, table) for row in (*tx.dirty, *tx.deleted)):
        tx.flush()
    with tx.no_autoflush:
        return tx.execute(statement, values, execution_options=TOLD)


@cache
def _referred(table: type[Base]) -> tuple[type[Base], ...]:
    targets = {key.column.table for key in core(table).foreign_keys}
    return tuple(mapper.class_ for mapper in Base.registry.mappers if mapper.local_table in targets)


def insert_once(tx: Tx, table: type[Base], **values: Any) -> int | None:
    """Insert unless a unique rule already holds such a row; the new id, or None."""
    made = carry_out(tx, table, _insertion(table, tx.get_bind().dialect.name), values)
    row_written(tx, table, values)
    return cast("int | None", made.scalar())


def insert_row_once(tx: Tx, table: type[Row], **values: Any) -> Row | None:
    """The same, and the new row. What is not given is as its column says, else None."""
    given = {name: default() for name, default in _defaults(table)} | values
    row_id = insert_once(tx, table, **given)
    if row_id is None:
        return None
    row = table(**dict.fromkeys(_names(table)) | given | {"id": row_id})
    make_transient_to_detached(row)  # it need not be read: this is what was written
    tx.add(row)
    hold(tx, [row])
    return row


@cache
def _names(table: type[Base]) -> tuple[str, ...]:
    return tuple(column.key for column in table.__mapper__.column_attrs)


@cache
def _defaults(table: type[Base]) -> list[tuple[str, Callable[[], Any]]]:
    columns = [(name, core(table).c[name].default) for name in _names(table)]
    return [(name, partial(_default, default)) for name, default in columns if default is not None]


def _default(default: Any) -> Any:
    return default.arg(None) if default.is_callable else default.arg


@cache
def _insertion(table: type[Base], dialect: str) -> Executable:
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert(core(table)).on_conflict_do_nothing().returning(core(table).c.id)


class Database:
    """One engine and its two kinds of transactions. Safe to share between threads."""

    def __init__(
        self,
        url: str | URL,
        *,
        ring: Ring = _nobody_listens,
        pool_size: int = 20,
        lock_timeout: float = 4.0,
        foreign_keys: bool = True,
    ) -> None:
        """`lock_timeout` (seconds) is how long a writer waits for others on SQLite. Only migrations go
        without `foreign_keys` there: SQLite changes a table by building it anew and dropping the old one.
        """
        self.ring = ring
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = (
            engines.of_file(self.url, pool_size, foreign_keys=foreign_keys)
            if self.is_sqlite
            else engines.of_server(self.url, pool_size)
        )
        self._lock_timeout = lock_timeout
        self._turnstile = _turnstile(self.url.database) if self.is_sqlite else None
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        watch(self._sessions)

    def _turn(self, patience: float) -> AbstractContextManager[None]:
        return self._turnstile.passing(patience) if self._turnstile else nullcontext()

    @contextmanager
    def write(self, *, brief: bool = False) -> Iterator[Tx]:
        """A transaction that may write: committed at the end, rolled back on any error.

        A `brief` one makes a single statement, which a server commits by itself, and waits for SQLite no
        longer than `BRIEFLY`. Raises one of DATABASE_ERRORS when the database cannot be had in time.
        """
        with self._turn(BRIEFLY if brief else self._lock_timeout), self._sessions() as session:
            if self.is_sqlite:
                within = {engines.WITHIN: BRIEFLY} if brief else {}
                session.connection(execution_options={**engines.WRITING, **within})
            elif brief:
                session.connection(execution_options=_BY_ITSELF)
            yield session
            session.commit()
            rung = session.info
        # Outside the lock and after the commit: a ring for a row nobody can see yet is lost.
        rows = [rung.get(name, []) for name in ("inbox", "outbox", "patient")]
        if any(rows):
            self.ring(*rows)

    @contextmanager
    def rehearse(self) -> Iterator[Tx]:
        """A transaction that may write and is always taken back, to see what would come of something.

        What was changed in it is never seen outside, and nobody is rung.
        """
        with self._turn(self._lock_timeout), self._sessions() as session:
            if self.is_sqlite:
                session.connection(execution_options=engines.WRITING)
            yield session
            session.flush()
            session.expunge_all()  # what was read stays readable
            session.rollback()

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A consistent view that is never written back."""
        with self._sessions() as session:
            if not self.is_sqlite:
                # SQLite shows one moment by itself; PostgreSQL shows each statement its own unless asked.
                session.connection(execution_options=_ONE_MOMENT)
            only_reads_on(session)
            yield session
            # What was read stays readable: a rollback would expire it.
            session.expunge_all()

    def dispose(self) -> None:
        """Close pooled connections."""
        self.engine.dispose()


def _turnstile(path: str | None) -> Turnstile | None:
    return Turnstile(Path(path)) if path and path != ":memory:" else None
