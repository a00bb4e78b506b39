"""Worker processes on a real Valkey: killed, stopped, cut off, held up; every row is run in the end."""

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from linkpay.adapters.queue import RqBell, ring_queue, send_rings
from tests.waiting import eventually
from tests.workers.valkey import Valkey


class Bellhop:
    """A worker process that is started again when it dies, as a supervisor does; and what it ran."""

    def __init__(self, valkey: Valkey, file: Path, *, seconds: float = 0.0, threads: int = 4) -> None:
        self._command = [sys.executable, "-m", "tests.workers.bellhop", valkey.url, str(file)]
        self._command += [str(seconds), str(threads)]
        self._file = file
        self._is_wanted = True
        self.starts = 0
        self.process = self._start()
        self._keeper = threading.Thread(target=self._keep_alive)
        self._keeper.start()

    def _start(self) -> subprocess.Popen[bytes]:
        self.starts += 1
        return subprocess.Popen(self._command, stderr=subprocess.DEVNULL)

    def _keep_alive(self) -> None:
        while self._is_wanted:
            if self.process.poll() is not None and self._is_wanted:
                self.process = self._start()
            time.sleep(0.02)

    def runs(self) -> Counter[tuple[str, int]]:
        text = self._file.read_text() if self._file.exists() else ""
        lines = text.rpartition("\n")[0].splitlines()  # the last one may be half written
        return Counter((kind, int(row_id)) for kind, row_id, _pid in map(str.split, lines))

    def has_run(self, kind: str, rows: Iterable[int]) -> bool:
        return {(kind, row_id) for row_id in rows} <= set(self.runs())

    def wait_for(self, *, runs: int = 0, starts: int = 0) -> None:
        """Until it has run and been started at least this often."""
        eventually(lambda: len(self.runs()) >= runs and self.starts >= starts)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send one signal and return the exit status; nobody starts it again."""
        self._is_wanted = False
        self._keeper.join()
        self.process.send_signal(number)
        return self.process.wait(30)

    def discard(self) -> None:
        self._is_wanted = False
        self._keeper.join()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@contextmanager
def bellhop(valkey: Valkey, file: Path, *, seconds: float = 0.0, threads: int = 4) -> Iterator[Bellhop]:
    worker = Bellhop(valkey, file, seconds=seconds, threads=threads)
    try:
        yield worker
    finally:
        worker.discard()


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "notes"


@pytest.fixture
def bell(valkey: Valkey) -> Iterator[RqBell]:
    with closing(RqBell(valkey.url)) as rung:
        yield rung


def sweep_until_done(bell: RqBell, worker: Bellhop, rows: Iterable[int], within: float) -> float:
    """Ring again for what is not done, as the clock process does; the seconds it took."""
    started = time.monotonic()
    while missing := [row_id for row_id in rows if ("inbox", row_id) not in worker.runs()]:
        assert time.monotonic() - started < within, f"{len(missing)} rows not run within {within} s"
        bell.ring(missing)
        time.sleep(0.5)
    return time.monotonic() - started


def test_rung_rows_are_run_once_each(valkey: Valkey, notes: Path, bell: RqBell) -> None:
    with bellhop(valkey, notes) as worker:
        bell.ring(range(1, 301), range(1, 51))
        eventually(lambda: worker.has_run("inbox", range(1, 301)) and worker.has_run("outbox", range(1, 51)))
        assert worker.stop() == 0
        assert set(worker.runs().values()) == {1}
        assert len(worker.runs()) == 350


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_finishes_what_was_accepted_and_leaves_the_rest_to_others(
    valkey: Valkey, notes: Path, bell: RqBell, number: signal.Signals
) -> None:
    with bellhop(valkey, notes, seconds=0.3, threads=2) as worker:
        bell.ring(range(1, 301))
        eventually(worker.runs)
        assert worker.stop(number) == 0
        done = len(worker.runs())
        assert 2 <= done <= 20, "the pool held 18 at most"
        assert set(worker.runs().values()) == {1}
    with valkey.client() as redis:
        assert ring_queue(redis).count > 0
    with bellhop(valkey, notes, threads=8) as worker:
        sweep_until_done(bell, worker, range(1, 301), within=20)


def test_a_second_signal_does_not_cut_short_what_the_first_let_finish(
    valkey: Valkey, notes: Path, bell: RqBell
) -> None:
    with bellhop(valkey, notes, seconds=1.5, threads=1) as worker:
        bell.ring([1, 2])
        # When the first is done the second was accepted: one that was only heard of is left to others.
        eventually(lambda: worker.has_run("inbox", [1]))
        worker.process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        assert worker.stop(signal.SIGTERM) == 0
        assert worker.has_run("inbox", [1, 2])


def _is_listening(valkey: Valkey) -> bool:
    with valkey.client() as redis:
        return bool(redis.exists("rq:workers"))


def test_an_idle_worker_stops_long_before_a_supervisor_would_kill_it(valkey: Valkey, notes: Path) -> None:
    with bellhop(valkey, notes) as worker:
        eventually(lambda: _is_listening(valkey))
        started = time.monotonic()
        assert worker.stop() == 0
        assert time.monotonic() - started < 10


def test_a_worker_killed_again_and_again_costs_no_row(valkey: Valkey, notes: Path, bell: RqBell) -> None:
    rows = range(1, 201)
    with bellhop(valkey, notes, seconds=0.02) as worker:
        for kill in range(1, 5):
            bell.ring(rows)
            worker.wait_for(runs=20 * kill)
            worker.process.kill()
            worker.wait_for(starts=kill + 1)
        sweep_until_done(bell, worker, rows, within=20)


def test_redis_killed_and_back_empty_in_the_middle_of_rings_costs_no_row(
    valkey: Valkey, notes: Path, bell: RqBell
) -> None:
    rows = range(1, 201)
    with bellhop(valkey, notes, seconds=0.01) as worker:
        for row_id in rows:
            bell.ring([row_id])
            time.sleep(0.005)
            if row_id in {60, 140}:
                valkey.kill()
            if row_id in {100, 180}:
                valkey.start()
        took = sweep_until_done(bell, worker, rows, within=30)
        assert took < 10
        assert worker.starts == 1, "it reconnects"
        assert worker.stop() == 0


def test_a_worker_that_is_full_leaves_rings_for_others(valkey: Valkey, notes: Path, tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    with valkey.client() as redis, bellhop(valkey, slow, seconds=100, threads=1) as full:
        queue = ring_queue(redis)
        send_rings(queue, [([row_id], []) for row_id in range(1, 41)])
        # One row runs, eight wait, and the hand-over holds one more: 30 rings stay on the queue.
        eventually(lambda: queue.count == 30)
        time.sleep(0.5)
        assert queue.count == 30
        with bellhop(valkey, notes) as free:
            eventually(lambda: free.has_run("inbox", range(11, 41)))
        assert full.runs() == Counter()


def test_a_slow_row_does_not_hold_up_the_others(valkey: Valkey, notes: Path, bell: RqBell) -> None:
    with bellhop(valkey, notes, seconds=1.0, threads=8) as worker:
        bell.ring([1])
        eventually(worker.runs)
        started = time.monotonic()
        bell.ring(range(2, 10))
        eventually(lambda: worker.has_run("inbox", range(2, 10)))
        assert time.monotonic() - started < 7  # one after the other they need eight


def test_ten_times_the_same_ring_is_one_run_or_two(valkey: Valkey, notes: Path) -> None:
    with valkey.client() as redis, bellhop(valkey, notes, seconds=1.5) as worker:
        send_rings(ring_queue(redis), [([1], [])] * 10)
        eventually(lambda: worker.runs()["inbox", 1] == 2)
        assert worker.stop() == 0
        assert worker.runs()["inbox", 1] == 2, "once, and once more for the rings that came meanwhile"
