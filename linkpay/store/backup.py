"""Copies of the whole database, made while it is used, and put back so that nobody is charged twice."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL, select

from linkpay.errors import LinkPayError
from linkpay.store import recovery, schema
from linkpay.store.db import STORE_ERRORS, Database
from linkpay.store.tables import Site

_SQLITE, _POSTGRES = b"SQLite format 3\x00", b"PGDMP"
_PRIVATE = 0o600  # members' names and addresses are in it


class BackupFailed(LinkPayError):
    """It was not made, or not put back; the message says why and what to do.

    On SQLite what was there is unchanged; on PostgreSQL a restore that breaks off leaves it empty.
    """


def save(database: Database, file: Path) -> int:
    """Write one moment of the database to `file`, which must not exist; its size in bytes.

    Nobody has to stop working meanwhile. Raises BackupFailed.
    """
    part = file.with_name(f"{file.name}.part")
    with _whole_or_gone(part):
        if file.exists():
            raise BackupFailed(
                f"{file} exists already; a backup never replaces another. Choose another name."
            )
        if not file.parent.is_dir():
            raise BackupFailed(f"There is no folder {file.parent}.")
        _make_private(part)
        if database.is_sqlite:
            _copy_sqlite(database.url, part)
        else:
            _run(("pg_dump", "--format=custom", f"--file={part}"), database.url)
        part.replace(file)
        return file.stat().st_size


@contextmanager
def _whole_or_gone(part: Path) -> Iterator[None]:
    """Leave no `part` of a file behind. Raises BackupFailed where the disk does not take it."""
    try:
        yield
    except BaseException as error:
        with suppress(OSError):
            for suffix in ("", "-wal", "-shm", "-journal"):
                Path(f"{part}{suffix}").unlink(missing_ok=True)
        cause = getattr(error, "orig", None) or error
        if isinstance(cause, (OSError, sqlite3.Error)):
            why = getattr(cause, "strerror", None) or cause
            raise BackupFailed(f"{part.with_suffix('')} cannot be written ({why}).") from error
        raise


def _make_private(part: Path) -> None:
    """An empty file that nobody else may read, before anything is in it."""
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE))


def _copy_sqlite(url: URL, part: Path) -> None:
    with closing(sqlite3.connect(url.database or "")) as source:
        # One read transaction: writers go on, and what they write is not in it.
        source.execute("VACUUM INTO ?", (str(part),))
    _require_whole(part)


def _require_whole(file: Path) -> None:
    try:
        with closing(sqlite3.connect(file)) as copy:
            found = copy.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.DatabaseError as error:
        raise BackupFailed(f"{file} is no whole database: {error}") from error
    if found != ("ok",):
        raise BackupFailed(f"{file} is no whole database: {found[0]}")


def is_live(database: Database) -> bool:
    """Whether there is anything in this database that a restore would replace."""
    try:
        with database.read() as tx:
            return tx.scalar(select(Site.id).limit(1)) is not None
    except STORE_ERRORS:
        return False  # no such database, or none with our tables


def require_backup(database: Database, file: Path) -> None:
    """Raise BackupFailed unless `file` is a backup of this kind of database; asks no database."""
    kind = _kind_of(file)
    if kind != ("sqlite" if database.is_sqlite else "postgresql"):
        raise BackupFailed(f"{file} is a backup of {kind}, and DATABASE_URL names another kind of database.")


def restore(database: Database, file: Path, now: datetime, machine_now: datetime) -> datetime:
    """Put a backup in the place of the database, with today's schema; the last moment that it knows.

    Every process must have been stopped. The copy is marked before anybody sees it, so that Mollie's books
    are read before anything is charged. Raises BackupFailed.
    """
    require_backup(database, file)
    database.dispose()
    if database.is_sqlite:
        target = Path(database.url.database or "")
        part = target.with_name(f"{target.name}.restoring")
        with _whole_or_gone(part):
            return _restore_sqlite(database, file, part, now, machine_now)
    _run(("pg_restore", "--list", str(file)), database.url, named=False)  # readable at all?
    with database.write() as tx:
        # Tables of a newer schema would stay otherwise, and stand in the way of its migrations.
        tx.connection().exec_driver_sql("DROP SCHEMA public CASCADE")
        tx.connection().exec_driver_sql("CREATE SCHEMA public")
    _run(("pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", str(file)), database.url)
    return _mark(database, now, machine_now)


def _restore_sqlite(
    database: Database, file: Path, part: Path, now: datetime, machine_now: datetime
) -> datetime:
    target = Path(database.url.database or "")
    _forget_beside(part)  # a restore that was killed may have left its own
    _make_private(part)
    shutil.copyfile(file, part)
    _require_whole(part)
    copy = Database(database.url.set(database=str(part)).render_as_string(hide_password=False))
    try:
        made_at = _mark(copy, now, machine_now)
        with copy.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        copy.dispose()
    _forget_beside(target)
    part.replace(target)
    for left in target.parent.glob(f"{part.name}-*"):
        left.unlink()
    return made_at


def _forget_beside(file: Path) -> None:
    """Let go of what SQLite keeps beside a file: it would be taken for part of the one that comes there."""
    for suffix in ("-wal", "-shm", "-journal"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)


def _mark(database: Database, now: datetime, machine_now: datetime) -> datetime:
    schema.upgrade(database)
    with database.write() as tx:
        made_at = recovery.last_moment(tx) or now
        recovery.mark_restored(tx, made_at, now, machine_now)
        return made_at


def _kind_of(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            head = opened.read(16)
    except OSError as error:
        raise BackupFailed(f"{file} cannot be read ({error.strerror}).") from error
    if head == _SQLITE:
        return "sqlite"
    if head.startswith(_POSTGRES):
        return "postgresql"
    raise BackupFailed(f"{file} is no backup that LinkPay made.")


def _run(command: Sequence[str], url: URL, *, named: bool = True) -> None:
    """Run one of PostgreSQL's own programs. The password travels where `ps` does not show it."""
    place = {"PGHOST": url.host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password}
    known = {name: str(value) for name, value in place.items() if value is not None}
    program = shutil.which(command[0])
    if program is None:
        raise BackupFailed(
            f"{command[0]} is not installed. Install PostgreSQL's client programs of the server's version"
            " (Debian: postgresql-client)."
        )
    database = ("--dbname", url.database or "") if named else ()
    options = {name: str(value) for name, value in url.query.items()}
    known |= {"PGSSLMODE": options["sslmode"]} if "sslmode" in options else {}
    done = subprocess.run(  # noqa: S603 (a program of PostgreSQL, found on the path)
        (program, *database, *command[1:]), env={"PATH": os.defpath, **known}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        last = (done.stderr.strip() or "no word").splitlines()[-1]
        raise BackupFailed(f"{command[0]} did not do it: {last}")
