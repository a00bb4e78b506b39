"""While somebody writes to SQLite for long, messages are kept beside it, and none is lost on its way back."""

import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import select

from linkpay.store.db import DATABASE_ERRORS, Database, Tx
from linkpay.store.inbox import Message
from linkpay.store.intake import Intake, catch_up
from linkpay.store.spool import Spool, beside
from linkpay.store.tables import Inbox
from linkpay.store.turnstile import LockTimeout
from tests import builders as make
from tests.store.test_intake import Watched, kept, message
from tests.waiting import eventually


@pytest.fixture
def spool(database: Database) -> Spool:
    found = beside(database)
    if found is None:
        pytest.skip("nobody locks a server for long")
    return found


@pytest.fixture
def token(database: Database) -> str:
    with database.write() as tx:
        return make.make_site(tx).token


@contextmanager
def outsider_writes(database: Database) -> Iterator[None]:
    """Somebody who stands in no line of ours."""
    holder = sqlite3.connect(database.url.database or "", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    yield
    holder.close()


@pytest.mark.parametrize("is_outside", [False, True], ids=["of ours", "outside"])
def test_while_somebody_writes_messages_are_taken_and_come_in_afterwards(
    database: Database, spool: Spool, token: str, is_outside: bool
) -> None:
    intake = Intake(database)
    with outsider_writes(database) if is_outside else database.write(), ThreadPoolExecutor(8) as pool:
        tokens = [token, "nobody"] * 4
        told = list(pool.map(lambda one: intake.keep(message(one, "tr_1")), tokens))
        assert told == [True, False] * 4
        assert kept(database) == []
        with pytest.raises(DATABASE_ERRORS), database.write(brief=True):
            pass
    assert catch_up(database) == 4
    assert kept(database) == ["tr_1"] * 4
    assert catch_up(database) == 0


def test_who_comes_while_another_waits_is_answered_with_her(
    database: Database, spool: Spool, token: str
) -> None:
    intake, batches = Intake(database), list[int]()

    class Held(Watched):
        """A database for which somebody waits until eight others have come, and in vain."""

        def write(self, *, brief: bool = False) -> NoReturn:
            eventually(lambda: len(intake._messages._waiting) == 8)
            raise LockTimeout("busy")

    class Counted(Spool):
        """A spool that counts how many messages it is given at once."""

        def keep(self, messages: Sequence[Message]) -> None:
            batches.append(len(messages))
            super().keep(messages)

    intake._database, intake._spool = Held(database), Counted(Path(database.url.database or ""))  # type: ignore[assignment]
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(intake.keep, message(token, "tr_1"))
        eventually(lambda: intake._messages._is_led)
        others = [pool.submit(intake.keep, message(token, "tr_2")) for _ in range(8)]
        assert first.result()
        assert all(one.result() for one in others)
    assert batches == [9]


def test_a_message_comes_in_as_it_was_posted(database: Database, spool: Spool, token: str) -> None:
    posted = message(token, "tr_1")
    spool.keep([posted])
    assert catch_up(database) == 1
    with database.read() as tx:
        row = tx.scalars(select(Inbox)).one()
    assert (row.source, row.ref, row.content_type, row.body) == (
        posted.source, posted.ref, posted.content_type, posted.body
    )  # fmt: skip
    assert (row.created_at, row.run_at, row.done_at) == (posted.at, posted.at, None)


def test_many_come_in_by_and_by_and_in_order(database: Database, spool: Spool, token: str) -> None:
    refs = [f"tr_{number:04}" for number in range(1203)]
    spool.keep([message(token, ref) for ref in refs])
    assert catch_up(database) == len(refs)
    with database.read() as tx:
        assert list(tx.scalars(select(Inbox.ref).order_by(Inbox.id))) == refs


class _Interrupted:
    """A database after each commit of which something happens."""

    def __init__(self, database: Database, *events: object) -> None:
        self._database, self._events = database, iter(events)

    @contextmanager
    def write(self) -> Iterator[Tx]:
        with self._database.write() as tx:
            yield tx
        event = next(self._events, None)
        if callable(event):
            event()


def test_killed_before_it_forgets_it_brings_a_message_twice_and_loses_none(
    database: Database, spool: Spool, token: str
) -> None:
    spool.keep([message(token, "tr_1")])

    def die() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        spool.move_on(_Interrupted(database, die))  # type: ignore[arg-type]
    assert catch_up(database) == 1
    assert kept(database) == ["tr_1", "tr_1"]


def test_two_who_move_at_once_lose_nothing_that_comes_between(
    database: Database, spool: Spool, token: str
) -> None:
    spool.keep([message(token, "tr_1")])

    def other_is_quicker() -> None:
        assert catch_up(database) == 1
        spool.keep([message(token, "tr_2")])

    assert spool.move_on(_Interrupted(database, other_is_quicker)) == 2  # type: ignore[arg-type]
    assert kept(database) == ["tr_1", "tr_1", "tr_2"]


def test_where_nothing_can_be_set_aside_nothing_is_acknowledged(
    database: Database, spool: Spool, token: str
) -> None:
    blocked = Path(f"{database.url.database}-spool")
    blocked.mkdir()
    intake = Intake(database)
    with outsider_writes(database), pytest.raises(DATABASE_ERRORS):
        intake.keep(message(token, "tr_1"))
    assert catch_up(database) == 0
    assert kept(database) == []
    blocked.rmdir()


def test_one_that_the_inbox_refuses_holds_up_nobody_and_is_not_forgotten(
    database: Database, spool: Spool, token: str
) -> None:
    fine = [message(token, f"tr_{number}") for number in range(3)]
    spool.keep([fine[0], replace(fine[1], source="nowhere"), *fine[1:]])
    assert catch_up(database) == 3
    assert kept(database) == ["tr_0", "tr_1", "tr_2"]
    assert catch_up(database) == 0
    assert spool.waiting()["nowhere"].number == 1


def test_what_is_set_aside_is_nobody_elses_to_read(spool: Spool, database: Database, token: str) -> None:
    spool.keep([message(token, "tr_1")])
    assert Path(f"{database.url.database}-spool").stat().st_mode & 0o777 == 0o600
