"""Connections to the two kinds of databases, as each needs them."""

import time
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import InvalidatePoolError

#: Begin a transaction on SQLite as its one writer, and within how many seconds, if not in the usual ones.
WRITING: Final = {"linkpay_begin": "BEGIN IMMEDIATE"}
WITHIN: Final = "linkpay_within"
#: A connection that was used so lately (seconds) is not asked whether it still lives: that is a way to the
#: server for each transaction, and a server that ended since then ends this one's first statement as well.
_LATELY = 1.0
_USED = "linkpay.used"
_OUTSIDER = 4.0  # seconds
#: An error names the statement and none of its values: those are names, letters and what opens doors.
_HIDE: Final = True
#: A server whose host went away without a word is given up after some 15 seconds, whether it is waited for
#: or written to; without these the system waits for a quarter of an hour, and a process stands still.
_GIVEN_UP = {
    "connect_timeout": 5, "tcp_user_timeout": 15_000,
    "keepalives": 1, "keepalives_idle": 5, "keepalives_interval": 3, "keepalives_count": 3,
}  # fmt: skip


def of_server(url: URL, pool_size: int) -> Engine:
    """Of PostgreSQL. Connections that died while nobody used them are replaced before anybody does."""
    engine = create_engine(
        url,
        hide_parameters=_HIDE,
        pool_size=pool_size,
        max_overflow=10,
        pool_timeout=5,
        connect_args={**_GIVEN_UP, "options": "-c lock_timeout=8000 -c timezone=UTC"},
    )

    @event.listens_for(engine, "checkin")
    def _note(_connection: Any, record: Any) -> None:
        record.info[_USED] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _look(connection: Any, record: Any, _fairy: Any) -> None:
        used = record.info.get(_USED)
        if used is not None and time.monotonic() - used > _LATELY and not _lives(engine, connection):
            raise InvalidatePoolError

    return engine


def _lives(engine: Engine, connection: Any) -> bool:
    try:
        return engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error:
        return False


def of_file(url: URL, pool_size: int, *, foreign_keys: bool) -> Engine:
    """Of SQLite. A transaction that says no other time waits 4 s for a writer outside of our own line."""
    engine = create_engine(
        url,
        hide_parameters=_HIDE,
        pool_size=pool_size,
        max_overflow=10,
        pool_timeout=5,
        connect_args={"timeout": _OUTSIDER, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # None hands BEGIN to us: the driver's own implicit begin is the one that loses updates.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", _waiting(_OUTSIDER)):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        within = options.get(WITHIN, _OUTSIDER)
        if within != _OUTSIDER:
            connection.exec_driver_sql(f"PRAGMA {_waiting(within)}")
        try:
            connection.exec_driver_sql(options.get("linkpay_begin", "BEGIN"))
        finally:
            if within != _OUTSIDER:
                connection.exec_driver_sql(f"PRAGMA {_waiting(_OUTSIDER)}")

    return engine


def _waiting(seconds: float) -> str:
    return f"busy_timeout={round(seconds * 1000)}"
