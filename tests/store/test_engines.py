"""Connections that died while nobody used them are replaced before somebody does; errors name nobody."""

import io
import logging
import os
import socket
import sys

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from linkpay.logs import JsonFormatter
from linkpay.store import engines
from linkpay.store.db import DATABASE_ERRORS, Database
from linkpay.store.tables import Customer

BACKEND = text("SELECT pg_backend_pid()")


def test_what_is_in_a_row_that_is_refused_stays_out_of_the_log(database: Database) -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonFormatter())
    nobody = Customer(site_id=1, email="anna@example.com", name="Anna de Vries\n\nand more", locale="nl")
    try:
        with database.write() as tx:
            tx.add(nobody)
    except IntegrityError:
        handler.handle(logging.makeLogRecord({"msg": "row failed", "exc_info": sys.exc_info()}))
    assert "idempotency_key" in out.getvalue(), "what was wrong is told"
    assert "Anna" not in out.getvalue()
    assert "and more" not in out.getvalue()


@pytest.fixture
def other(database: Database, database_url: str) -> Database:
    """A second hand on the same server, that can end the connections of the first."""
    if database.is_sqlite:
        pytest.skip("a file has no connections that die")
    return Database(database_url, pool_size=1)


def end_what_it_used(database: Database, other: Database) -> int:
    """The server ends the pooled connection of `database`, which hears nothing of it; its number."""
    with database.read() as tx:
        backend: int = tx.scalars(BACKEND).one()
    with other.write() as tx:
        assert tx.scalar(text("SELECT pg_terminate_backend(:backend, 5000)"), {"backend": backend})
    return backend


def test_a_connection_that_rested_is_asked_whether_it_lives(
    database: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_LATELY", 0.0)
    ended = end_what_it_used(database, other)
    with database.write() as tx:
        assert tx.scalars(BACKEND).one() != ended


def test_one_that_was_just_used_fails_once_at_most(
    database: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_LATELY", 60.0)
    ended = end_what_it_used(database, other)
    with pytest.raises(DATABASE_ERRORS), database.write() as tx:
        tx.scalars(BACKEND).one()
    with database.write() as tx:
        assert tx.scalars(BACKEND).one() != ended


def test_a_server_that_went_away_without_a_word_is_given_up_soon(database: Database) -> None:
    """Who answers nothing at all is the system's to find out, by what each connection tells it."""
    if database.is_sqlite:
        pytest.skip("a file does not go away")
    with database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        with socket.socket(fileno=os.dup(driver.pgconn.socket)) as wire:
            assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            idle, every, count = (
                wire.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            )
            assert idle + every * count <= 15
            assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 15_000


def test_what_is_one_statement_is_kept_without_a_commit_of_its_own(
    database: Database, other: Database
) -> None:
    with database.write(brief=True) as tx:
        tx.execute(text("CREATE TABLE apart (id integer)"))
        with other.read() as there:
            assert there.scalar(text("SELECT count(*) FROM apart")) == 0
