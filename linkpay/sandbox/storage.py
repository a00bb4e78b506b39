"""Keeps the books in one SQLite file, written a few milliseconds behind.

A kill loses at most what changed in the last `WRITE_EVERY` seconds; `close` loses nothing. The file
names its schema version: another version is refused by name, never guessed at.
"""

import sqlite3
import threading
from itertools import islice
from pathlib import Path

from linkpay.errors import SettingsError
from linkpay.sandbox.records import from_text, to_text
from linkpay.sandbox.state import Books

SCHEMA_VERSION = 2
WRITE_EVERY = 0.03
BATCH = 2_000

_SCHEMA = """
create table if not exists meta (name text primary key, value text not null) without rowid;
create table if not exists record (
  position integer primary key autoincrement, kind text not null, id text not null, body text not null,
  unique (kind, id)
);
"""
_UPSERT = (
    "insert into record (kind, id, body) values (?, ?, ?)"
    " on conflict (kind, id) do update set body = excluded.body"
)


class Storage:
    """The state file. One thread writes; `open` reads everything into the books."""

    def __init__(self, path: Path, books: Books) -> None:
        self.path = path
        self._books = books
        self._stop = threading.Event()
        self._writing = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._thread = threading.Thread(target=self._write_behind, name="sandbox-storage", daemon=True)

    def open(self) -> None:
        """Read the file into the books and begin to write. Raises SettingsError for a foreign file."""
        try:
            self._database.execute("pragma journal_mode = wal")
            self._database.execute("pragma synchronous = normal")
            self._database.executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            raise SettingsError(f"{self.path} is not a sandbox state file: {error}") from error
        self._check_version()
        self._load()
        self._thread.start()

    def _check_version(self) -> None:
        row = self._database.execute("select value from meta where name = 'schema_version'").fetchone()
        if row is None:
            self._database.execute("insert into meta values ('schema_version', ?)", (str(SCHEMA_VERSION),))
        elif row[0] != str(SCHEMA_VERSION):
            raise SettingsError(
                f"{self.path} was written by sandbox state version {row[0]}; this is version "
                f"{SCHEMA_VERSION}. Use the matching release, or start with another --state file."
            )

    def _load(self) -> None:
        tables = self._books.tables()
        for kind, body in self._database.execute("select kind, body from record order by position"):
            try:
                tables[kind].load(from_text(tables[kind].kind, body))
            except (KeyError, TypeError, ValueError) as error:
                raise SettingsError(f"{self.path} holds a {kind} that cannot be read: {error}") from error
        for timer in self._books.timers:
            self._books.push(timer)

    def _write_behind(self) -> None:
        while not self._stop.wait(WRITE_EVERY):
            self.flush()

    def flush(self) -> None:
        """Write all that changed, now."""
        with self._writing:
            while self._write_batch():
                pass

    def _write_batch(self) -> bool:
        books = self._books
        with books.lock:
            if not books.dirty and not books.cleared:
                return False
            cleared, books.cleared = books.cleared, False
            keys = list(islice(books.dirty, BATCH))
            taken = [(key, books.dirty.pop(key)) for key in keys]
            gone = [key for key, record in taken if record is None]
            kept = [(*key, to_text(record)) for key, record in taken if record is not None]
        self._database.execute("begin immediate")
        if cleared:
            self._database.execute("delete from record")
        self._database.executemany("delete from record where kind = ? and id = ?", gone)
        self._database.executemany(_UPSERT, kept)
        self._database.execute("commit")
        return True

    def close(self) -> None:
        """Write the rest and close the file."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self.flush()
        self._database.close()
