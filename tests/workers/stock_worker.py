"""RQ's own worker in a process: ``python -m tests.workers.stock_worker URL SERIALIZER JOB_CLASS [burst]``."""

import sys

from redis import Redis
from rq import SimpleWorker

from linkpay.adapters.queue_ring import QUEUE


def main(url: str, serializer: str, job_class: str, pace: str = "") -> None:
    """Work until the queue is empty (`burst`), or for ever."""
    worker = SimpleWorker([QUEUE], connection=Redis.from_url(url), serializer=serializer, job_class=job_class)
    worker.work(burst=pace == "burst")


if __name__ == "__main__":
    main(*sys.argv[1:])
