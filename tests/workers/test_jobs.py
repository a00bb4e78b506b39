"""Running one row: who may, what becomes of it, and what is said about it."""

import logging
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy.exc import NoResultFound

from linkpay.adapters.kajabi import KajabiOffers
from linkpay.adapters.kajabi_api import KajabiApi
from linkpay.adapters.mollie import MollieProvider
from linkpay.clock import ManualClock
from linkpay.errors import (
    Conflict,
    CredentialsRefused,
    OutcomeUnknown,
    Permanent,
    Retryable,
    TooLate,
)
from linkpay.ports import Letter
from linkpay.services import letters
from linkpay.services.parts import Parts
from linkpay.store import work
from linkpay.store.db import Database, Tx
from linkpay.store.secrets import SecretBox
from linkpay.store.tables import Attention, Outbox, Site
from tests.builders import NOW, make_subscription
from workers import duties, jobs


class Post:
    """A mail server that does what the test says: the one port that a row of ours reaches in one step."""

    def __init__(self) -> None:
        self.act: Callable[[], None] = lambda: None
        self.letters: list[Letter] = []

    def send(self, letter: Letter) -> None:
        self.act()
        self.letters.append(letter)


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def parts(database: Database, post: Post) -> Parts:
    return Parts(
        database=database,
        clock=ManualClock(NOW),
        box=SecretBox([Fernet.generate_key().decode()]),
        # Mails need none of these three: a call to them would find nobody.
        payments=MollieProvider("http://127.0.0.1:9"),
        access=KajabiOffers([]),
        mailer=post,
        directory=KajabiApi("http://127.0.0.1:9"),
        base_url="https://pay.example.com",
    )


@pytest.fixture
def row_id(database: Database) -> int:
    """A mail that is owed."""
    with database.write() as tx:
        subscription = make_subscription(tx)
        letters.owe(tx, "welcome", subscription, step="welcome", now=NOW)
        return tx.query(Outbox).one().id


def row(parts: Parts) -> Outbox:
    with parts.database.read() as tx:
        return tx.query(Outbox).one()


def pass_time(parts: Parts, seconds: float) -> Parts:
    return replace(parts, clock=ManualClock(parts.clock.now() + timedelta(seconds=seconds)))


def raising(error: Exception) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def test_a_row_is_done_once_however_often_it_is_rung(parts: Parts, post: Post, row_id: int) -> None:
    for _ in range(3):
        jobs.run(parts, "outbox", row_id)
    assert len(post.letters) == 1
    assert row(parts).done_at == NOW


def test_a_row_that_is_not_due_is_left_alone(parts: Parts, post: Post, row_id: int) -> None:
    jobs.run(pass_time(parts, -1), "outbox", row_id)
    assert post.letters == []
    assert row(parts).attempts == 0


def test_a_row_that_does_not_exist_is_no_trouble(parts: Parts, row_id: int) -> None:
    jobs.run(parts, "outbox", row_id + 1)
    jobs.run(parts, "inbox", row_id)


def test_a_row_that_somebody_holds_is_left_alone(parts: Parts, post: Post, row_id: int) -> None:
    post.act = lambda: jobs.run(parts, "outbox", row_id)
    jobs.run(parts, "outbox", row_id)
    assert len(post.letters) == 1


def test_who_wakes_up_after_the_lease_says_so_quietly_and_spoils_nothing(
    parts: Parts, post: Post, row_id: int, caplog: pytest.LogCaptureFixture
) -> None:
    later = pass_time(parts, work.LEASE.total_seconds() + 1)

    def another_does_it() -> None:
        post.act = lambda: None
        jobs.run(later, "outbox", row_id)

    post.act = another_does_it
    jobs.run(parts, "outbox", row_id)
    assert row(parts).done_at == later.clock.now()
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == [
        "lease lost"
    ]


@pytest.mark.parametrize(
    "error", [Retryable("busy"), Permanent("no"), CredentialsRefused("no"), TooLate("late")]
)
def test_a_failure_after_the_lease_was_lost_changes_nothing(
    parts: Parts, post: Post, row_id: int, error: Exception
) -> None:
    later = pass_time(parts, work.LEASE.total_seconds() + 1)

    def another_does_it() -> None:
        post.act = lambda: None
        jobs.run(later, "outbox", row_id)
        raise error

    post.act = another_does_it
    jobs.run(parts, "outbox", row_id)
    assert row(parts).done_at == later.clock.now()
    assert row(parts).parked_at is None
    with parts.database.read() as tx:
        assert tx.query(Attention).count() == 0
        assert tx.query(Site).one().halted_at is None


@pytest.mark.parametrize(
    "error",
    [Retryable("busy"), OutcomeUnknown("cut off"), TooLate("slept"), Conflict("not_connected", "No key.")],
)
def test_what_may_be_done_later_is_tried_later_and_later(
    parts: Parts, post: Post, row_id: int, error: Exception
) -> None:
    post.act = raising(error)
    waits = []
    for _ in range(6):
        jobs.run(parts, "outbox", row_id)
        waits.append((row(parts).run_at - parts.clock.now()).total_seconds())
        parts = pass_time(parts, waits[-1])
    assert all(0.7 * 2**n <= wait <= 2**n for n, wait in enumerate(waits)), waits
    assert row(parts).last_error == str(error)
    post.act = lambda: None
    jobs.run(parts, "outbox", row_id)
    assert len(post.letters) == 1


def test_retry_after_is_honoured_up_to_an_hour(parts: Parts, post: Post, row_id: int) -> None:
    for hint, wait in ((90.0, 90.0), (86_400.0, 3600.0)):
        post.act = raising(Retryable("busy", retry_after=hint))
        jobs.run(parts, "outbox", row_id)
        assert (row(parts).run_at - parts.clock.now()).total_seconds() == wait
        parts = pass_time(parts, wait)


def test_what_is_refused_for_good_waits_for_a_person(parts: Parts, post: Post, row_id: int) -> None:
    post.act = raising(Permanent("550 no such mailbox"))
    jobs.run(parts, "outbox", row_id)
    jobs.run(pass_time(parts, 86_400), "outbox", row_id)
    assert row(parts).parked_at == NOW
    with parts.database.read() as tx:
        trouble = tx.query(Attention).one()
    assert (trouble.kind, trouble.subject, trouble.detail) == (
        "parked",
        f"outbox:{row_id}",
        "550 no such mailbox",
    )


def test_a_refused_key_halts_the_site_and_keeps_the_work(
    parts: Parts, row_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_parts: Parts, _row: Outbox) -> None:
        raise CredentialsRefused("401")

    monkeypatch.setitem(jobs.HANDLERS, "poll_payment", refused)
    with parts.database.write() as tx:
        tx.get_one(Outbox, row_id).kind = "poll_payment"
    jobs.run(parts, "outbox", row_id)
    with parts.database.read() as tx:
        assert tx.query(Site).one().halted_at == NOW
        assert tx.query(Attention).one().kind == "mollie_key"
    assert row(parts).parked_at is None
    assert row(parts).run_at > NOW


def test_a_refused_password_of_the_mail_server_halts_nothing_and_is_told_until_mails_leave(
    parts: Parts, post: Post, row_id: int
) -> None:
    post.act = raising(CredentialsRefused("mail server: user or password is not accepted"))
    for _ in range(3):
        jobs.run(parts, "outbox", row_id)
        parts = pass_time(parts, 600)
    with parts.database.read() as tx:
        assert tx.query(Site).one().halted_at is None
        trouble = tx.query(Attention).one()
    assert (trouble.kind, trouble.solved_at) == ("mail_server", None)
    assert (row(parts).parked_at, row(parts).attempts) == (None, 3)
    post.act = lambda: None
    jobs.run(parts, "outbox", row_id)
    assert len(post.letters) == 1
    with parts.database.read() as tx:
        assert tx.query(Attention).one().solved_at == parts.clock.now()


def test_a_row_that_kills_its_worker_again_and_again_is_set_aside(
    parts: Parts, post: Post, row_id: int
) -> None:
    class Crash(BaseException):
        """The process dies here."""

    def die() -> None:
        raise Crash

    post.act = die
    for _ in range(work.CRASH_LIMIT):
        with pytest.raises(Crash):
            jobs.run(parts, "outbox", row_id)
        parts = pass_time(parts, work.LEASE.total_seconds() + 1)
    jobs.run(parts, "outbox", row_id)
    assert row(parts).parked_at is not None
    assert post.letters == []
    with parts.database.read() as tx:
        assert tx.query(Attention).one().kind == "parked"


@pytest.mark.parametrize(
    "of_its_own",
    [Conflict("not_connected", "No key."), LookupError("a mistake of ours"), NoResultFound("no such row")],
)
def test_what_a_handler_began_in_vain_never_happened_and_its_try_counts(
    parts: Parts, post: Post, row_id: int, monkeypatch: pytest.MonkeyPatch, of_its_own: Exception
) -> None:
    def begin(parts: Parts, tx: Tx, row: Outbox, now: datetime) -> None:
        tx.query(Site).one().name = "half done"
        raise of_its_own

    monkeypatch.setitem(jobs.HANDLERS, "send_mail", jobs.InTwo(begin, duties.send_mail))
    is_noted = isinstance(of_its_own, Conflict)
    with nullcontext() if is_noted else pytest.raises(type(of_its_own)):
        jobs.run(parts, "outbox", row_id)
    assert row(parts).attempts == 1
    assert row(parts).last_error == (str(of_its_own) if is_noted else None)
    assert (row(parts).lease is None) is is_noted, "who knows no way on leaves it to the next lease"
    with parts.database.read() as tx:
        assert tx.query(Site).one().name != "half done"
    assert post.letters == []


def test_work_that_only_a_newer_version_knows_is_left_to_it(parts: Parts, row_id: int) -> None:
    with parts.database.write() as tx:
        tx.get_one(Outbox, row_id).kind = "of_tomorrow"
    jobs.run(parts, "outbox", row_id)
    left = row(parts)
    assert (left.done_at, left.parked_at, left.lease, left.crashes, left.attempts) == (None, None, None, 0, 0)
    assert left.run_at > parts.clock.now()
