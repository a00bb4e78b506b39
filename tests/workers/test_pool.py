"""The pool: bounded, never twice at the same time, and no ring is lost."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.waiting import eventually
from workers.pool import Pool


@contextmanager
def pool_of(threads: int, capacity: int, run: Callable[[str, int], None]) -> Iterator[Pool]:
    pool = Pool(threads, capacity, run)
    yield pool
    pool.drain(5)


class Gate:
    """Rows that go through stay inside until it opens; it remembers who went in."""

    def __init__(self) -> None:
        self.entered: list[tuple[str, int]] = []
        self._open = threading.Event()

    def pass_through(self, kind: str, row_id: int) -> None:
        self.entered.append((kind, row_id))
        assert self._open.wait(10)

    def open(self) -> None:
        self._open.set()


def test_every_row_is_run_with_its_kind() -> None:
    runs: list[tuple[str, int]] = []
    with pool_of(3, 5, lambda kind, row_id: runs.append((kind, row_id))) as pool:
        pool.submit_many("inbox", [1, 2])
        pool.submit_many("outbox", [1])
        assert pool.drain(5)
    assert sorted(runs) == [("inbox", 1), ("inbox", 2), ("outbox", 1)]


def test_a_row_rung_while_it_waits_is_run_once() -> None:
    gate = Gate()
    with pool_of(1, 5, gate.pass_through) as pool:
        pool.submit_many("inbox", [1])
        eventually(lambda: gate.entered)
        pool.submit_many("inbox", [2, 2, 2])
        gate.open()
        assert pool.drain(5)
        assert pool.counts().merged == 2
    assert gate.entered == [("inbox", 1), ("inbox", 2)]


def test_a_row_rung_while_it_runs_is_run_once_more_however_often_it_was_rung() -> None:
    gate = Gate()
    with pool_of(2, 5, gate.pass_through) as pool:
        pool.submit_many("inbox", [1])
        eventually(lambda: gate.entered)
        pool.submit_many("inbox", [1, 1, 1])
        time.sleep(0.05)  # for the second thread, which is free
        assert gate.entered == [("inbox", 1)], "never at the same time"
        gate.open()
        assert pool.drain(5)
    assert gate.entered == [("inbox", 1)] * 2


def test_a_row_that_is_done_can_be_rung_again() -> None:
    runs: list[int] = []
    with pool_of(1, 5, lambda _kind, row_id: runs.append(row_id)) as pool:
        for _ in range(3):
            pool.submit_many("inbox", [1])
            eventually(lambda: (counts := pool.counts()).running + counts.waiting == 0)
    assert runs == [1, 1, 1]


def _fail_on_odd(_kind: str, row_id: int) -> None:
    if row_id == 3:
        raise SystemExit(1)
    if row_id % 2:
        raise ValueError("odd")


def test_a_row_that_raises_is_logged_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    with pool_of(2, 10, _fail_on_odd) as pool:
        pool.submit_many("outbox", range(1, 7))
        assert pool.drain(5)
        counts = pool.counts()
    assert (counts.finished, counts.failed) == (6, 3)
    logged = {(vars(record)["kind"], vars(record)["row_id"]) for record in caplog.records}
    assert logged == {("outbox", 1), ("outbox", 3), ("outbox", 5)}
    assert all(record.exc_info for record in caplog.records)


def test_a_slow_row_holds_only_its_own_thread() -> None:
    gate, quick = Gate(), Counter[int]()

    def run(kind: str, row_id: int) -> None:
        if kind == "slow":
            gate.pass_through(kind, row_id)
        else:
            quick[row_id] += 1

    with pool_of(2, 10, run) as pool:
        pool.submit_many("slow", [1])
        pool.submit_many("quick", range(50))
        eventually(lambda: len(quick) == 50)
        gate.open()


def test_handing_over_blocks_while_the_waiting_room_is_full() -> None:
    gate = Gate()
    with pool_of(1, 2, gate.pass_through) as pool:
        giver = threading.Thread(target=pool.submit_many, args=("inbox", range(5)))
        giver.start()
        eventually(lambda: (counts := pool.counts()).waiting == 2 and counts.running == 1)
        time.sleep(0.3)
        assert giver.is_alive()
        assert pool.counts().waiting == 2
        gate.open()
        giver.join(5)
        assert not giver.is_alive()
    assert [row for _, row in gate.entered] == [0, 1, 2, 3, 4]


def test_closing_lets_go_of_who_waits_to_hand_over() -> None:
    gate = Gate()
    with pool_of(1, 1, gate.pass_through) as pool:
        giver = threading.Thread(target=pool.submit_many, args=("inbox", range(9)))
        giver.start()
        eventually(lambda: (counts := pool.counts()).waiting == counts.running == 1)  # at one moment
        pool.close()
        giver.join(2)
        assert not giver.is_alive()
        assert pool.counts().dropped == 7
        gate.open()
    assert len(gate.entered) == 2


def test_draining_gives_up_in_time_and_forgets_what_still_waits() -> None:
    gate = Gate()
    pool = Pool(1, 5, gate.pass_through)
    pool.submit_many("inbox", [1, 2, 3])
    eventually(lambda: gate.entered)
    pool.submit_many("inbox", [1])
    started = time.monotonic()
    assert not pool.drain(0.3)
    assert time.monotonic() - started < 5
    gate.open()
    eventually(lambda: pool.counts().running == 0)
    assert gate.entered == [("inbox", 1)]
    assert pool.counts().dropped == 3


def test_no_ring_is_lost_and_no_row_runs_twice_at_once_under_load() -> None:
    """Whoever changes a row rings afterwards; some run must begin after the change. 8 ringers, 8 threads."""
    versions, seen, inside = Counter[int](), Counter[int](), Counter[int]()
    overlaps: list[int] = []
    lock = threading.Lock()

    def run(_kind: str, row_id: int) -> None:
        with lock:
            inside[row_id] += 1
            if inside[row_id] > 1:
                overlaps.append(row_id)
            version = versions[row_id]
        time.sleep(random.random() / 2_000)
        with lock:
            seen[row_id] = max(seen[row_id], version)
            inside[row_id] -= 1

    def change_and_ring(pool: Pool, seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(400):
            row_id = chance.randrange(12)
            with lock:
                versions[row_id] += 1
            pool.submit_many("inbox", [row_id])

    with pool_of(8, 4, run) as pool:
        ringers = [threading.Thread(target=change_and_ring, args=(pool, seed)) for seed in range(8)]
        for ringer in ringers:
            ringer.start()
        for ringer in ringers:
            ringer.join(30)
        assert pool.drain(10)
        counts = pool.counts()
    assert overlaps == []
    assert seen == versions
    assert counts.accepted + counts.merged == 3_200
    assert counts.dropped == 0
    assert counts.merged > 0


@pytest.mark.parametrize(("threads", "capacity"), [(0, 1), (1, 0)])
def test_a_pool_that_could_never_run_anything_is_refused(threads: int, capacity: int) -> None:
    with pytest.raises(ValueError, match="at least one thread"):
        Pool(threads, capacity, lambda _kind, _row: None)


def test_what_can_wait_goes_when_nobody_else_waits_and_at_every_eighth_turn() -> None:
    gate = Gate()
    with pool_of(1, 50, gate.pass_through) as pool:
        pool.submit_many("inbox", [0])
        eventually(lambda: gate.entered)
        pool.submit_patient("outbox", [100, 101, 102])
        pool.submit_many("inbox", range(1, 9))
        gate.open()
        eventually(lambda: pool.counts().finished == 12)
    turns = [row_id for _, row_id in gate.entered]
    assert turns == [0, 1, 2, 3, 4, 5, 6, 100, 7, 8, 101, 102]


def test_a_row_that_can_wait_is_run_once_however_it_is_rung() -> None:
    gate = Gate()
    with pool_of(1, 5, gate.pass_through) as pool:
        pool.submit_many("inbox", [1])
        eventually(lambda: gate.entered)
        pool.submit_patient("outbox", [7, 7])
        pool.submit_many("outbox", [7])
        gate.open()
        eventually(lambda: pool.counts().finished == 2)
        assert pool.counts().merged == 2


def test_a_pool_that_ends_leaves_what_can_wait_to_others() -> None:
    gate = Gate()
    pool = Pool(1, 5, gate.pass_through)
    pool.submit_many("inbox", [1])
    eventually(lambda: gate.entered)
    pool.submit_many("inbox", [2])
    pool.submit_patient("outbox", range(100, 110))
    gate.open()
    assert pool.drain(5)
    pool.submit_patient("outbox", [200])
    assert gate.entered == [("inbox", 1), ("inbox", 2)]
    assert (pool.counts().waiting, pool.counts().dropped) == (0, 11)


def test_what_can_wait_never_blocks_and_is_dropped_without_room() -> None:
    gate = Gate()
    with pool_of(1, 1, gate.pass_through) as pool:
        pool.submit_many("inbox", [1])
        eventually(lambda: gate.entered)
        pool.submit_patient("outbox", range(1, 1_502))
        assert (pool.counts().waiting, pool.counts().dropped) == (1_000, 501)
        gate.open()


def test_what_can_wait_takes_a_quarter_of_the_threads_and_all_of_it_is_run() -> None:
    gate = Gate()
    with pool_of(8, 20, gate.pass_through) as pool:
        pool.submit_patient("outbox", range(100, 110))
        eventually(lambda: len(gate.entered) == 2)
        pool.submit_many("inbox", range(6))
        eventually(lambda: len(gate.entered) == 8)
        assert sorted(gate.entered) == [
            *(("inbox", row) for row in range(6)),
            ("outbox", 100),
            ("outbox", 101),
        ]
        gate.open()
        eventually(lambda: pool.counts().finished == 16)
        assert pool.counts().waiting == 0


def test_what_can_wait_has_two_threads_beside_others_and_more_when_they_are_gone() -> None:
    others, patient = Gate(), Gate()

    def run(kind: str, row_id: int) -> None:
        (others if kind == "inbox" else patient).pass_through(kind, row_id)

    with pool_of(16, 20, run) as pool:
        pool.submit_many("inbox", range(3))
        eventually(lambda: len(others.entered) == 3)
        pool.submit_patient("outbox", range(10))
        eventually(lambda: len(patient.entered) == 2)
        others.open()
        eventually(lambda: len(patient.entered) == 4)
        patient.open()
        eventually(lambda: pool.counts().finished == 13)
