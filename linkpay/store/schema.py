"""The schema's version: bring a database to it, or say how far it is behind."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from linkpay.errors import LinkPayError
from linkpay.store.db import Database

#: How long a machine waits for another one that is migrating.
_TURN_SECONDS = 600
# Alembic tells its every step at INFO; whoever migrates says what was applied, and health checks nothing.
logging.getLogger("alembic").setLevel(logging.WARNING)

_MIGRATIONS = Path(__file__).parent / "migrations"


class SchemaBroken(LinkPayError):
    """A migration would leave the database in disorder."""


def upgrade(database: Database, revision: str = "head") -> None:
    """Apply all missing migrations; safe to run again, and by several machines at once."""
    _run(database, "upgrade", revision)


def downgrade(database: Database, revision: str) -> None:
    """Undo migrations down to `revision` (``base`` for all)."""
    _run(database, "downgrade", revision)


def missing(database: Database) -> list[str]:
    """Migrations the database has not had yet, oldest first; empty when it is up to date."""
    current: tuple[str, ...] = ()
    if not is_absent(database):
        with database.engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_heads()
    script = ScriptDirectory.from_config(_config())
    known = [step.revision for step in script.walk_revisions()]
    if any(head not in known for head in current):
        return []  # a newer version has migrated it already: while it takes over, this one goes on serving
    done: set[str] = set()
    for head in current:
        done |= {step.revision for step in script.iterate_revisions(head, "base")}
    return [revision for revision in reversed(known) if revision not in done]


def is_absent(database: Database) -> bool:
    """Whether there is no such file of SQLite; to look into it would make one, also at a mistyped place."""
    path = (database.url.database or "") if database.is_sqlite else ""
    if not path or path.startswith((":memory:", "file:")):
        return False
    return Path(path).parent.is_dir() and not Path(path).exists()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def _run(database: Database, direction: str, revision: str) -> None:
    config = _config()
    with migrating(database) as connection:
        config.attributes["connection"] = connection
        getattr(command, direction)(config, revision)


@contextmanager
def migrating(database: Database) -> Iterator[Connection]:
    """A transaction that may change the schema; machines that deploy at once take turns.

    Raises SchemaBroken when rows would be left pointing at nothing, and then changes nothing.
    """
    if not database.is_sqlite:
        with database.write() as tx:
            connection = tx.connection()
            # Waiting for another machine's migration is fine, holding up the product for a table is not.
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_TURN_SECONDS}s'")
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7215001)")
            connection.exec_driver_sql("SET LOCAL lock_timeout = '8s'")
            yield connection
        return
    alone = Database(database.url, lock_timeout=_TURN_SECONDS, foreign_keys=False)
    try:
        with alone.write() as tx:
            connection = tx.connection()
            yield connection
            loose = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if loose:
                raise SchemaBroken(f"{len(loose)} rows would point at nothing, the first in {loose[0][0]}")
    finally:
        alone.dispose()
