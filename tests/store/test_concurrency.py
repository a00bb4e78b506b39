"""Several processes on one database: nothing is lost, nothing is done twice, nobody starves."""

from collections import Counter

import pytest
from sqlalchemy import func, select, text

from linkpay.store import people, subscriptions, work
from linkpay.store.db import Database
from linkpay.store.tables import Outbox, Site, Subscription
from tests import builders as make
from tests.store import crowd

# Real processes on a machine that may have much else to do.
pytestmark = pytest.mark.timeout(crowd.PATIENCE_SECONDS + 60)


def a_subscription(database: Database) -> int:
    with database.write() as tx:
        return make.make_subscription(tx, next_index=0).id


def test_four_processes_lose_none_of_10000_updates(database: Database, database_url: str) -> None:
    subscription_id = a_subscription(database)
    assert crowd.together(crowd.count_up, 4, database_url, subscription_id, 2_500) == [2_500] * 4
    with database.read() as tx:
        assert tx.get_one(Subscription, subscription_id).next_index == 10_000


def test_no_writer_starves_while_three_write_all_the_time(database: Database, database_url: str) -> None:
    subscription_id = a_subscription(database)
    turns = crowd.together(crowd.write_all_the_time, 3, database_url, subscription_id, 300)
    with database.read() as tx:
        assert tx.get_one(Subscription, subscription_id).next_index == sum(one.count for one in turns)
    # A fair part is a third. Without the turnstile one of two got a single turn in 25,000.
    assert min(one.count for one in turns) >= 30, turns
    assert max(one.passed_over for one in turns) <= 75, turns


def test_work_owed_by_four_processes_at_once_is_owed_once(database: Database, database_url: str) -> None:
    with database.write() as tx:
        site_id = make.make_site(tx).id
    firsts = crowd.together(crowd.owe_the_same, 4, database_url, site_id, 25)
    assert sorted(number for first in firsts for number in first) == list(range(25))
    with database.read() as tx:
        assert tx.scalar(select(func.count(Outbox.id))) == 25


def test_each_row_is_claimed_by_one_of_four_processes(database: Database, database_url: str) -> None:
    """Rows that nobody had yet, and rows whose holder died."""
    with database.write() as tx:
        site = make.make_site(tx)
        rows = [make.make_outbox(tx, site).id for _ in range(30)]
        for row_id in rows[::2]:
            assert work.claim(tx, Outbox, [row_id], make.NOW)
    got = crowd.together(crowd.claim_all, 4, database_url, make.NOW + work.LEASE)
    assert Counter(row for part in got for row in part) == Counter(rows)


def test_who_holds_a_member_may_write_her_mail_while_her_subscription_is_held(database: Database) -> None:
    """She takes her cancellation back while a worker tells her of her access: neither waits for the other."""
    if database.is_sqlite:
        pytest.skip("there one transaction writes at a time")
    with database.write() as tx:
        subscription = make.make_subscription(tx)
        subscription_id, member_id = subscription.id, subscription.member_id
    with database.write() as hers:
        subscriptions.lock(hers, subscription_id)
        with database.write() as workers:
            workers.execute(text("SET LOCAL lock_timeout = '5s'"))
            people.lock_family(workers, member_id)
            make.make_mail(workers, workers.get_one(Subscription, subscription_id))
        people.lock_family(hers, member_id)


def test_machines_that_deploy_at_once_take_turns(empty_database_url: str) -> None:
    assert crowd.together(crowd.migrate, 3, empty_database_url) == [[], [], []]


def test_a_killed_writer_lets_go_and_leaves_nothing(database: Database, database_url: str) -> None:
    process, ours = crowd.alone(crowd.hold_the_database, database_url)
    assert ours.recv() == "holding"
    process.kill()
    process.join()
    with database.write() as tx:
        assert tx.scalar(select(func.count(Site.id))) == 0
        make.make_site(tx)
