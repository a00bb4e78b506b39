"""The bell on a real Valkey: it batches, never waits, never raises, and survives forks and outages."""

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from linkpay.adapters.queue import RINGS_KEPT, RqBell, connect, require_room, ring_queue, send_rings
from linkpay.adapters.queue_ring import RingJob
from tests.waiting import eventually
from tests.workers.valkey import Valkey


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """A running Valkey of this test's own."""
    server = Valkey()
    server.start()
    yield server
    server.discard()


@pytest.fixture
def redis(valkey: Valkey) -> Iterator[Redis]:
    with connect(valkey.url, patience=10) as client:
        yield client


def rung(redis: Redis) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """What every job on the queue carries, oldest first."""
    jobs = [RingJob.fetch(job_id, redis) for job_id in ring_queue(redis).job_ids]
    rings = [job.ring() for job in jobs if isinstance(job, RingJob)]
    return [(ring.inbox_ids, ring.outbox_ids) for ring in rings]


def test_rings_of_the_same_moment_share_one_job(valkey: Valkey, redis: Redis) -> None:
    with closing(RqBell(valkey.url, gather_seconds=0.5)) as bell:
        bell.ring([1], [7])
        bell.ring(outbox_ids=[8, 7])
        bell.ring(inbox_ids=[2])
        eventually(lambda: rung(redis))
    assert rung(redis) == [((1, 2), (7, 8))]


def test_one_without_room_answers_and_takes_no_rings(valkey: Valkey, redis: Redis) -> None:
    require_room(redis)
    redis.config_set("maxmemory", "1")
    assert redis.ping()
    with pytest.raises(RedisError, match="maxmemory"):
        require_room(redis)
    valkey.kill()
    with pytest.raises(RedisError):
        require_room(redis)


def test_a_ring_is_on_the_queue_within_milliseconds(valkey: Valkey, redis: Redis) -> None:
    with closing(RqBell(valkey.url)) as bell:
        bell.ring([1])
        eventually(lambda: rung(redis))
        bell.ring([2])
        eventually(lambda: len(rung(redis)) == 2, within=1)


def test_many_rows_are_spread_over_jobs_of_a_hundred(valkey: Valkey, redis: Redis) -> None:
    with closing(RqBell(valkey.url)) as bell:
        bell.ring(range(1, 251), range(1, 51))
    rings = rung(redis)
    assert [len(inbox) + len(outbox) for inbox, outbox in rings] == [100, 100, 100]
    assert sorted(row for inbox, _ in rings for row in inbox) == list(range(1, 251))
    assert sorted(row for _, outbox in rings for row in outbox) == list(range(1, 51))


def test_ringing_for_nothing_sends_nothing(valkey: Valkey, redis: Redis) -> None:
    with closing(RqBell(valkey.url)) as bell:
        bell.ring()
        bell.ring([], [])
    assert rung(redis) == []


def test_ringing_takes_microseconds(valkey: Valkey) -> None:
    with closing(RqBell(valkey.url)) as bell:
        bell.ring([1])
        times = []
        for row_id in range(2, 2_002):
            started = time.perf_counter()
            bell.ring(outbox_ids=[row_id])
            times.append(time.perf_counter() - started)
    assert sorted(times)[1_000] < 0.000_1


def test_rings_do_not_pile_up_where_nobody_listens(redis: Redis) -> None:
    for first in range(1, RINGS_KEPT + 501, 500):
        send_rings(ring_queue(redis), [([row_id], []) for row_id in range(first, first + 500)])
    kept = rung(redis)
    assert len(kept) == RINGS_KEPT
    assert kept[-1] == ((RINGS_KEPT + 500,), ()), "the newest stay"
    job_id = ring_queue(redis).job_ids[0]
    assert 0 < redis.ttl(RingJob.key_for(job_id)) <= 60


def test_an_outage_costs_the_ring_but_neither_time_nor_an_error(
    valkey: Valkey, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    def told() -> list[str]:
        return [record.getMessage() for record in caplog.records]

    with closing(RqBell(valkey.url)) as bell:
        bell.ring([1])
        eventually(lambda: rung(redis))
        valkey.kill()
        spent = 0.0
        for row_id in range(2, 40):
            started = time.perf_counter()
            bell.ring([row_id])
            spent += time.perf_counter() - started
            time.sleep(0.02)
        assert spent < 1, "one try alone may take a second"
        eventually(lambda: told() == ["Redis is away"])
        valkey.start()
        bell.ring([100])
        eventually(lambda: any(100 in inbox_ids for inbox_ids, _ in rung(redis)), within=3)
        eventually(lambda: told() == ["Redis is away", "Redis is back"])


def test_a_redis_that_was_restarted_between_two_rings_costs_none(valkey: Valkey, redis: Redis) -> None:
    with closing(RqBell(valkey.url)) as bell:
        bell.ring([1])
        eventually(lambda: rung(redis))
        valkey.kill()
        valkey.start()
        bell.ring([2])
        eventually(lambda: rung(redis) == [((2,), ())], within=3)


@pytest.fixture
def silent_address(tmp_path: Path) -> Iterator[str]:
    """An address that takes connections and never answers, like a machine that hangs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}"


def test_a_redis_that_hangs_holds_nobody_up(silent_address: str) -> None:
    bell = RqBell(silent_address, patience=0.2)
    started = time.perf_counter()
    for row_id in range(1, 200):
        bell.ring([row_id])
    assert time.perf_counter() - started < 2, "each would have waited for 0.2 s"
    bell.close(timeout=0.1)


def test_closing_sends_what_waits_and_ends_the_thread(valkey: Valkey, redis: Redis) -> None:
    before = threading.active_count()
    bell = RqBell(valkey.url, gather_seconds=0.5)
    bell.ring([1])
    bell.close()
    assert rung(redis) == [((1,), ())]
    bell.ring([2])
    assert threading.active_count() == before
    assert len(rung(redis)) == 1


def test_a_ring_just_before_the_process_ends_still_goes_out(valkey: Valkey, redis: Redis) -> None:
    program = f"from linkpay.adapters.queue import RqBell; bell = RqBell({valkey.url!r}); bell.ring([1])"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=20)
    assert rung(redis) == [((1,), ())]


def test_a_forked_child_rings_for_itself_only(valkey: Valkey, redis: Redis) -> None:
    with closing(RqBell(valkey.url, gather_seconds=0.3)) as bell:
        bell.ring([1])
        child = os.fork()
        if child == 0:
            bell.ring([2])
            bell.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    assert sorted(rung(redis)) == [((1,), ()), ((2,), ())]


def test_many_threads_ring_at_once_and_every_row_arrives(valkey: Valkey, redis: Redis) -> None:
    with closing(RqBell(valkey.url)) as bell:

        def ring_one_by_one(first: int) -> None:
            for row_id in range(first, first + 200):
                bell.ring([row_id])

        ringers = [threading.Thread(target=ring_one_by_one, args=(first,)) for first in range(1, 1_601, 200)]
        for ringer in ringers:
            ringer.start()
        for ringer in ringers:
            ringer.join()
    assert sorted(row for inbox, _ in rung(redis) for row in inbox) == list(range(1, 1_601))
