"""Jobs as somebody with write access to Redis, and no respect for us, could put them there."""

import json
import os
import pickle
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import StreamRequestHandler, TCPServer
from typing import Any

from redis import Redis

from linkpay.adapters.queue_ring import QUEUE, WAKE

QUEUE_KEY = f"rq:queue:{QUEUE}"
NOW = "2026-01-02T03:04:05.000000Z"


#: Where `note_harm` leaves its mark.
MARKER_VARIABLE = "TEST_HARM_MARKER"


def note_harm(*_arguments: object) -> None:
    """What an attacker would like to see called, as a function or as a callback."""
    Path(os.environ[MARKER_VARIABLE]).touch()


NOTE_HARM = f"{__name__}.{note_harm.__name__}"


def put(redis: Redis, job_id: str, data: bytes, queue_key: str = QUEUE_KEY, **fields: str) -> None:
    """Write the hash and the queue entry by hand, as RQ would find them."""
    plain = {
        "created_at": NOW,
        "enqueued_at": NOW,
        "origin": queue_key.rpartition(":")[2],
        "status": "queued",
    }
    for name, value in {**plain, "timeout": "60", **fields}.items():
        redis.hset(f"rq:job:{job_id}", name, value)
    redis.hset(f"rq:job:{job_id}", "data", data)
    redis.rpush(queue_key, job_id)


def call(name: str, *args: Any) -> bytes:
    """A payload that names a function, in JSON as the queue's own."""
    return zlib.compress(json.dumps([name, None, args, {}]).encode())


class _Touch:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)


def pickled_touch(path: Path) -> bytes:
    """A payload that makes `path` as soon as somebody unpickles it."""
    return zlib.compress(pickle.dumps(("workers.jobs.wake", None, (_Touch(path),), {})))


@contextmanager
def calls_counted() -> Iterator[tuple[str, list[str]]]:
    """A web server that notes each call."""
    calls: list[str] = []

    class Noting(StreamRequestHandler):
        def handle(self) -> None:
            calls.append(self.rfile.readline().decode())

    with TCPServer(("127.0.0.1", 0), Noting) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/", calls
        server.shutdown()
        thread.join()


def webhooks_to(address: str) -> str:
    """RQ's own webhooks, as a job's hash stores them."""
    return json.dumps(
        [{"url": address, "job_status": status, "method": "GET"} for status in ("finished", "failed")]
    )


def put_every_attack(redis: Redis, marker: Path, address: str) -> None:
    """All the ways we know; each would make `marker` (also named by MARKER_VARIABLE) or call `address`."""
    touch, ring = f"touch {marker}", call(WAKE, [666], [])
    harmful = [
        call(NOTE_HARM),
        call("os.system", touch),
        call("subprocess.getoutput", touch),
        call("builtins.eval", f"open({str(marker)!r}, 'w')"),
        call("pathlib.Path.touch", str(marker)),
        pickled_touch(marker),
        zlib.compress(b"[" * 60_000),
        b"\x00not compressed",
        b"",
    ]
    for number, data in enumerate(harmful):
        put(redis, f"harm-{number}", data)
    hook = webhooks_to(address)
    callbacks = ("success_callback_name", "failure_callback_name", "stopped_callback_name")
    for name in callbacks:
        put(redis, f"harm-{name}", ring, **{name: NOTE_HARM})
        put(redis, f"harm-os-{name}", call("os.system", touch), **{name: NOTE_HARM})
    put(redis, "harm-webhook", ring, webhooks=hook)
    put(redis, "harm-failing-webhook", call("os.system", touch), webhooks=hook)
    put(redis, "harm-meta", ring, meta=pickle.dumps(_Touch(marker)).decode("latin-1"))
    put(redis, "harm-result", ring, result=pickle.dumps(_Touch(marker)).decode("latin-1"))
    put(redis, "harm-dependency", ring, dependency_ids='["harm-0"]')
    put(redis, "harm-dates", ring, created_at="yesterday", status="gone", timeout="soon", webhooks="[")
    redis.set("rq:job:harm-type", "a string")
    redis.rpush(QUEUE_KEY, "harm-type", "harm-nowhere", "harm id!", b"\xff\xfe", "")
