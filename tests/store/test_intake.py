"""Taking messages in: durable before the answer, many in one commit, none taken along by another."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import TimeoutError as PoolTimeout

from linkpay.store.db import DATABASE_ERRORS, Database, Tx
from linkpay.store.inbox import Message
from linkpay.store.intake import Intake
from linkpay.store.tables import Inbox
from tests import builders as make
from tests.waiting import eventually

MANY = 24


@pytest.fixture
def token(database: Database) -> str:
    with database.write() as tx:
        return make.make_site(tx).token


def message(token: str, ref: str) -> Message:
    return Message(token, "mollie", ref, "application/x-www-form-urlencoded", ref.encode(), make.NOW)


def kept(database: Database) -> list[str]:
    with database.read() as tx:
        return sorted(tx.scalars(select(Inbox.ref)))


class Watched:
    """The database, with its writing transactions counted and, while `shut`, held at the door."""

    def __init__(self, database: Database) -> None:
        self._database, self.commits, self.open = database, 0, threading.Event()
        self.open.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @contextmanager
    def write(self, *, brief: bool = False) -> Iterator[Tx]:
        self.open.wait(10)
        with self._database.write(brief=brief) as tx:
            yield tx
        self.commits += 1


def test_what_waits_together_is_committed_together(database: Database, token: str) -> None:
    watched = Watched(database)
    intake = Intake(watched)  # type: ignore[arg-type]
    watched.open.clear()
    with ThreadPoolExecutor(MANY) as pool:
        coming: list[Future[bool]] = [
            pool.submit(intake.keep, message(token, f"tr_{number:02}")) for number in range(MANY)
        ]
        eventually(lambda: len(intake._messages._waiting) == MANY - 1)
        watched.open.set()
        assert [one.result() for one in coming] == [True] * MANY
    assert watched.commits == 1
    assert kept(database) == [f"tr_{number:02}" for number in range(MANY)]


def test_each_is_told_of_its_own_token(database: Database, token: str) -> None:
    intake = Intake(database)
    with ThreadPoolExecutor(8) as pool:
        tokens = [token if number % 2 else "nobody" for number in range(40)]
        told = list(pool.map(lambda one: intake.keep(message(one, "tr_1")), tokens))
    assert told == [one == token for one in tokens]
    assert len(kept(database)) == 20


def test_a_message_that_the_database_refuses_takes_no_other_along(database: Database, token: str) -> None:
    watched = Watched(database)
    intake = Intake(watched)  # type: ignore[arg-type]
    watched.open.clear()
    good = [message(token, f"tr_{number}") for number in range(3)]
    bad = Message(token, "nowhere", "tr_bad", "", b"", make.NOW)
    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(intake.keep, good[0])
        eventually(lambda: intake._messages._is_led)
        refused = pool.submit(intake.keep, bad)
        others = [pool.submit(intake.keep, one) for one in good[1:]]
        eventually(lambda: len(intake._messages._waiting) == 3)
        watched.open.set()
        assert first.result()
        assert all(one.result() for one in others)
        with pytest.raises(DATABASE_ERRORS):
            refused.result()
    assert kept(database) == ["tr_0", "tr_1", "tr_2"]


def test_when_the_database_is_away_everybody_hears_it_and_later_ones_are_taken(
    database: Database, token: str
) -> None:
    intake = Intake(database)

    class Away:
        """A database that cannot be had."""

        def write(self, *, brief: bool) -> None:
            raise PoolTimeout("no connection", None, None)

    intake._database = Away()  # type: ignore[assignment]
    with ThreadPoolExecutor(6) as pool:
        coming = [pool.submit(intake.keep, message(token, "tr_1")) for _ in range(6)]
        for one in coming:
            with pytest.raises(DATABASE_ERRORS):
                one.result()
    intake._database = database
    assert intake.keep(message(token, "tr_2"))
    assert kept(database) == ["tr_2"]
