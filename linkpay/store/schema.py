"""The schema's version: bring a database to it, or say how far it is behind."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from linkpay.store.db import Database

_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(database: Database, revision: str = "head") -> None:
    """Apply all missing migrations; safe to run again, and by several machines at once."""
    _run(database, "upgrade", revision)


def downgrade(database: Database, revision: str) -> None:
    """Undo migrations down to `revision` (``base`` for all)."""
    _run(database, "downgrade", revision)


def missing(database: Database) -> list[str]:
    """Migrations the database has not had yet, oldest first; empty when it is up to date."""
    with database.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_heads()
    script = ScriptDirectory.from_config(_config())
    known = [step.revision for step in script.walk_revisions()]
    done: set[str] = set()
    for head in current:
        done |= {step.revision for step in script.iterate_revisions(head, "base")}
    return [revision for revision in reversed(known) if revision not in done]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def _run(database: Database, direction: str, revision: str) -> None:
    config = _config()
    with database.write() as tx:
        connection = tx.connection()
        if not database.is_sqlite:
            # Two machines that deploy at once take turns; the second finds nothing to do.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7215001)")
        config.attributes["connection"] = connection
        getattr(command, direction)(config, revision)
