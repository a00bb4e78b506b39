"""A migrated database for each test that asks for one: copied from a template, removed afterwards."""

import itertools
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest
from sqlalchemy import Connection, NullPool, create_engine, delete, func, make_url, select, table

from linkpay.store import schema
from linkpay.store.db import Database
from tests.engines import made_quick

T = TypeVar("T")


class Databases(Protocol):
    """Makes databases below one base address."""

    def migrated(self) -> str:
        """The address of a fresh copy of the template."""

    def copied(self, url: str, onto: str | None = None) -> str:
        """The address of a copy of the database at `url`: a new one, or `onto`, which is replaced.

        Nobody may be connected to either.
        """

    def empty(self) -> str:
        """The address of a fresh database without a single table."""

    def drop(self, url: str) -> None:
        """Remove it, even while somebody is still connected."""


def _migrate(url: str) -> None:
    database = Database(url)
    schema.upgrade(database)
    # The last connection to a SQLite file folds its write-ahead log into the file, which can be copied then.
    database.dispose()


class SqliteDatabases:
    """One file per database."""

    def __init__(self, base_url: str) -> None:
        self._base = base_url
        self._folder = Path(make_url(base_url).database or "")
        self._numbers = itertools.count(1)
        _migrate(f"{base_url}template.db")

    def migrated(self) -> str:
        return self.copied(f"{self._base}template.db")

    def copied(self, url: str, onto: str | None = None) -> str:
        copy = onto or self.empty()
        self.drop(copy)
        shutil.copyfile(make_url(url).database or "", make_url(copy).database or "")
        return copy

    def empty(self) -> str:
        return f"{self._base}{next(self._numbers)}.db"

    def drop(self, url: str) -> None:
        name = Path(make_url(url).database or "").name
        for leftover in self._folder.glob(f"{name}*"):
            leftover.unlink()


class ServerDatabases:
    """One database per test on a PostgreSQL server; names never meet between processes or runs.

    Making a database costs a server half a second, so one that still is as it was migrated is emptied and
    lent again.
    """

    def __init__(self, base_url: str, worker: str) -> None:
        self._base = make_url(base_url)
        self._admin = create_engine(self._base, isolation_level="AUTOCOMMIT")
        self._prefix = f"test_{worker}_{uuid.uuid4().hex[:8]}"
        self._numbers = itertools.count(1)
        self._template = self.empty()
        _migrate(self._template)
        self._shape = self._alone_in(self._template, _shape)
        self._migrated: set[str] = set()
        self._spare: list[str] = []

    def migrated(self) -> str:
        url = self._spare.pop() if self._spare else self.copied(self._template)
        self._migrated.add(url)
        return url

    def copied(self, url: str, onto: str | None = None) -> str:
        if onto is None:
            return self._create(f'TEMPLATE "{make_url(url).database}"')
        assert {onto, url} <= self._migrated, "both were lent, and have the same tables"
        self._alone_in(onto, _wipe)
        with self._connected(url) as source, self._connected(onto) as target:
            _fill(source, target)
        return onto

    def empty(self) -> str:
        return self._create("TEMPLATE template0")

    def _create(self, how: str) -> str:
        name = f"{self._prefix}_{next(self._numbers)}"
        self._run(f'CREATE DATABASE "{name}" {how}')
        return self._base.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        if url in self._migrated and self._alone_in(url, self._is_made_new):
            self._spare.append(url)
        else:
            self._remove(url)
        self._migrated.discard(url)

    def _is_made_new(self, connection: Connection) -> bool:
        """Empty it, if it still has the shape of the template."""
        if _shape(connection) != self._shape:
            return False
        _wipe(connection)
        return True

    def _remove(self, url: str) -> None:
        self._run(f'DROP DATABASE "{make_url(url).database}" WITH (FORCE)')

    def close(self) -> None:
        """Remove the template and what was not lent again, and let go of the server."""
        for url in (self._template, *self._spare):
            self._remove(url)
        self._admin.dispose()

    def _run(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.exec_driver_sql(statement)

    def _alone_in(self, url: str, do: Callable[[Connection], T]) -> T:
        """Do something in a database that nobody else is connected to any more."""
        with self._connected(url) as connection:
            connection.exec_driver_sql(_ALONE)
            return do(connection)

    @contextmanager
    def _connected(self, url: str) -> Iterator[Connection]:
        engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            yield connection


_ALONE = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
_COLUMNS = """SELECT c.relname, c.relkind, a.attname, a.atttypid, a.attnotnull
    FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = 'public'::regnamespace ORDER BY c.relname, a.attnum"""
_RULES = """SELECT conname, contype FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"""
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
_NUMBERS = "SELECT sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL"
_FROM_ONE = """SELECT setval(format('%%I', sequencename)::regclass, 1, false)
    FROM pg_sequences WHERE last_value IS NOT NULL"""


def _shape(connection: Connection) -> list[Any]:
    """All tables, indexes, columns, constraints and triggers, and the version of the schema."""
    version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").all()
    return [*version, *connection.exec_driver_sql(_COLUMNS), *connection.exec_driver_sql(_RULES)]


def _wipe(connection: Connection) -> None:
    """Empty every table past its triggers, and number from one again."""
    emptied = "; ".join(str(delete(table(name))) for name in _tables(connection))
    connection.exec_driver_sql(f"SET session_replication_role = replica; {emptied}")
    connection.exec_driver_sql(_FROM_ONE)


def _fill(source: Connection, target: Connection) -> None:
    """Every row and number of one into the other, which is empty."""
    target.exec_driver_sql("SET session_replication_role = replica")
    for name in _tables(source):
        read, write = source.connection.cursor(), target.connection.cursor()
        with read.copy(f'COPY "{name}" TO STDOUT') as rows, write.copy(f'COPY "{name}" FROM STDIN') as into:
            for row in rows:
                into.write(row)
    for name, number in source.exec_driver_sql(_NUMBERS).all():
        target.execute(select(func.setval(name, number)))


def _tables(connection: Connection) -> Sequence[str]:
    return connection.exec_driver_sql(_TABLES).scalars().all()


@pytest.fixture(scope="session")
def databases(database_base_url: str, request: pytest.FixtureRequest) -> Iterator[Databases]:
    """Where this process makes its databases."""
    if database_base_url.startswith("sqlite"):
        yield SqliteDatabases(database_base_url)
        return
    server = ServerDatabases(
        database_base_url, getattr(request.config, "workerinput", {}).get("workerid", "main")
    )
    yield server
    server.close()


@contextmanager
def _lent(databases: Databases, url: str) -> Iterator[str]:
    try:
        yield url
    finally:
        databases.drop(url)


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """The address of this test's own database with the whole schema, for a second connection to it."""
    with _lent(databases, databases.migrated()) as url:
        yield url


@pytest.fixture
def empty_database_url(databases: Databases) -> Iterator[str]:
    """The address of this test's own database without tables."""
    with _lent(databases, databases.empty()) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """This test's own database with the whole schema, at `database_url`."""
    database = made_quick(Database(database_url))
    yield database
    database.dispose()
