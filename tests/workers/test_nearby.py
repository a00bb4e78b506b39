"""A worker does at once what it made for itself, unless it has enough to do; old rings cost it little."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from linkpay.adapters.kajabi import KajabiOffers
from linkpay.adapters.kajabi_api import KajabiApi
from linkpay.adapters.mollie import MollieProvider
from linkpay.adapters.queue_ring import Ring
from linkpay.bootstrap import NoMailServer
from linkpay.clock import ManualClock
from linkpay.services.parts import Parts
from linkpay.store import work
from linkpay.store.db import Database
from linkpay.store.tables import Outbox
from tests.builders import BOX, NOW, later, make_inbox, make_outbox, make_site
from tests.waiting import eventually
from workers.nearby import Due, NearBell, still_due
from workers.pool import Pool


class FarBell:
    """Remembers what others were told."""

    def __init__(self) -> None:
        self.rung: list[tuple[tuple[int, ...], ...]] = []

    def ring(
        self, inbox_ids: Sequence[int] = (), outbox_ids: Sequence[int] = (), patient_ids: Sequence[int] = ()
    ) -> None:
        self.rung.append((tuple(inbox_ids), tuple(outbox_ids), tuple(patient_ids)))


class Doors:
    """Rows that wait inside until all doors open, and the order in which they went in."""

    def __init__(self) -> None:
        self.entered: list[tuple[str, int]] = []
        self.open = threading.Event()

    def run(self, kind: str, row_id: int) -> None:
        self.entered.append((kind, row_id))
        assert self.open.wait(10)


@contextmanager
def pool_of(threads: int, capacity: int, run: Callable[[str, int], None]) -> Iterator[Pool]:
    pool = Pool(threads, capacity, run)
    yield pool
    pool.drain(5)


def test_a_worker_takes_what_a_commit_owes_and_tells_others_of_what_can_wait() -> None:
    doors, far = Doors(), FarBell()
    doors.open.set()
    with pool_of(2, 4, doors.run) as pool:
        bell = NearBell(far)
        bell.serve(pool)
        bell.ring([1], [7, 8], [9])
        bell.ring([], [5])
        bell.ring([], [], [6])
        assert pool.drain(5)
    assert sorted(doors.entered) == [("outbox", 5), ("outbox", 7), ("outbox", 8)]
    assert far.rung == [((1,), (), (9,)), ((), (), (6,))]


def test_a_worker_without_room_tells_others_of_everything() -> None:
    doors, far = Doors(), FarBell()
    with pool_of(1, 1, doors.run) as pool:
        bell = NearBell(far)
        bell.serve(pool)
        pool.submit_many("inbox", [1])
        eventually(lambda: doors.entered)
        for row_id in (7, 8, 9):
            bell.ring([], [row_id])
        doors.open.set()
    assert far.rung == [((), (9,), ())]


def test_money_and_access_are_rung_before_mails(database: Database) -> None:
    rung: list[tuple[list[int], list[int]]] = []
    database.ring = lambda _inbox, outbox, patient=(), /: rung.append((list(outbox), list(patient)))
    with database.write() as tx:
        site = make_site(tx)
        for ref, kind in enumerate(("send_mail", "apply_grant", "send_mail"), 1):
            work.add(tx, site_id=site.id, kind=kind, ref=str(ref), target_id=ref, run_at=NOW, now=NOW)
    with database.read() as tx:
        first, after = ([tx.get_one(Outbox, row_id).kind for row_id in rows] for rows in rung[0])
    assert first == ["apply_grant"]
    assert after == ["send_mail", "send_mail"]


def test_what_can_wait_can_wait_when_it_is_owed_again_as_well(database: Database) -> None:
    rung: list[tuple[list[int], list[int]]] = []
    database.ring = lambda _inbox, outbox, patient=(), /: rung.append((list(outbox), list(patient)))
    with database.write() as tx:
        site_id = make_site(tx).id
    for _ in range(2):
        with database.write() as tx:
            work.schedule(
                tx, site_id=site_id, kind="count_numbers", ref="site", target_id=site_id, run_at=NOW, now=NOW
            )
    assert rung == [([], [1]), ([], [1])]


def test_its_own_rows_go_before_those_that_wait() -> None:
    doors = Doors()
    with pool_of(2, 4, doors.run) as pool:
        pool.submit_many("inbox", [1, 2])
        eventually(lambda: len(doors.entered) == 2)
        pool.submit_many("inbox", [3])
        assert pool.offer("outbox", 7)
        doors.open.set()
        assert pool.drain(5)
        assert pool.counts().finished == 4
    assert doors.entered[2] == ("outbox", 7)


def test_a_worker_that_ends_takes_nothing_more() -> None:
    far = FarBell()
    pool = Pool(1, 1, lambda _kind, _row_id: None)
    bell = NearBell(far)
    bell.serve(pool)
    pool.close()
    bell.ring([1], [2])
    assert far.rung == [((1,), (2,), ())]
    assert pool.drain(1)


def parts_on(database: Database) -> Parts:
    nowhere = "http://provider.test"
    return Parts(
        database, ManualClock(NOW), BOX, MollieProvider(nowhere), KajabiOffers([]), NoMailServer(),
        KajabiApi(nowhere), nowhere,
    )  # fmt: skip


def test_a_long_ring_loses_what_is_done_held_or_not_due(database: Database) -> None:
    with database.write() as tx:
        site = make_site(tx)
        inbox = [make_inbox(tx, site).id for _ in range(3)]
        due, held, done, waits, letter = (make_outbox(tx, site) for _ in range(5))
        work.claim(tx, Outbox, [held.id], NOW)
        done.done_at, waits.run_at, letter.kind = NOW, later(minutes=1), "send_mail"
    ring = Ring(tuple(inbox), (letter.id, due.id, held.id, done.id, waits.id))
    assert still_due(parts_on(database), ring) == Due(tuple(inbox), (due.id,), (letter.id,))


def test_a_short_ring_of_messages_is_not_looked_into() -> None:
    nowhere = parts_on(Database("sqlite:////nonexistent/linkpay.db"))
    assert still_due(nowhere, Ring((1, 2), ())) == Due((1, 2), ())


def test_a_ring_is_passed_on_whole_while_the_database_is_away() -> None:
    ring = Ring((1, 2, 3), (4, 5))
    assert still_due(parts_on(Database("sqlite:////nonexistent/linkpay.db")), ring) == Due((1, 2, 3), (4, 5))
