"""One webhook as a task of other queues: ``python -m tests.bench.plain_tasks QUEUE WHAT [FIRST LAST]``.

QUEUE is `rq`, `rq-simple`, `celery`, `celery-prefork` or `dramatiq`. WHAT is `work`, or `fill` with the ids
of messages, one task each. Each does what our worker does with a message, by the same code; settings come
from the environment. Celery and dramatiq are looked for where PYTHONPATH says.
"""

import os
import sys
import threading
from collections.abc import Callable
from functools import cache

from redis import Redis
from rq import Queue, SimpleWorker, Worker
from rq.worker import BaseWorker

from config.settings import load_settings
from linkpay.bootstrap import UNHURRIED, build
from linkpay.services.parts import Parts
from workers import jobs

THREADS, PROCESSES = "64", "2"
_QUEUE = "plain"
_FOLLOW = "tests.bench.plain_tasks.follow"


@cache
def _parts() -> Parts:
    return build(load_settings(), lock_timeout=UNHURRIED)


def follow(row_id: int) -> None:
    """Fetch the payment that a message is about, and book it."""
    jobs.run(_parts(), "inbox", row_id)


def _redis_url() -> str:
    return os.environ["REDIS_URL"]


def _rq(worker: type[BaseWorker], what: str, ids: range) -> None:
    redis = Redis.from_url(_redis_url())
    queue = Queue(_QUEUE, connection=redis)
    if what == "work":
        worker([queue], connection=redis).work(logging_level="WARNING")
        return
    queue.enqueue_many([Queue.prepare_data(_FOLLOW, (row_id,), result_ttl=0) for row_id in ids])


def _celery(pool: str, what: str, ids: range) -> None:
    from celery import Celery  # noqa: PLC0415 - only who asks for it has it

    app = Celery("plain", broker=_redis_url().replace("unix://", "redis+socket://"))
    app.conf.update(task_default_queue=_QUEUE, task_ignore_result=True)
    task = app.task(follow, name="follow")
    if what == "work":
        size = THREADS if pool == "threads" else PROCESSES
        app.worker_main(["worker", "-P", pool, "-c", size, "-l", "WARNING", "--without-gossip", "-Ofair"])
        return
    for row_id in ids:
        task.delay(row_id)


def _dramatiq(what: str, ids: range) -> None:
    import dramatiq  # noqa: PLC0415 - as above
    from dramatiq.brokers.redis import RedisBroker  # noqa: PLC0415 - as above

    broker = RedisBroker(url=_redis_url())
    dramatiq.set_broker(broker)
    actor = dramatiq.actor(follow, queue_name=_QUEUE, max_retries=0)
    if what == "work":
        dramatiq.Worker(broker, worker_threads=int(THREADS)).start()
        threading.Event().wait()
    for row_id in ids:
        actor.send(row_id)


QUEUES: dict[str, Callable[[str, range], None]] = {
    "rq": lambda what, ids: _rq(Worker, what, ids),
    "rq-simple": lambda what, ids: _rq(SimpleWorker, what, ids),
    "celery": lambda what, ids: _celery("threads", what, ids),
    "celery-prefork": lambda what, ids: _celery("prefork", what, ids),
    "dramatiq": _dramatiq,
}


if __name__ == "__main__":
    first, last = (int(word) for word in sys.argv[3:5]) if sys.argv[3:] else (1, 0)
    QUEUES[sys.argv[1]](sys.argv[2], range(first, last + 1))
