"""Where messages wait while somebody writes to SQLite for long: a small database of its own beside it.

Whoever posts is answered within a second all the same, and what was posted is on the disk as before. The
clock moves it on into the inbox; what it had moved when it was killed is moved once more, which is no more
than what Mollie does with every message.
"""

import logging
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError

from linkpay.store.db import Database
from linkpay.store.inbox import Message, receive
from linkpay.store.measures import Waiting

log = logging.getLogger(__name__)

#: Messages that are moved by one transaction, which others wait for.
_AT_ONCE = 500
_PRIVATE = 0o600  # a message may name a member
# No number is given twice: who moved messages and was late in forgetting them would forget others.
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL,"
    " source TEXT NOT NULL, ref TEXT NOT NULL, content_type TEXT NOT NULL, body BLOB NOT NULL,"
    " at TEXT NOT NULL)"
)
_KEEP = "INSERT INTO message (token, source, ref, content_type, body, at) VALUES (?, ?, ?, ?, ?, ?)"
_NEXT = "SELECT id, token, source, ref, content_type, body, at FROM message WHERE id > ? ORDER BY id LIMIT ?"
_WAITING = "SELECT source, count(*), min(at) FROM message GROUP BY source"


class Spool:
    """The messages that wait beside one database."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}-spool")

    def keep(self, messages: Sequence[Message]) -> None:
        """Returns once they are on the disk. Raises sqlite3.Error or OSError."""
        with self._opened() as spool, spool:
            spool.executemany(
                _KEEP,
                [(one.token, one.source, one.ref, one.content_type, one.body, one.at.isoformat())
                 for one in messages],
            )  # fmt: skip

    def move_on(self, database: Database) -> int:
        """Bring what waits into the inbox; how many messages. What it refuses stays, and holds up no other.

        Raises one of DATABASE_ERRORS while the database cannot be written to, sqlite3.Error or OSError.
        """
        moved, last = 0, 0
        if not self._path.exists():
            return moved
        with self._opened() as spool:
            while rows := spool.execute(_NEXT, (last, _AT_ONCE)).fetchall():
                taken = list(_brought_in(database, rows))
                with spool:
                    spool.executemany("DELETE FROM message WHERE id = ?", taken)
                moved, last = moved + len(taken), rows[-1][0]
        return moved

    def waiting(self) -> dict[str, Waiting]:
        """What waits here, by source. Raises sqlite3.Error or OSError."""
        if not self._path.exists():
            return {}
        with self._opened() as spool:
            return {
                source: Waiting(number, datetime.fromisoformat(at))
                for source, number, at in spool.execute(_WAITING)
            }

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, _PRIVATE))
        with closing(sqlite3.connect(self._path, timeout=0.3)) as spool:
            # Extra: of a commit nothing may be left to do for the disk, since an answer follows at once.
            for pragma in ("synchronous=EXTRA", "secure_delete=ON"):
                spool.execute(f"PRAGMA {pragma}")
            spool.execute(_SCHEMA)
            yield spool


def _brought_in(database: Database, rows: Sequence[Any]) -> Iterator[tuple[int]]:
    """Bring messages into the inbox at once, or each by itself where one is refused; ids of those in it."""
    try:
        with database.write() as tx:
            receive(tx, [_message(row) for row in rows])
    except (ValueError, DataError, IntegrityError):
        if len(rows) > 1:
            for row in rows:
                yield from _brought_in(database, [row])
        else:
            log.exception("a message that was set aside is refused", extra={"number": rows[0][0]})
    else:
        yield from ((row[0],) for row in rows)


def _message(row: Sequence[Any]) -> Message:
    _, token, source, ref, content_type, body, at = row
    return Message(token, source, ref, content_type, body, datetime.fromisoformat(at))


def beside(database: Database) -> Spool | None:
    """The spool of a database; None for a server, whose rows nobody locks for long."""
    path = database.url.database
    return Spool(Path(path)) if database.is_sqlite and path and path != ":memory:" else None
