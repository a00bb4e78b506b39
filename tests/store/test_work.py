"""A row is a job: owed once, held by one, finished with its effect, never dropped in silence."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from linkpay.store import due, work
from linkpay.store.db import Database, Tx
from linkpay.store.tables import Inbox, Outbox, Site
from tests import builders as make

NOW = make.NOW
PAST_LEASE = NOW + work.LEASE
EFFECT = select(func.count(Site.id)).where(Site.slug == "the-effect")


def owe(database: Database, ref: str = "7:1", run_at: datetime = NOW) -> bool:
    with database.write() as tx:
        site = tx.scalars(select(Site)).first() or make.make_site(tx)
        return work.add(tx, site_id=site.id, kind="apply_grant", ref=ref, target_id=7, run_at=run_at, now=NOW)


def claimed(database: Database, now: datetime = NOW, row_id: int = 1) -> Inbox | Outbox | None:
    with database.write() as tx:
        return work.claim(tx, Outbox, [row_id], now).get(row_id)


def held(database: Database, now: datetime = NOW, row_id: int = 1) -> Inbox | Outbox:
    row = claimed(database, now, row_id)
    assert row is not None
    return row


def stored(tx: Tx, row_id: int = 1) -> Outbox:
    return tx.get_one(Outbox, row_id, populate_existing=True)


def test_a_piece_of_work_is_owed_once_even_after_it_is_done(database: Database) -> None:
    assert owe(database)
    assert not owe(database)
    row = held(database)
    with database.write() as tx:
        work.finish(tx, row, NOW)
    assert not owe(database)
    assert claimed(database) is None


def test_only_one_holds_a_row(database: Database) -> None:
    owe(database)
    assert claimed(database) is not None
    assert claimed(database) is None
    assert claimed(database, PAST_LEASE - timedelta(microseconds=1)) is None
    assert claimed(database, PAST_LEASE) is not None


def test_work_is_not_claimed_before_its_time(database: Database) -> None:
    owe(database, run_at=NOW + timedelta(seconds=1))
    assert claimed(database) is None
    assert claimed(database, NOW + timedelta(seconds=1)) is not None


def test_finishing_commits_with_the_effect_or_not_at_all(database: Database) -> None:
    owe(database)
    row = held(database)

    def crash_before_the_commit() -> None:
        with database.write() as tx:
            make.make_site(tx, slug="the-effect")
            work.finish(tx, row, NOW)
            raise ConnectionError("the plug is pulled")

    with pytest.raises(ConnectionError):
        crash_before_the_commit()
    with database.read() as tx:
        assert stored(tx).done_at is None
        assert tx.scalar(EFFECT) == 0


@pytest.mark.parametrize("way", ["finish", "postpone", "park"])
def test_who_wakes_late_has_lost_the_lease_and_changes_nothing(database: Database, way: str) -> None:
    owe(database)
    sleeper = held(database)
    other = held(database, PAST_LEASE)

    def wake_up() -> None:
        with database.write() as tx:
            make.make_site(tx, slug="the-effect")
            match way:
                case "finish":
                    work.finish(tx, sleeper, PAST_LEASE)
                case "postpone":
                    work.postpone(tx, sleeper, PAST_LEASE)
                case _:
                    work.park(tx, sleeper, "late", PAST_LEASE)

    with pytest.raises(work.LeaseLost):
        wake_up()
    with database.write() as tx:
        assert stored(tx).lease == other.lease
        assert tx.scalar(EFFECT) == 0
        work.finish(tx, other, PAST_LEASE)
    with pytest.raises(work.LeaseLost):
        wake_up()


def test_a_late_holder_that_nobody_replaced_may_still_finish(database: Database) -> None:
    owe(database)
    row = held(database)
    with database.write() as tx:
        work.finish(tx, row, PAST_LEASE + timedelta(hours=1))
        assert stored(tx).done_at == PAST_LEASE + timedelta(hours=1)


def test_a_worker_that_never_reports_back_is_counted(database: Database) -> None:
    owe(database)
    for crashes in range(work.CRASH_LIMIT + 1):
        row = held(database, NOW + crashes * work.LEASE)
        assert (row.crashes, row.attempts) == (crashes, crashes + 1)


def test_a_failure_that_reports_back_is_no_crash(database: Database) -> None:
    owe(database)
    held(database)
    row = held(database, PAST_LEASE)
    assert row.crashes == 1
    with database.write() as tx:
        work.postpone(tx, row, PAST_LEASE + timedelta(minutes=1), "Kajabi is away" * 100)
    row = held(database, PAST_LEASE + timedelta(minutes=1))
    assert (row.crashes, row.attempts) == (0, 3)
    assert row.last_error is not None
    assert row.last_error.startswith("Kajabi is away")
    assert len(row.last_error) == 500


def test_postponed_work_waits_and_may_forget_its_tries(database: Database) -> None:
    owe(database)
    with database.write() as tx:
        work.postpone(tx, _claim(tx), NOW + timedelta(minutes=1), fresh=True)
    assert claimed(database) is None
    assert held(database, NOW + timedelta(minutes=1)).attempts == 1


def _claim(tx: Tx) -> Inbox | Outbox:
    return work.claim(tx, Outbox, [1], NOW)[1]


def test_parked_work_waits_for_a_person(database: Database) -> None:
    owe(database)
    row = held(database)
    with database.write() as tx:
        work.park(tx, row, "the address does not work", NOW)
    assert claimed(database, NOW + timedelta(days=1)) is None
    with database.read() as tx:
        assert due.ids(tx, Outbox, NOW + timedelta(days=1), 10) == []
        assert work.is_parked(tx, "apply_grant", 7)
        assert not work.is_parked(tx, "apply_grant", 8)


def test_what_is_due_is_found_oldest_first(database: Database) -> None:
    for ref, minutes in (("a", -1), ("b", -3), ("c", -2), ("d", 5), ("e", -4)):
        owe(database, ref, NOW + timedelta(minutes=minutes))
    held(database, row_id=5)
    with database.read() as tx:
        assert due.ids(tx, Outbox, NOW, 10) == [2, 3, 1]
        assert due.ids(tx, Outbox, NOW, 2) == [2, 3]
        assert due.ids(tx, Outbox, PAST_LEASE, 10) == [5, 2, 3, 1]


def test_what_can_wait_has_the_room_that_other_work_leaves(database: Database) -> None:
    with database.write() as tx:
        site = make.make_site(tx)
        kinds = ("send_mail", "apply_grant", "send_mail", "send_payment", "count_numbers")
        mail, grant, letter, debit, numbers = (
            make.make_outbox(tx, site, kind=kind, run_at=NOW - timedelta(minutes=9 - number)).id
            for number, kind in enumerate(kinds)
        )
    with database.read() as tx:
        assert due.first_ids(tx, NOW, 9) == [grant, debit, mail, letter, numbers]
        assert due.first_ids(tx, NOW, 3) == [grant, debit, mail]
        assert due.first_ids(tx, NOW, 2) == [grant, debit]
        assert due.first_ids(tx, NOW - timedelta(minutes=8), 9) == [grant, mail]


def test_deaths_that_were_got_over_are_forgotten_when_the_work_is_done(database: Database) -> None:
    owe(database)
    held(database)
    row = held(database, PAST_LEASE)
    assert row.crashes == 1
    with database.write() as tx:
        work.finish(tx, row, PAST_LEASE)
        work.schedule(
            tx, site_id=row.site_id, kind="apply_grant", ref="7:1", target_id=7, run_at=PAST_LEASE, now=NOW
        )
    assert held(database, PAST_LEASE).crashes == 0


def test_waiting_work_is_brought_forward_and_nothing_else(database: Database) -> None:
    owe(database, "7:1", NOW + timedelta(hours=1))
    owe(database, "7:2")
    running = held(database, row_id=2)
    with database.write() as tx:
        for ref in ("7:1", "7:2", "never owed"):
            work.bring_forward(tx, "apply_grant", ref, NOW)
        assert stored(tx, 1).run_at == NOW
        assert stored(tx, 2).lease == running.lease
    assert claimed(database) is not None


@given(st.integers(0, 10_000), st.none() | st.floats(0, 1e6), st.floats(1, 3600))
def test_waiting_grows_but_never_beyond_its_cap(attempts: int, hint: float | None, cap: float) -> None:
    seconds = work.backoff(attempts, cap_seconds=cap, hint=hint).total_seconds()
    assert 0 < seconds <= max(cap, min(hint or 0, 3600)) + 1e-5
    assert seconds >= min(hint or 0, 3600) - 1e-5
    assert seconds >= 0.7 * min(cap, 2.0 ** min(attempts - 1, 20)) - 1e-5


def test_eight_tries_take_minutes_and_waits_differ() -> None:
    total = sum((work.backoff(attempts) for attempts in range(1, 9)), timedelta())
    assert timedelta(minutes=2) < total < timedelta(minutes=5)
    assert len({work.backoff(10) for _ in range(10)}) > 5
