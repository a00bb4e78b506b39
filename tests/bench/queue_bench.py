"""What a ring costs, beside what RQ's own worker costs: ``python -m tests.bench.queue_bench [RINGS]``.

Both serve the same Valkey on a unix socket, each in a process of its own, one after the other in the
same run. The stock worker runs a function that does nothing; ours wakes one row that does nothing.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from redis import Redis
from rq import Queue

from linkpay.adapters.queue import RqBell, ring_queue, send_rings
from linkpay.adapters.queue_ring import QUEUE, Ring
from tests.bench.report import Figure
from tests.waiting import eventually
from tests.workers.valkey import Valkey
from workers.doorbell import answer_rings
from workers.pool import Pool
from workers.stopping import StopSignal

STOCK = ["tests.workers.stock_worker", "{url}", "json", "rq.job.Job"]
OURS = ["tests.workers.bellhop", "{url}", "/dev/null", "0", "16"]
Fill = Callable[[Redis, int], None]


def fill_stock(redis: Redis, jobs: int) -> None:
    """Jobs that do nothing, as RQ enqueues them in bulk."""
    data = [Queue.prepare_data("time.monotonic", result_ttl=0) for _ in range(jobs)]
    Queue(QUEUE, connection=redis, serializer="json").enqueue_many(data)


def fill_rings(redis: Redis, rings: int) -> None:
    """Rings of one row each, so that a ring and a job compare one to one; at most 1,000."""
    send_rings(ring_queue(redis), [([row_id], []) for row_id in range(1, rings + 1)])


def commands(redis: Redis) -> int:
    """All commands the server has served."""
    return int(redis.info("stats")["total_commands_processed"])


@contextmanager
def worker_process(command: list[str], url: str) -> Iterator[None]:
    """A worker that is already listening."""
    arguments = [part.format(url=url) for part in command]
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        with Redis.from_url(url) as redis:
            eventually(lambda: redis.exists("rq:workers"))
        time.sleep(0.5)
        yield
    finally:
        process.terminate()
        process.wait(30)


def throughput(command: list[str], fill: Fill, jobs: int) -> tuple[float, float]:
    """Jobs a second, and Redis commands a job, of one worker process."""
    server = Valkey()
    server.start()
    try:
        with server.client() as redis, worker_process(command, server.url):
            fill(redis, jobs)
            before, started = commands(redis), time.perf_counter()
            left = redis.llen(f"rq:queue:{QUEUE}")
            polls = 1
            while redis.llen(f"rq:queue:{QUEUE}"):
                polls += 1
                time.sleep(0.002)
            took = time.perf_counter() - started
            return left / took, (commands(redis) - before - polls) / left
    finally:
        server.discard()


def latencies(rings: int) -> list[float]:
    """Milliseconds from `RqBell.ring` to the start of the row's run, sorted; one ring at a time."""
    server, rung, times = Valkey(), dict[int, float](), list[float]()
    server.start()
    stop = StopSignal()
    pool = Pool(4, 32, lambda _kind, row_id: times.append(1_000 * (time.perf_counter() - rung[row_id])))

    def wake(ring: Ring) -> None:
        pool.submit_many("inbox", ring.inbox_ids)

    listener = threading.Thread(target=answer_rings, args=(server.url, wake, stop))
    listener.start()
    with closing(RqBell(server.url)) as bell:
        for row_id in range(1, rings + 1):
            rung[row_id] = time.perf_counter()
            bell.ring([row_id])
            eventually(lambda: len(times) == row_id)  # noqa: B023 - called at once
            time.sleep(0.015)  # a lone ring: one soon after another waits for company
    stop.request()
    listener.join()
    server.discard()
    return sorted(times[20:])


def stock_latencies(jobs: int) -> list[float]:
    """Milliseconds from enqueueing to the end of a job of RQ's own SimpleWorker, sorted."""
    server, times = Valkey(), list[float]()
    server.start()
    try:
        with server.client() as redis, worker_process(STOCK, server.url):
            queue = Queue(QUEUE, connection=redis, serializer="json")
            for _ in range(jobs):
                started = time.perf_counter()
                job = queue.enqueue("time.monotonic", result_ttl=10)
                eventually(lambda: redis.hexists(job.key, "started_at"))  # noqa: B023 - called at once
                times.append(1_000 * (time.perf_counter() - started))
                time.sleep(0.01)
    finally:
        server.discard()
    return sorted(times[20:])


def run(rounds: int, _database_url: str | None) -> list[Figure]:
    """The figures of this part: what a ring costs beside a job of RQ's own worker."""
    stock = [throughput(STOCK, fill_stock, 500) for _ in range(rounds)]
    ours = [throughput(OURS, fill_rings, 1_000) for _ in range(rounds)]
    rates, floor = [rate for rate, _ in ours], [rate for rate, _ in stock]
    ratio = sorted(rates)[rounds // 2] / sorted(floor)[rounds // 2]
    return [
        Figure("burst", "rows woken a second, one worker", "/s", rates, floor, "RQ's SimpleWorker"),
        Figure("burst", "times RQ's quicker worker", "x", [ratio]),
        Figure("burst", "Redis commands a ring", "", [cost for _, cost in ours], [cost for _, cost in stock],
               "RQ's SimpleWorker"),
    ]  # fmt: skip


def main(rings: int) -> None:
    """Print the table."""
    stock_rate, stock_cost = throughput(STOCK, fill_stock, rings)
    our_rate, our_cost = throughput(OURS, fill_rings, rings)
    stock_ms, our_ms = stock_latencies(220), latencies(420)
    rows = [
        ("worker", "jobs/s", "commands/job", "start p50 ms", "start p99 ms"),
        ("rq SimpleWorker", stock_rate, stock_cost, _at(stock_ms, 0.5), _at(stock_ms, 0.99)),
        ("ring worker", our_rate, our_cost, _at(our_ms, 0.5), _at(our_ms, 0.99)),
    ]
    for name, *figures in rows:
        cells = [f"{figure:>13.1f}" if isinstance(figure, float) else f"{figure:>13}" for figure in figures]
        sys.stdout.write(f"{name:<26}{''.join(cells)}\n")


def _at(values: list[float], share: float) -> float:
    return values[int(share * (len(values) - 1))]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
