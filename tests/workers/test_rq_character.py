"""What the pinned RQ does that our parts are built around. A failure here means: read its changes first."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from linkpay.adapters.queue_ring import WAKE
from tests.waiting import eventually
from tests.workers.raw_jobs import (
    MARKER_VARIABLE,
    NOTE_HARM,
    QUEUE_KEY,
    call,
    calls_counted,
    pickled_touch,
    put,
    webhooks_to,
)
from tests.workers.valkey import Valkey

STOCK = "rq.job.Job"
OURS = "linkpay.adapters.queue_ring.RingJob"


@pytest.fixture
def redis(valkey: Valkey) -> Iterator[Redis]:
    with valkey.client() as client:
        yield client


@pytest.fixture
def marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "harmed"
    monkeypatch.setenv(MARKER_VARIABLE, str(path))
    return path


def start_stock(valkey: Valkey, serializer: str, job_class: str, *pace: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.workers.stock_worker", valkey.url, serializer, job_class, *pace]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def work_off(valkey: Valkey, serializer: str, job_class: str) -> None:
    """Let RQ's own worker empty the queue."""
    assert start_stock(valkey, serializer, job_class, "burst").wait(30) == 0


@pytest.mark.parametrize(("job_class", "runs"), [(STOCK, True), (OURS, False)])
def test_json_alone_runs_whatever_a_job_names(
    valkey: Valkey, redis: Redis, marker: Path, job_class: str, runs: bool
) -> None:
    put(redis, "job", call("os.system", f"touch {marker}"))
    work_off(valkey, "json", job_class)
    assert redis.llen(QUEUE_KEY) == 0
    assert marker.exists() is runs


@pytest.mark.parametrize(("job_class", "runs"), [(STOCK, True), (OURS, False)])
def test_pickle_runs_what_a_payload_holds(
    valkey: Valkey, redis: Redis, marker: Path, job_class: str, runs: bool
) -> None:
    put(redis, "job", pickled_touch(marker))
    work_off(valkey, "pickle", job_class)
    assert marker.exists() is runs


@pytest.mark.parametrize(("job_class", "runs"), [(STOCK, True), (OURS, False)])
@pytest.mark.parametrize(
    "callback", [("builtins.len", "success_callback_name"), ("no.such", "failure_callback_name")]
)
def test_a_job_brings_its_own_callbacks(
    *, valkey: Valkey, redis: Redis, marker: Path, job_class: str, runs: bool, callback: tuple[str, str]
) -> None:
    name, field = callback
    put(redis, "job", call(name, "abc"), **{field: NOTE_HARM})
    work_off(valkey, "json", job_class)
    assert marker.exists() is runs


@pytest.mark.parametrize(("job_class", "runs"), [(STOCK, True), (OURS, False)])
def test_a_job_brings_its_own_webhooks(valkey: Valkey, redis: Redis, job_class: str, runs: bool) -> None:
    with calls_counted() as (address, calls):
        put(redis, "job", call("builtins.len", "abc"), webhooks=webhooks_to(address))
        work_off(valkey, "json", job_class)
    assert bool(calls) is runs


def test_rqs_own_worker_refuses_even_a_good_ring_rather_than_import_it(valkey: Valkey, redis: Redis) -> None:
    put(redis, "job", call(WAKE, [1], [2]))
    work_off(valkey, "json", OURS)
    assert redis.hget("rq:job:job", "status") == b"failed"


def test_rqs_own_worker_dies_with_redis_so_ours_reconnects_instead(valkey: Valkey, redis: Redis) -> None:
    put(redis, "job", call("time.sleep", 2))
    worker = start_stock(valkey, "json", STOCK)
    eventually(lambda: redis.hget("rq:job:job", "status") == b"started")
    valkey.kill()
    assert worker.wait(30) != 0


def test_rqs_own_worker_spends_dozens_of_commands_on_a_job(valkey: Valkey, redis: Redis) -> None:
    def total() -> int:
        return int(redis.info("stats")["total_commands_processed"])

    def cost_of(jobs: int) -> int:
        for number in range(jobs):
            put(redis, f"job-{number}", call("builtins.len", "abc"))
        before = total()
        work_off(valkey, "json", STOCK)
        return total() - before

    assert (cost_of(30) - cost_of(10)) / 20 > 40
