"""Answers rings: takes them off RQ's queue and hands the row ids over. Long-lived, never forks.

RQ's own worker spends about 55 Redis commands on a job to follow its fate. A ring has no fate: the
row it names is the job, and the sweep rings again. So a ring is taken and deleted in two round
trips and leaves no trace in RQ's registries. What stays RQ's: the queue, the job's format, and the
worker's entry in the list of workers.
"""

import logging
from collections.abc import Callable
from contextlib import suppress

from redis import Redis
from redis.exceptions import RedisError
from rq import SimpleWorker, worker_registration
from rq.serializers import JSONSerializer
from rq.utils import as_text
from rq.utils import now as rq_now
from rq.worker import WorkerStatus

from linkpay.adapters.queue import Line, connect, ring_queue
from linkpay.adapters.queue_ring import Ring, RingJob, RingRefused
from workers.heart import Heart
from workers.nearby import Due
from workers.pool import Pool
from workers.stopping import StopSignal

log = logging.getLogger(__name__)

#: Called with each ring; may block while there is no room.
Wake = Callable[[Ring], None]

#: How long accepted rows may take to end; supervisors send SIGKILL after 30 seconds or more.
DRAIN_SECONDS = 25.0
WORKER_TTL = 20  # seconds after which RQ calls a silent worker dead, plus RQ's own 60
_TAKE = 1  # seconds one blocking pop lasts: how soon a stop is noticed
_PATIENCE = 5.0  # seconds for one exchange; a dead line is noticed within this
_LONGEST_PAUSE = 2.0  # seconds between attempts while Redis is away


class RingWorker(SimpleWorker):
    """One connection's worth of listening; a lost connection gets a new worker.

    Of RQ's worker it uses birth, death and the sign of life. RQ's suspension, its remote commands
    and its maintenance are left out: they serve jobs that live in Redis, and each is a way to stop
    or occupy a worker from there.
    """

    def __init__(self, connection: Redis, wake: Wake) -> None:
        super().__init__(
            [ring_queue(connection)],
            connection=connection,
            job_class=RingJob,
            serializer=JSONSerializer,
            worker_ttl=WORKER_TTL,
            maintenance_interval=5,
            job_monitoring_interval=5,
        )
        self._wake = wake

    @property
    def connection_timeout(self) -> int:
        """Seconds RQ lets one command take: longer than the blocking pop, short for a dead line."""
        return int(_TAKE + _PATIENCE)

    def listen(self, stop: StopSignal, line: Line) -> None:
        """Take rings and wake their rows until `stop`. Raises RedisError when Redis is lost."""
        self.register_birth()  # type: ignore[no-untyped-call]  # RQ leaves it unannotated
        # From a thread of its own: who waits for room in a full pool is busy, not dead.
        with Heart("sign of life", self._show_life):
            while not stop.requested:
                job = self._take()
                line.works()
                if job is not None:
                    self._answer(job)
        self.register_death()  # type: ignore[no-untyped-call]  # RQ leaves it unannotated

    def _take(self) -> RingJob | None:
        """The next job, deleted from Redis; None when none came in time or it is gone already."""
        popped = self.connection.blpop([self.queues[0].key], timeout=_TAKE)
        if popped is None:
            return None
        try:
            job = RingJob(as_text(popped[1]), self.connection)
        except ValueError:
            log.error("refused a job that is no ring", extra={"reason": "RQ makes no such id"})
            return None
        with self.connection.pipeline(transaction=False) as pipe:
            pipe.hgetall(job.key)
            pipe.unlink(job.key)
            # A key of the wrong type is no reason to stop: look at the answers, not their errors.
            stored, _ = pipe.execute(raise_on_error=False)
        if isinstance(stored, dict) and stored:
            job.restore(stored)
            return job
        return None

    def _answer(self, job: RingJob) -> None:
        try:
            ring = job.ring()
        except RingRefused as refusal:
            log.error("refused a job that is no ring", extra={"job_id": job.id, "reason": str(refusal)})
            self.failed_job_count += 1
            return
        self._wake(ring)
        self.successful_job_count += 1

    def _show_life(self) -> None:
        """Keep this worker in RQ's list, also in a Redis that came back empty."""
        self.last_heartbeat = rq_now()
        life = self.serialize()
        life["state"] = WorkerStatus.IDLE.value
        life["successful_job_count"] = self.successful_job_count
        life["failed_job_count"] = self.failed_job_count
        with suppress(RedisError):  # who listens hears of it as well, and says so
            with self.connection.pipeline(transaction=False) as pipe:
                pipe.hset(self.key, mapping=life)
                worker_registration.register(self, pipe)
                pipe.expire(self.key, self.worker_ttl + 60)
                pipe.execute()
            worker_registration.clean_worker_registry(self.queues[0])


def answer_rings(redis_url: str, wake: Wake, stop: StopSignal) -> None:
    """Listen until `stop`, through any number of Redis outages, also one that loses all data.

    Reconnecting beats dying: a supervisor gives up on a process that dies at each start, and Redis
    may be away for longer than that.
    """
    line = Line("listening for rings")
    while not stop.requested:
        connection = connect(redis_url, patience=_PATIENCE)
        try:
            RingWorker(connection, wake).listen(stop, line)
        except RedisError as error:
            line.fails(error)
            stop.sleep(min(0.1 * 2 ** min(line.failures, 10), _LONGEST_PAUSE))
        finally:
            connection.close()


def _all_of_it(ring: Ring) -> Due:
    return Due(ring.inbox_ids, ring.outbox_ids)


def serve(redis_url: str, pool: Pool, sift: Callable[[Ring], Due] = _all_of_it) -> bool:
    """Run rung rows on `pool` until SIGTERM or SIGINT, then finish what was accepted.

    `sift` leaves out of a ring what needs no run any more, and says what of it can wait. False when
    rows still ran after DRAIN_SECONDS: their leases run out and the sweep rings again.
    """
    stop = StopSignal(pool.close)
    stop.install()

    def hand_over(ring: Ring) -> None:
        due = sift(ring)
        pool.submit_many("inbox", due.inbox_ids)
        pool.submit_many("outbox", due.outbox_ids)
        pool.submit_patient("outbox", due.patient_ids)

    answer_rings(redis_url, hand_over, stop)
    is_drained = pool.drain(DRAIN_SECONDS)
    counts = pool.counts()
    log.info("worker stops", extra={"finished": counts.finished, "still_running": counts.running})
    return is_drained
