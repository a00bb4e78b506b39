"""The worker and the clock as the Procfile starts them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from rq import Worker

from linkpay.store import schema
from linkpay.store.db import Database
from tests.waiting import eventually
from tests.workers.valkey import Valkey

Start = Callable[[str], subprocess.Popen[bytes]]


@pytest.fixture
def start(valkey: Valkey, tmp_path: Path) -> Iterator[Start]:
    """Starts a module on an empty, migrated SQLite file."""
    database_url = f"sqlite:///{tmp_path}/linkpay.sqlite"
    database = Database(database_url)
    schema.upgrade(database)
    database.dispose()
    settings = {
        "LINKPAY_ENV": "test",
        "DATABASE_URL": database_url,
        "REDIS_URL": valkey.url,
        "SECRET_KEY": "test_secret_of_no_worth_whatsoever",
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "BASE_URL": "http://linkpay.test",
        "MOLLIE_API_URL": "http://mollie.test",
        "KAJABI_API_URL": "http://kajabi.test",
        "KAJABI_WEBHOOK_HOSTS": "kajabi.test",
        "CLOCK_LIFE_SIGN": str(tmp_path / "alive"),
    }
    started: list[subprocess.Popen[bytes]] = []

    def start_one(module: str) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, "-m", module], env={**os.environ, **settings}))
        return started[-1]

    yield start_one
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


def seconds_to_stop(process: subprocess.Popen[bytes], number: signal.Signals) -> float:
    started = time.monotonic()
    process.send_signal(number)
    assert process.wait(20) == 0
    return time.monotonic() - started


def test_the_worker_listens_and_stops_when_told(start: Start, valkey: Valkey) -> None:
    worker = start("workers.worker")
    with valkey.client() as redis:
        eventually(lambda: Worker.count(redis) == 1)
        assert seconds_to_stop(worker, signal.SIGTERM) < 10
        assert Worker.count(redis) == 0


def test_the_clock_turns_shows_life_and_stops_before_its_next_turn(start: Start, tmp_path: Path) -> None:
    clock = start("workers.clock")
    sign = tmp_path / "alive"
    eventually(sign.exists)
    turned_at = sign.stat().st_mtime_ns
    assert seconds_to_stop(clock, signal.SIGINT) < 10
    assert sign.stat().st_mtime_ns == turned_at  # the next would have been five seconds later
