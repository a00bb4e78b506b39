"""A bounded thread pool for rows, where a row is never queued twice.

One call that waits ten seconds for Kajabi holds one thread, not the process. When the waiting room
is full, handing over blocks, so what cannot be done yet stays where other workers can take it.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

log = logging.getLogger(__name__)

Row = tuple[str, int]  # kind and id
_GLANCE = 0.2  # seconds between looks at `close`, which may not take the lock
_PATIENT_ROOM = 1_000  # rows that can wait; for what finds no room the sweep rings again
_PATIENT_TURN = 8  # of so many turns they have one, however many others wait
_PATIENT_PART = 4  # of so many threads they have one at most, since mail servers count connections
_PATIENT_BESIDE = 2  # so many beside others: a third mail at once doubles how long a buyer waits


@dataclass(frozen=True, slots=True)
class PoolCounts:
    """What became of the rows handed over since the start, and how many are here now."""

    accepted: int  # queued for a thread
    merged: int  # rung again while waiting or running
    dropped: int  # refused or forgotten because the pool is closing
    finished: int  # runs that ended, failed ones included
    failed: int  # runs that raised
    waiting: int
    running: int


class Pool:
    """Runs ``run(kind, id)`` on at most `threads` threads; at most `capacity` rows wait.

    A row that is rung while it waits is not queued again; one that is rung while it runs is run once
    more afterwards, since the ring may tell of something the run did not see. What `run` raises is
    logged and counted: the row stays due in the database, and the sweep rings again.

    What can wait has a room of its own and is run when nobody else waits, and at every eighth turn: by two
    threads while anything else runs, by a quarter of them otherwise, so that whoever comes finds a free one.
    """

    def __init__(self, threads: int, capacity: int, run: Callable[[str, int], None]) -> None:
        if threads < 1 or capacity < 1:
            raise ValueError("a pool needs at least one thread and room for one row")
        self._run = run
        self._capacity = capacity
        self._threads = threads
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="row")
        self._changed = threading.Condition()
        self._waiting: OrderedDict[Row, None] = OrderedDict()
        self._patient: OrderedDict[Row, None] = OrderedDict()
        self._patient_threads = max(1, threads // _PATIENT_PART)
        self._patient_running: set[Row] = set()
        self._put_off = 0  # turns that found only patient rows and too many of them running
        self._turns = 0
        self._running: dict[Row, int] = {}  # and the thread that runs it
        self._again: set[Row] = set()
        self._closed = False
        self._ended = False
        self._accepted = self._merged = self._dropped = self._finished = self._failed = 0

    def submit_many(self, kind: str, ids: Iterable[int]) -> None:
        """Hand rows over, in order; blocks while the waiting room is full. Drops them once closed."""
        for row_id in ids:
            self._submit((kind, row_id))

    def submit_patient(self, kind: str, ids: Iterable[int]) -> None:
        """Hand rows over that can wait for all others; never blocks, and drops those without room."""
        with self._changed:
            for row in ((kind, row_id) for row_id in ids):
                if self._closed or len(self._patient) >= _PATIENT_ROOM:
                    self._dropped += 1
                elif not self._is_known(row):
                    self._accepted += 1
                    self._queue(row, self._patient)

    def offer(self, kind: str, row_id: int) -> bool:
        """Hand one row over ahead of all that wait; never blocks.

        There is room for one such row per thread beyond the capacity. False when it is not taken:
        somebody else should be told of it.
        """
        row = (kind, row_id)
        with self._changed:
            if self._closed or len(self._waiting) >= self._capacity + self._threads:
                return False
            if self._is_known(row):
                return True
            self._accepted += 1
            self._queue(row, self._waiting)
            self._waiting.move_to_end(row, last=False)
            return True

    def _submit(self, row: Row) -> None:
        with self._changed:
            while not self._closed:
                if self._is_known(row):
                    return
                if len(self._waiting) < self._capacity:
                    self._accepted += 1
                    self._queue(row, self._waiting)
                    return
                self._changed.wait(_GLANCE)
            self._dropped += 1

    def _is_known(self, row: Row) -> bool:
        """Whether the row waits, or runs and will be run once more. Holds the lock."""
        if row in self._waiting or row in self._patient or row in self._again:
            self._merged += 1
            return True
        if row in self._running:
            self._merged += 1
            self._again.add(row)
            return True
        return False

    def _queue(self, row: Row, room: OrderedDict[Row, None]) -> None:
        """One more row waits, and one more thread's turn is asked for: which row it takes shows then."""
        room[row] = None
        self._take_turn()

    def _take_turn(self) -> None:
        # The caller holds the lock that _work needs first, so the callback cannot come too late.
        self._executor.submit(self._work).add_done_callback(self._settle)

    def _work(self) -> bool:
        """Run the row whose turn it is; False when it was forgotten meanwhile."""
        with self._changed:
            may_be_patient = self._patient and self._patient_room() > 0
            if not self._waiting and not may_be_patient:
                self._put_off += bool(self._patient)
                return False
            self._turns += 1
            if may_be_patient and (not self._waiting or self._turns % _PATIENT_TURN == 0):
                row, _ = self._patient.popitem(last=False)
                self._patient_running.add(row)
            else:
                row, _ = self._waiting.popitem(last=False)
            self._running[row] = threading.get_ident()
            self._changed.notify_all()
        self._run(*row)
        return True

    def _patient_room(self) -> int:
        """How many more of the rows that can wait may run now. Holds the lock."""
        here = len(self._patient_running)
        others = self._waiting or len(self._running) > here
        return (min(_PATIENT_BESIDE, self._patient_threads) if others else self._patient_threads) - here

    def _settle(self, turn: Future[bool]) -> None:
        if turn.cancelled():
            self._forget_one()
            return
        error = turn.exception()
        if error is None and not turn.result():
            return
        row = self._ran_here()
        if error is not None:  # told before the row counts as done, so that a drained pool has told all
            kind, row_id = row
            log.error("row failed", extra={"kind": kind, "row_id": row_id}, exc_info=error)
        with self._changed:
            del self._running[row]
            self._finished += 1
            self._failed += error is not None
            self._patient_running.discard(row)
            for _ in range(min(self._put_off, self._patient_room()) if not self._ended else 0):
                self._put_off -= 1
                self._take_turn()
            if row in self._again:
                self._again.discard(row)
                # Beyond capacity for a moment: a thread has just become free.
                self._revive(row)
            self._changed.notify_all()

    def _ran_here(self) -> Row:
        """The row whose turn ended in this thread: callbacks of a turn that ran are called by its thread."""
        here = threading.get_ident()
        with self._changed:
            return next(row for row, thread in self._running.items() if thread == here)

    def _forget_one(self) -> None:
        with self._changed:
            if self._waiting:
                self._waiting.popitem()
                self._dropped += 1
            self._changed.notify_all()

    def _revive(self, row: Row) -> None:
        if self._ended:
            self._dropped += 1
        else:
            self._queue(row, self._waiting)

    def close(self) -> None:
        """Take nothing more; who waits to hand over is let go within 0.2 s.

        Takes no lock, so a signal handler may call it.
        """
        self._closed = True

    def drain(self, timeout: float) -> bool:
        """Close, then wait at most `timeout` seconds for all accepted rows; True when none is left.

        Rows that can wait, and those that still wait after that, are forgotten; those that run are left
        running.
        """
        self.close()
        with self._changed:
            self._dropped += len(self._patient)
            self._patient.clear()
            is_empty = self._changed.wait_for(lambda: not self._waiting and not self._running, timeout)
            self._ended = True
        self._executor.shutdown(wait=False, cancel_futures=True)
        return is_empty

    def counts(self) -> PoolCounts:
        """A consistent look at the figures."""
        with self._changed:
            return PoolCounts(
                self._accepted,
                self._merged,
                self._dropped,
                self._finished,
                self._failed,
                len(self._waiting) + len(self._patient),
                len(self._running),
            )
