"""A living process keeps what it works on: for how long, and what becomes of what it lost."""

import logging
import threading
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from typing import cast

import pytest
from cryptography.fernet import Fernet

from linkpay.adapters.kajabi import KajabiOffers
from linkpay.adapters.kajabi_api import KajabiApi
from linkpay.adapters.mollie import MollieProvider
from linkpay.bootstrap import NoMailServer
from linkpay.clock import ManualClock
from linkpay.services.parts import Parts
from linkpay.store import work
from linkpay.store.db import DATABASE_ERRORS, Database
from linkpay.store.secrets import SecretBox
from linkpay.store.tables import Outbox
from tests.builders import NOW, make_outbox, make_site
from tests.waiting import eventually
from workers.heart import Heart
from workers.leases import LONGEST, Leases

A_MOMENT = timedelta(seconds=5)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def leases(database: Database, clock: ManualClock) -> Leases:
    return Leases(
        Parts(
            database=database,
            clock=clock,
            box=SecretBox([Fernet.generate_key().decode()]),
            payments=MollieProvider("http://127.0.0.1:9"),
            access=KajabiOffers([]),
            mailer=NoMailServer(),
            directory=KajabiApi("http://127.0.0.1:9"),
            base_url="https://pay.example.com",
        )
    )


@pytest.fixture
def row_ids(database: Database) -> list[int]:
    with database.write() as tx:
        site = make_site(tx)
        return [make_outbox(tx, site).id for _ in range(3)]


def claim(database: Database, row_ids: list[int], now: datetime) -> list[Outbox]:
    with database.write() as tx:
        return [cast("Outbox", row) for row in work.claim(tx, Outbox, row_ids, now).values()]


def ends(database: Database) -> list[datetime | None]:
    with database.read() as tx:
        return [row.leased_until for row in tx.query(Outbox).order_by(Outbox.id)]


def test_what_is_worked_on_is_kept_and_nothing_else(
    database: Database, clock: ManualClock, leases: Leases, row_ids: list[int]
) -> None:
    first, second, _ = claim(database, row_ids, NOW)  # with one lease for all three
    with leases.keep(first):
        with leases.keep(second):
            pass
        clock.advance(A_MOMENT)
        leases.beat()
    until = NOW + work.LEASE
    assert ends(database) == [until + A_MOMENT, until, until]
    clock.advance(A_MOMENT)
    leases.beat()
    assert ends(database) == [until + A_MOMENT, until, until]


def test_a_lease_that_was_lost_stays_lost_and_one_that_ended_stays_free(
    database: Database, clock: ManualClock, leases: Leases, row_ids: list[int]
) -> None:
    rows = claim(database, row_ids[:2], NOW)
    with ExitStack() as working:
        for row in rows:
            working.enter_context(leases.keep(row))
        with database.write() as tx:
            work.finish(tx, rows[1], NOW)
        later = clock.advance(work.LEASE)
        claim(database, row_ids[:1], later)
        clock.advance(A_MOMENT)
        leases.beat()
    assert ends(database) == [later + work.LEASE, None, None]


def test_a_beat_of_a_clock_that_is_behind_shortens_no_lease(
    database: Database, leases: Leases, row_ids: list[int]
) -> None:
    (row,) = claim(database, row_ids[:1], NOW + A_MOMENT)
    with leases.keep(row):
        leases.beat()
    assert ends(database)[0] == NOW + A_MOMENT + work.LEASE


def test_a_thread_that_hangs_holds_its_row_no_longer_than_the_longest_work(
    database: Database, clock: ManualClock, leases: Leases, row_ids: list[int]
) -> None:
    (row,) = claim(database, row_ids[:1], NOW)
    with leases.keep(row):
        for _ in range(2 * (LONGEST // A_MOMENT)):
            clock.advance(A_MOMENT)
            leases.beat()
    until = ends(database)[0]
    assert until is not None
    assert LONGEST <= until - NOW < LONGEST + work.LEASE
    assert claim(database, row_ids[:1], until)


def test_a_beat_that_fails_takes_no_later_one_along(caplog: pytest.LogCaptureFixture) -> None:
    beats: list[int] = []

    def beat() -> None:
        beats.append(len(beats))
        if len(beats) == 1:
            raise DATABASE_ERRORS[-1]("somebody writes")

    with Heart("of a test", beat, every=0.01):
        eventually(lambda: len(beats) > 2)
    count = len(beats)
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == [
        "a beat failed; the next one comes"
    ]
    assert "of a test" not in {thread.name for thread in threading.enumerate()}
    assert len(beats) == count


def test_a_heart_ends_with_what_it_beats_for() -> None:
    with suppress(LookupError), Heart("of a test", lambda: None):
        raise LookupError
    assert "of a test" not in {thread.name for thread in threading.enumerate()}
