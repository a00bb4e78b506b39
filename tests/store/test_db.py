"""Transactions: all or nothing, one moment for a reader, and a ring only for what can be seen."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from linkpay.store import work
from linkpay.store.db import Database, insert_once, ring_after_commit
from linkpay.store.tables import Inbox, Outbox, Owner, Site
from linkpay.store.turnstile import LockTimeout
from tests import builders as make

NOW = make.NOW


class Listener:
    """Notes every ring, and what another connection could see of it at that moment."""

    def __init__(self, url: str) -> None:
        self.rings: list[tuple[list[int], ...]] = []
        self.seen: list[int] = []
        self._other = Database(url)

    def __call__(self, inbox: Any, outbox: Any, patient: Any = (), /) -> None:
        self.rings.append((list(inbox), list(outbox), list(patient)))
        # Writing here would never come to an end if the ring came inside the writers' lock.
        with self._other.write() as tx:
            self.seen += tx.scalars(select(Inbox.id).where(Inbox.id.in_(inbox)))
            self.seen += tx.scalars(select(Outbox.id).where(Outbox.id.in_([*outbox, *patient])))


@pytest.fixture
def listener(database: Database, database_url: str) -> Listener:
    database.ring = Listener(database_url)
    return database.ring


def owe(database: Database, *, seconds: float, fail: bool = False) -> None:
    with database.write() as tx:
        work.add(
            tx, site_id=make.make_site(tx).id, kind="apply_grant", ref=f"{seconds}", target_id=1, now=NOW,
            run_at=NOW + timedelta(seconds=seconds),
        )  # fmt: skip
        if fail:
            raise ConnectionError("the plug is pulled")


def test_a_ring_comes_after_the_commit_and_outside_the_lock(database: Database, listener: Listener) -> None:
    owe(database, seconds=0)
    assert listener.rings == [([], [1], [])]
    assert listener.seen == [1]


def test_nobody_rings_for_what_was_rolled_back(database: Database, listener: Listener) -> None:
    with pytest.raises(ConnectionError):
        owe(database, seconds=0, fail=True)
    assert listener.rings == []


def test_nobody_rings_for_what_is_not_due(database: Database, listener: Listener) -> None:
    owe(database, seconds=1)
    assert listener.rings == []


def test_nobody_rings_twice_for_what_was_owed_before(database: Database, listener: Listener) -> None:
    owe(database, seconds=0)
    with database.write() as tx:
        work.add(tx, site_id=1, kind="apply_grant", ref="0", target_id=1, now=NOW, run_at=NOW)
    assert len(listener.rings) == 1


def test_work_brought_forward_rings(database: Database, listener: Listener) -> None:
    owe(database, seconds=60)
    with database.write() as tx:
        work.bring_forward(tx, "apply_grant", "60", NOW)
    assert listener.rings == [([], [1], [])]


def test_all_rows_of_one_commit_ring_together_and_what_can_wait_for_itself(
    database: Database, listener: Listener
) -> None:
    with database.write() as tx:
        site = make.make_site(tx)
        for can_wait in (True, True, False):
            ring_after_commit(tx, inbox_id=make.make_inbox(tx, site).id)
            ring_after_commit(tx, outbox_id=make.make_outbox(tx, site).id, can_wait=can_wait)
    assert listener.rings == [([1, 2, 3], [3], [1, 2])]
    assert sorted(listener.seen) == [1, 1, 2, 2, 3, 3]


def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    with pytest.raises(ConnectionError):
        owe(database, seconds=0, fail=True)
    with database.read() as tx:
        assert tx.scalar(select(func.count(Site.id))) == 0


def test_a_reader_sees_one_moment_while_others_write(database: Database) -> None:
    with database.write() as tx:
        make.make_site(tx)
    count = select(func.count(Site.id))
    with database.read() as reader:
        assert reader.scalar(count) == 1
        with database.write() as tx:
            make.make_site(tx)
        assert reader.scalar(count) == 1
    with database.read() as reader:
        assert reader.scalar(count) == 2


def test_what_a_reader_writes_never_lasts(database: Database) -> None:
    def write_in_a_read() -> None:
        with database.read() as tx:
            make.make_site(tx)

    if database.is_sqlite:
        write_in_a_read()
    else:
        with pytest.raises(SQLAlchemyError, match="read-only"):
            write_in_a_read()
    with database.read() as tx:
        assert tx.scalar(select(func.count(Site.id))) == 0
    with database.write() as tx:
        make.make_site(tx)
    with database.read() as tx:
        assert tx.scalar(select(func.count(Site.id))) == 1


def test_what_was_read_stays_readable_afterwards(database: Database) -> None:
    with database.write() as tx:
        make.make_site(tx, name="Calm")
    with database.read() as tx:
        site = tx.scalars(select(Site)).one()
    assert site.name == "Calm"


def test_inserting_once_says_whether_it_did(database: Database) -> None:
    values: dict[str, Any] = {"email": "owner@example.com", "created_at": NOW}
    with database.write() as tx:
        assert insert_once(tx, Owner, **values) == 1
        assert insert_once(tx, Owner, **values) is None
        make.make_site(tx)
    with database.read() as tx:
        assert tx.scalar(select(func.count(Owner.id))) == 1


def test_inserting_once_hides_no_other_trouble(database: Database) -> None:
    with pytest.raises(SQLAlchemyError), database.write() as tx:
        insert_once(tx, Owner, email=None, created_at=NOW)
    with pytest.raises(SQLAlchemyError, match="time zone"), database.write() as tx:
        insert_once(tx, Owner, email="owner@example.com", created_at=NOW.replace(tzinfo=None))


def test_instants_come_back_in_utc_to_the_microsecond(database: Database) -> None:
    instant = NOW + timedelta(microseconds=123_457)
    with database.write() as tx:
        make.make_site(tx, halted_at=instant.astimezone(make.AMSTERDAM))
    with database.read() as tx:
        site = tx.scalars(select(Site)).one()
        assert site.halted_at == instant
        assert site.halted_at is not None
        assert site.halted_at.utcoffset() == timedelta(0)


def test_a_writer_on_sqlite_holds_the_pen_before_it_reads(database: Database) -> None:
    """What is read in a writing transaction is then still true when it writes."""
    if not database.is_sqlite:
        return  # PostgreSQL locks rows where they are read to be changed: test_concurrency
    with database.write(), closing(sqlite3.connect(database.url.database or "", timeout=0)) as other:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        assert other.execute("SELECT count(*) FROM site").fetchone() == (0,)


def test_sqlite_is_opened_as_measured(database_url: str) -> None:
    database = Database(database_url)
    if not database.is_sqlite:
        assert database.url.get_backend_name() == "postgresql"
        return
    with database.read() as tx:
        pragmas = {
            name: tx.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 4000}


def test_a_write_within_a_write_is_told_in_time_and_harms_nothing(database_url: str) -> None:
    impatient = Database(database_url, lock_timeout=0.05)

    def inner() -> None:
        with impatient.write() as tx:
            make.make_site(tx, slug="inner")

    with impatient.write() as outer:
        make.make_site(outer, slug="outer")
        if impatient.is_sqlite:
            with pytest.raises(LockTimeout):
                inner()
        else:
            inner()
    with impatient.write() as tx:
        assert "outer" in set(tx.scalars(select(Site.slug)))
    impatient.dispose()
