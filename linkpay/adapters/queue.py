"""The doorbell: tells workers through RQ which rows wait for them.

The database row is the job, so a lost ring costs the seconds until the next sweep and nothing else.
That is why nothing here waits, retries for long or raises.
"""

import atexit
import logging
import os
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, timedelta
from itertools import chain
from weakref import WeakSet

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from linkpay.adapters.queue_ring import QUEUE, WAKE, RingJob
from linkpay.clock import SystemClock

log = logging.getLogger(__name__)

#: Older rings are worth nothing: the sweep has rung again every few seconds since.
RING_TTL = 60  # seconds
#: Rings kept in Redis while no worker takes them (100,000 rows); the oldest go first.
RINGS_KEPT = 1_000
#: A worker shows a sign of life every five seconds.
WORKER_SILENT = timedelta(seconds=20)
_PAUSE = 0.2  # seconds between attempts while Redis is away
#: An exchange with Redis costs as much for many rows as for one: soon after one the next waits a little, and
#: as long again for each few rows of the last, though never longer than in a crowd (seconds).
_SOON, _FEW, _A_LITTLE, _CROWDED = 0.01, 4, 0.002, 0.02
_ROOM = 20_000  # rows that may wait for the next attempt
_PROBE = "linkpay:probe"

Row = tuple[bool, int]  # is it an inbox row, and its id


def connect(url: str, *, patience: float, retries: int = 0) -> Redis:
    """A client for `redis://`, `rediss://` or `unix://`; `patience` in seconds bounds each wait."""
    return Redis.from_url(
        url,
        socket_connect_timeout=patience,
        socket_timeout=patience,
        # The client's default is three tries with up to ten seconds between them.
        retry=Retry(NoBackoff(), retries),
    )


def ring_queue(redis: Redis) -> Queue:
    """RQ's queue that rings travel through: our job class and JSON."""
    return Queue(QUEUE, connection=redis, job_class=RingJob, serializer=JSONSerializer)


def require_room(redis: Redis) -> None:
    """Raise RedisError unless rings can be put there: who is full, or only to be read, answers a PING."""
    redis.set(_PROBE, b"1", ex=RING_TTL)


def workers_heard(redis: Redis) -> list[timedelta]:
    """How long ago each listening worker was last heard, the latest first. Raises RedisError."""
    now = SystemClock().now()
    beats = [worker.last_heartbeat for worker in Worker.all(queue=ring_queue(redis))]
    ages = sorted(now - beat.replace(tzinfo=beat.tzinfo or UTC) for beat in beats if beat is not None)
    return [age for age in ages if age <= WORKER_SILENT]


class Line:
    """The line to Redis for one `purpose`: says once that it broke and once that it works again."""

    def __init__(self, purpose: str) -> None:
        self._purpose = purpose
        self.failures = 0  # since it last worked

    def fails(self, error: RedisError) -> None:
        """An exchange failed."""
        self.failures += 1
        if self.failures == 1:
            reason = f"{type(error).__name__}: {error}"[:200]
            log.warning("Redis is away", extra={"purpose": self._purpose, "reason": reason})

    def works(self) -> None:
        """An exchange went well."""
        if self.failures:
            log.warning("Redis is back", extra={"purpose": self._purpose, "failures": self.failures})
        self.failures = 0


class RqBell:
    """`ports.Bell` over RQ: one background thread gathers rings and sends them. Thread- and fork-safe.

    `gather_seconds` is how long a ring waits for company even when there is none, `rows_per_job` how many
    rows share one RQ job, `patience` how many seconds one exchange with Redis may take.
    """

    def __init__(
        self, redis_url: str, *, gather_seconds: float = 0.0, rows_per_job: int = 100, patience: float = 1.0
    ) -> None:
        self._url = redis_url
        self._gather_seconds = gather_seconds
        self._rows_per_job = rows_per_job
        self._patience = patience
        self._start_over()
        _bells.add(self)

    def _start_over(self) -> None:
        self._changed = threading.Condition()
        self._rows: dict[Row, None] = {}
        self._thread: threading.Thread | None = None
        self._closed = False
        self._last, self._last_at = 0, 0.0  # rows of the last exchange, and when it was over
        self._line = Line("ringing")
        # One retry: a pooled connection may have died with the Redis of before.
        self._queue = ring_queue(connect(self._url, patience=self._patience, retries=1))

    def ring(
        self, inbox_ids: Sequence[int] = (), outbox_ids: Sequence[int] = (), patient_ids: Sequence[int] = ()
    ) -> None:
        """Wake workers for these rows, soon. Returns in microseconds, whatever happens to Redis."""
        with self._changed:
            if self._closed or len(self._rows) >= _ROOM:
                return
            messages = ((True, row) for row in inbox_ids)
            work = ((False, row) for row in chain(outbox_ids, patient_ids))
            self._rows.update(dict.fromkeys(chain(messages, work)))
            if self._rows and self._is_listening():
                self._changed.notify()

    def _is_listening(self) -> bool:
        if self._thread is not None and self._thread.is_alive():
            return True
        self._thread = threading.Thread(target=self._listen, name="bell", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no more threads, or the interpreter is ending
            log.warning("bell cannot start its thread; the sweep will ring")
            return False
        return True

    def close(self, timeout: float = 2.0) -> None:
        """Send what waits, for at most `timeout` seconds; later rings are left to the sweep."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def _listen(self) -> None:
        while rows := self._gather():
            self._send(rows)

    def _gather(self) -> list[Row]:
        """Rows that came while the last ones were sent, and those soon after; empty when closed."""
        with self._changed:
            while not self._rows and not self._closed:
                self._changed.wait()
            hurry = self._closed
        if not hurry:
            time.sleep(_PAUSE if self._line.failures else self._company())
        with self._changed:
            rows, self._rows = list(self._rows), {}
            self._last = len(rows)
            return rows

    def _company(self) -> float:
        """For how many seconds rows wait for others: the more there were just now, the longer."""
        if time.monotonic() - self._last_at > _SOON:
            return self._gather_seconds
        return max(self._gather_seconds, min(_A_LITTLE * (1 + self._last // _FEW), _CROWDED))

    def _send(self, rows: list[Row]) -> None:
        try:
            send_rings(self._queue, _batches(rows, self._rows_per_job))
        except RedisError as error:
            self._line.fails(error)
        else:
            self._line.works()
        self._last_at = time.monotonic()


def send_rings(queue: Queue, rings: Iterable[tuple[list[int], list[int]]]) -> None:
    """Put one RQ job per (inbox ids, outbox ids) on the queue, in one round trip. Raises RedisError."""
    jobs = [
        Queue.prepare_data(
            WAKE, args=list(ids), description="ring", ttl=RING_TTL, result_ttl=0, failure_ttl=RING_TTL
        )
        for ids in rings
    ]
    with queue.connection.pipeline(transaction=False) as pipe:
        queue.enqueue_many(jobs, pipeline=pipe)
        pipe.ltrim(queue.key, -RINGS_KEPT, -1)
        pipe.execute()


def _batches(rows: list[Row], size: int) -> Iterable[tuple[list[int], list[int]]]:
    for start in range(0, len(rows), size):
        batch = rows[start : start + size]
        yield [row for is_inbox, row in batch if is_inbox], [row for is_inbox, row in batch if not is_inbox]


_bells: WeakSet[RqBell] = WeakSet()


def _forget_parent() -> None:
    """A forked child has the parent's locks but not its thread; the parent sends what it gathered."""
    for bell in _bells:
        bell._start_over()


def _ring_out() -> None:
    """What was rung just before the process ends still goes out."""
    for bell in list(_bells):
        bell.close(timeout=1.0)


atexit.register(_ring_out)
os.register_at_fork(after_in_child=_forget_parent)
