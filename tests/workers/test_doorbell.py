"""Answering rings on a real Valkey, in this process: what arrives, and what must not."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue, Worker
from rq.command import send_command
from rq.suspension import suspend
from rq.utils import as_text

from linkpay.adapters.queue import RqBell, ring_queue, send_rings
from linkpay.adapters.queue_ring import Ring
from tests.waiting import eventually
from tests.workers.raw_jobs import MARKER_VARIABLE, QUEUE_KEY, call, calls_counted, put, put_every_attack
from tests.workers.valkey import Valkey
from workers.doorbell import answer_rings
from workers.stopping import StopSignal


class Listener:
    """Remembers the rings it is woken with; then it does what the test says."""

    def __init__(self, url: str) -> None:
        self.rings: list[Ring] = []
        self.act: Callable[[], object] = lambda: None
        self._stop = StopSignal()
        self._thread = threading.Thread(target=answer_rings, args=(url, self._wake, self._stop))
        self._thread.start()

    def _wake(self, ring: Ring) -> None:
        self.rings.append(ring)
        self.act()

    def rows(self) -> set[int]:
        return {row_id for ring in self.rings for row_id in (*ring.inbox_ids, *ring.outbox_ids)}

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def end(self) -> None:
        self._stop.request()
        self._thread.join(10)
        assert not self.is_alive()


@contextmanager
def listening(valkey: Valkey) -> Iterator[Listener]:
    listener = Listener(valkey.url)
    try:
        yield listener
    finally:
        listener.end()


@pytest.fixture
def redis(valkey: Valkey) -> Iterator[Redis]:
    with valkey.client() as client:
        yield client


def test_a_ring_reaches_the_worker_with_its_ids(valkey: Valkey) -> None:
    with listening(valkey) as listener, closing(RqBell(valkey.url)) as bell:
        bell.ring([1, 2], [3])
        eventually(lambda: listener.rings)
    assert listener.rings == [Ring((1, 2), (3,))]


def test_an_answered_ring_leaves_nothing_in_redis_but_the_workers_own_entry(
    valkey: Valkey, redis: Redis
) -> None:
    with listening(valkey) as listener:
        send_rings(ring_queue(redis), [([row_id], []) for row_id in range(1, 51)])
        eventually(lambda: len(listener.rings) == 50)
        left = {as_text(key) for key in redis.keys("*")}
        (name,) = (worker.name for worker in Worker.all(redis))
    assert left == {f"rq:worker:{name}", "rq:workers", "rq:workers:rings", "rq:queues"}
    assert Worker.all(redis) == []


def test_nothing_that_is_put_into_redis_by_hand_is_run(
    valkey: Valkey,
    redis: Redis,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(MARKER_VARIABLE, str(tmp_path / "harmed"))
    with calls_counted() as (address, calls), listening(valkey) as listener:
        put_every_attack(redis, tmp_path / "harmed", address)
        put(redis, "good", call("workers.jobs.wake", [1], [2]))
        eventually(lambda: listener.rings)
    assert listener.rings == [Ring((1,), (2,))]
    assert not (tmp_path / "harmed").exists()
    assert calls == []
    refused = [record for record in caplog.records if record.getMessage() == "refused a job that is no ring"]
    assert len(refused) >= 20
    assert {record.levelno for record in caplog.records} == {logging.ERROR}, "and no outage was suspected"


def test_what_stops_rqs_own_worker_does_not_stop_ours(valkey: Valkey, redis: Redis) -> None:
    suspend(redis)
    redis.set("rq:clean_registries:rings", 1)
    with listening(valkey) as listener:
        eventually(lambda: Worker.all(redis))
        (worker,) = Worker.all(redis)
        for command in ("shutdown", "kill-horse", "stop-job"):
            send_command(redis, worker.name, command, job_id="any")
        send_rings(ring_queue(redis), [([1], [])])
        eventually(lambda: listener.rings)


def test_a_redis_that_comes_back_empty_is_listened_to_again(
    valkey: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with listening(valkey) as listener, closing(RqBell(valkey.url)) as bell:
        for round_number in range(1, 4):
            bell.ring([round_number])
            eventually(lambda: len(listener.rows()) == round_number)  # noqa: B023 - called at once
            valkey.kill()
            valkey.start()
            with valkey.client() as redis:
                eventually(lambda: Worker.count(redis, queue=Queue("rings", connection=redis)) == 1)

        def told() -> list[str]:
            said = [r for r in caplog.records if vars(r).get("purpose") == "listening for rings"]
            return [record.getMessage() for record in said]

        eventually(lambda: len(told()) >= 6)
        assert told() == ["Redis is away", "Redis is back"] * 3


def test_a_worker_that_finds_no_room_for_a_ring_shows_life_all_the_same(valkey: Valkey, redis: Redis) -> None:
    room = threading.Event()

    def heard_at() -> datetime | None:
        (worker,) = Worker.all(redis)
        return worker.last_heartbeat

    with listening(valkey) as listener:
        listener.act = lambda: room.wait(60)
        send_rings(ring_queue(redis), [([1], [])])
        eventually(lambda: listener.rings)
        before = heard_at()
        eventually(lambda: heard_at() != before, within=10.0)
        room.set()
    assert Worker.all(redis) == []


def test_a_worker_that_starts_before_redis_waits_for_it(valkey: Valkey) -> None:
    valkey.kill()
    with listening(valkey) as listener, closing(RqBell(valkey.url)) as bell:
        bell.ring([1])
        valkey.start()
        while not listener.rings:
            bell.ring([2])
            time.sleep(0.05)


def test_a_worker_stops_at_once_while_redis_is_away(valkey: Valkey) -> None:
    with listening(valkey) as listener:
        valkey.kill()
        time.sleep(1.5)  # in the longest pause
        started = time.monotonic()
        listener.end()
    assert time.monotonic() - started < 1


def test_a_queue_of_another_type_is_waited_out(valkey: Valkey, redis: Redis) -> None:
    redis.set(QUEUE_KEY, "a string")
    with listening(valkey) as listener:
        redis.delete(QUEUE_KEY)
        send_rings(ring_queue(redis), [([1], [])])
        eventually(lambda: listener.rings)


def test_listening_takes_two_threads_and_no_process(valkey: Valkey, redis: Redis) -> None:
    before, children = threading.active_count(), Path(f"/proc/self/task/{os.getpid()}/children")
    family = set(children.read_text().split())
    with listening(valkey) as listener:
        send_rings(ring_queue(redis), [([1], [])])
        eventually(lambda: listener.rings)
        assert threading.active_count() == before + 2
        assert set(children.read_text().split()) <= family
