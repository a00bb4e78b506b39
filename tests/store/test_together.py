"""Transactions that threads share: one commit for all who wait, and nobody taken along by another."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from linkpay.store import charges, people, subscriptions, work
from linkpay.store.db import Database, Tx
from linkpay.store.tables import Outbox, Payment, Site
from linkpay.store.together import NOBODY, About, Row, Together, Wanted
from linkpay.store.turnstile import LockTimeout
from tests import builders as make
from tests.waiting import eventually

MANY = 12
who: ContextVar[str] = ContextVar("who", default="nobody")


class Door:
    """The database's writing transactions, counted; while it is shut nobody gets in."""

    def __init__(self, database: Database) -> None:
        self._database, self.commits, self.open = database, 0, threading.Event()
        self.together = Together(self.write)
        self.waits = 0

    @contextmanager
    def write(self) -> Iterator[Tx]:
        self.waits += 1
        self.open.wait(10)
        with self._database.write() as tx:
            yield tx
        self.commits += 1


class Closing(Door):
    """Whoever is not in by the first transaction waits for her turn in vain."""

    @contextmanager
    def write(self) -> Iterator[Tx]:
        if self.waits:
            self.waits += 1
            raise LockTimeout("waited too long")
        with super().write() as tx:
            yield tx


class Impatient(Door):
    """The same for transactions that wait for nobody for long."""

    @contextmanager
    def write(self) -> Iterator[Tx]:
        with super().write() as tx:
            tx.execute(text("SET LOCAL lock_timeout = '200ms'"))
            yield tx


def payment_of(tx: Tx, site: Site) -> Payment:
    """A payment of one more member of the site."""
    subscription = make.make_subscription(tx, plan=make.make_plan(tx, make.make_offer(tx, site)))
    return make.make_payment(tx, charge=make.make_charge(tx, subscription))


@pytest.fixture
def door(database: Database) -> Door:
    return Door(database)


@pytest.fixture
def payment_ids(database: Database) -> list[int]:
    """Of MANY members, a payment of each."""
    with database.write() as tx:
        site = make.make_site(tx)
        return [payment_of(tx, site).id for _ in range(MANY)]


def all_come(door: Door, units: Sequence[Callable[[], Any]]) -> list[Future[Any]]:
    """The first begins while the door is shut; the others stand behind it when it opens."""
    with ThreadPoolExecutor(len(units)) as pool:
        door.open.clear()
        first = pool.submit(units[0])
        eventually(lambda: door.waits == 1)
        others = [pool.submit(unit) for unit in units[1:]]
        eventually(lambda: len(door.together._units._waiting) == len(others))
        door.open.set()
        return [first, *others]


Unit = tuple[Callable[[Tx], Any], About]


def all_wait(door: Door, units: Sequence[Unit]) -> list[Future[Any]]:
    """The same with units that want no row."""
    return all_come(door, [partial(door.together.write, *unit) for unit in units])


def about(payment_id: int) -> About:
    return About(payment_id=payment_id)


def fail_with(code: str, payment_id: int) -> Callable[[Tx], str]:
    """Write a failure code onto a payment, as its subscription's holder."""

    def unit(tx: Tx) -> str:
        subscriptions.lock_for_payment(tx, payment_id)
        charges.payment(tx, payment_id).failure_code = code
        return code

    return unit


def codes(database: Database, payment_ids: list[int]) -> list[str | None]:
    with database.read() as tx:
        return [tx.get_one(Payment, number).failure_code for number in payment_ids]


def test_who_waits_together_is_committed_together(
    database: Database, door: Door, payment_ids: list[int]
) -> None:
    found = all_wait(door, [(fail_with(f"code {number}", number), about(number)) for number in payment_ids])
    assert [one.result() for one in found] == [f"code {number}" for number in payment_ids]
    assert codes(database, payment_ids) == [f"code {number}" for number in payment_ids]
    assert door.commits == 1


def test_rows_are_claimed_for_all_who_want_one_and_each_is_had_by_one(
    database: Database, door: Door, payment_ids: list[int]
) -> None:
    with database.write() as tx:
        site = tx.query(Site).first()
        assert site is not None
        rows = [make.make_outbox(tx, site, target_id=number).id for number in payment_ids[:6]]
        held = tx.get_one(Outbox, rows[5])
        held.lease, held.leased_until = "another's", make.NOW + work.LEASE
    asked: list[int] = []

    def whom(row: Row) -> About:
        asked.append(row.id)
        return NOBODY

    def wanted(row_id: int) -> Wanted:
        return Wanted(Outbox, row_id, make.NOW, whom)

    def claim(row_id: int) -> Callable[[], Row | None]:
        return lambda: door.together.claim(wanted(row_id), lambda _tx, row: row)

    found = all_come(door, [claim(row_id) for row_id in (*rows, rows[0], rows[5] + 1)])
    got = [row.id for one in found if (row := one.result()) is not None]
    assert sorted(got) == sorted(asked) == rows[:5]
    assert door.commits == 1
    with database.read() as tx:
        leases = {row.id: row.lease for row in tx.query(Outbox)}
        assert leases.pop(rows[5]) == "another's"
        assert None not in leases.values()
        assert {row.attempts for row in tx.query(Outbox).where(Outbox.id.in_(rows[:5]))} == {1}


def test_who_fails_with_a_row_leaves_it_as_it_was(database: Database, door: Door) -> None:
    with database.write() as tx:
        rows = [make.make_outbox(tx, make.make_site(tx)).id for _ in range(3)]

    def fail(_tx: Tx, row: Row) -> int:
        if row.id == rows[1]:
            raise LookupError("of its own")
        return row.id

    units = [partial(door.together.claim, Wanted(Outbox, row_id, make.NOW), fail) for row_id in rows]
    found = all_come(door, units)
    assert isinstance(found[1].exception(), LookupError)
    assert [found[0].result(), found[2].result()] == [rows[0], rows[2]]
    with database.read() as tx:
        assert [tx.get_one(Outbox, row_id).attempts for row_id in rows] == [1, 0, 1]


def test_who_comes_while_others_are_decided_is_in_the_next_commit(door: Door) -> None:
    door.open.set()
    busy, go_on = threading.Event(), threading.Event()

    def slow(_tx: Tx) -> str:
        busy.set()
        assert go_on.wait(10)
        return "slow"

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(door.together.write, slow)
        assert busy.wait(10)
        others = [pool.submit(door.together.write, lambda _tx: "later") for _ in range(2)]
        eventually(lambda: len(door.together._units._waiting) == len(others))
        go_on.set()
        assert [one.result() for one in (first, *others)] == ["slow", "later", "later"]
    assert door.commits == 2


def test_one_that_fails_takes_no_other_along(database: Database, door: Door, payment_ids: list[int]) -> None:
    def bad(tx: Tx) -> None:
        fail_with("half done", payment_ids[3])(tx)
        raise LookupError("of its own")

    units: list[Unit] = [(fail_with("good", number), about(number)) for number in payment_ids]
    units[3] = (bad, about(payment_ids[3]))
    found = all_wait(door, units)
    with pytest.raises(LookupError, match="of its own"):
        found[3].result()
    wanted = ["good"] * MANY
    assert codes(database, payment_ids) == [*wanted[:3], None, *wanted[4:]]


def test_one_that_the_database_refuses_takes_no_other_along(
    database: Database, door: Door, payment_ids: list[int]
) -> None:
    def refused(tx: Tx) -> None:
        subscriptions.lock_for_payment(tx, payment_ids[2])
        charges.payment(tx, payment_ids[2]).amount_cents = -1
        tx.flush()

    units: list[Unit] = [(fail_with("good", number), about(number)) for number in payment_ids]
    units[2] = (refused, about(payment_ids[2]))
    found = all_wait(door, units)
    assert found[2].exception() is not None
    assert [one.exception() for number, one in enumerate(found) if number != 2] == [None] * (MANY - 1)
    assert codes(database, payment_ids).count("good") == MANY - 1


def test_one_whom_a_stranger_holds_takes_no_other_along(database: Database, payment_ids: list[int]) -> None:
    if database.is_sqlite:
        pytest.skip("there one transaction writes at a time")
    units: list[Unit] = [(fail_with("good", number), about(number)) for number in payment_ids]
    with database.write() as stranger:  # an open psql
        subscriptions.lock_for_payment(stranger, payment_ids[1])
        found = all_wait(Impatient(database), units)
        assert found[1].exception() is not None
    assert [one.exception() for number, one in enumerate(found) if number != 1] == [None] * (MANY - 1)
    assert codes(database, payment_ids) == ["good", None, *["good"] * (MANY - 2)]


def test_a_database_that_is_away_is_not_waited_for_by_each_of_a_batch(database: Database) -> None:
    def bad(_tx: Tx) -> None:
        raise LookupError("of its own")

    door = Closing(database)
    found = all_wait(door, [(bad, NOBODY)] * MANY)
    assert {type(one.exception()) for one in found} == {LockTimeout}
    assert door.waits == 2


def test_of_two_about_one_member_the_second_sees_the_first(database: Database, door: Door) -> None:
    with database.write() as tx:
        site = make.make_site(tx)
        number, *others = [payment_of(tx, site).id for _ in range(4)]

    def count_on(tx: Tx) -> int:
        subscription = subscriptions.lock_for_payment(tx, number)
        people.lock_family(tx, subscription.member_id)
        subscription.next_index += 1
        return subscription.next_index

    units: list[Unit] = [(lambda _tx: 0, NOBODY), *[(count_on, about(number))] * 5]
    units += [(lambda _tx: 0, about(other)) for other in others]
    found = [unit.result() for unit in all_wait(door, units)]
    begun = found[1]
    assert sorted(found[1:6]) == list(range(begun, begun + 5))
    assert door.commits == 1


def test_two_batches_about_the_same_members_do_not_wait_in_a_ring(database: Database) -> None:
    """Each begins with a member whom the other wants next: so many a rush of grants and of bookings do."""
    if database.is_sqlite:
        pytest.skip("there one transaction writes at a time")
    with database.write() as tx:
        granted = [make.make_grant(tx) for _ in range(2)]
        whose = {grant.id: grant.member_id for grant in granted}
    both_hold_one, done = threading.Barrier(2), list[int]()

    def hold(grant_id: int, *, is_first: bool) -> Callable[[Tx], None]:
        def unit(tx: Tx) -> None:
            people.lock_family(tx, whose[grant_id])
            with suppress(threading.BrokenBarrierError):
                both_hold_one.wait(1.0 if is_first else 0.0)
            done.append(grant_id)

        return unit

    def come(grant_ids: Sequence[int]) -> list[None]:
        pair = [(hold(one, is_first=not number), About(grant_id=one)) for number, one in enumerate(grant_ids)]
        return [one.result() for one in all_wait(Door(database), pair)]

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(come, [list(whose), list(whose)[::-1]]))
    assert sorted(done) == sorted([*whose, *whose]), "nothing had to be done a second time"


def test_each_does_its_work_as_itself(door: Door) -> None:
    def of(name: str) -> str:
        who.set(name)
        return door.together.write(lambda _tx: who.get())

    door.open.set()
    names = [f"thread {number}" for number in range(MANY)]
    with ThreadPoolExecutor(MANY) as pool:
        assert list(pool.map(of, names)) == names


def test_who_asks_within_a_commit_of_its_own_does_not_wait_for_itself(database: Database) -> None:
    answered: list[int] = []

    @contextmanager
    def write() -> Iterator[Tx]:
        with database.write() as tx:
            yield tx
        if not answered:
            answered.append(0)
            answered.append(together.write(lambda _tx: 7))

    together = Together(write)
    assert together.write(lambda _tx: 1) == 1
    assert answered == [0, 7]


def test_a_database_that_is_away_is_told_to_everybody_and_later_ones_are_taken(
    database: Database, door: Door
) -> None:
    def away(_tx: Tx) -> None:
        raise SystemError("gone")

    door.open.set()
    with pytest.raises(SystemError):
        door.together.write(away)
    assert door.together.write(lambda _tx: "here") == "here"
