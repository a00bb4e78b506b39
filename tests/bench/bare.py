"""The least that a webhook route can be, under the server that serves LinkPay: what ingest is held against.

`bare` answers 200. `committed` makes one row of the same body in one durable commit with the bare driver,
one connection per thread, on the database that ``BENCH_DATABASE`` names.
"""

import os
import sqlite3
import threading
from collections.abc import Callable

import psycopg
from flask import Flask, Response, request

_INSERT = "INSERT INTO row (ref, body, created_at) VALUES ({0}, {0}, {0})"
_AT = "2026-01-01T00:00:00Z"
_held = threading.local()


def _sqlite_row(path: str) -> Callable[[str, bytes], None]:
    def keep(ref: str, body: bytes) -> None:
        if not hasattr(_held, "database"):
            _held.database = sqlite3.connect(path, isolation_level=None, timeout=4.0)
            _held.database.execute("PRAGMA journal_mode = WAL")
            _held.database.execute("PRAGMA synchronous = FULL")
        _held.database.execute(_INSERT.format("?"), (ref, body, _AT))

    return keep


def _postgres_row(url: str) -> Callable[[str, bytes], None]:
    def keep(ref: str, body: bytes) -> None:
        if not hasattr(_held, "database"):
            _held.database = psycopg.connect(url, autocommit=True)
        _held.database.execute(_INSERT.format("%s"), (ref, body, _AT))

    return keep


def prepare(url: str) -> None:
    """Make the table."""
    if url.startswith("postgresql"):
        with psycopg.connect(url, autocommit=True) as server:
            server.execute("CREATE TABLE row (id serial PRIMARY KEY, ref text, body bytea, created_at text)")
        return
    database = sqlite3.connect(url)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, ref TEXT, body BLOB, created_at TEXT)")
    database.close()


def _bare_app() -> Flask:
    app = Flask("bare")

    @app.post("/hook")
    def hook() -> Response:
        return Response(status=200)

    return app


def _committed_app() -> Flask:
    url = os.environ.get("BENCH_DATABASE", "")
    keep = _postgres_row(url) if url.startswith("postgresql") else _sqlite_row(url)
    app = Flask("committed")

    @app.post("/hook")
    def hook() -> Response:
        ref = request.form["id"]
        keep(ref, ref.encode())
        return Response(status=200)

    return app


bare = _bare_app()
committed = _committed_app()
