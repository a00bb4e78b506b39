"""The one job that may come out of Redis: a ring that carries row ids.

Whoever can write to Redis can put any payload there, and RQ's JSON serializer alone does not help: a
job that names `os.system` is imported and run. So a ring is data. `RingJob` takes nothing from a
stored job but its payload, reads that as JSON only, compares the function's name instead of
importing it, and refuses to be performed: the worker reads the ids and wakes the rows itself.
"""

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from redis import Redis
from rq.job import Job
from rq.serializers import JSONSerializer

from linkpay.errors import LinkPayError

#: The queue that rings travel through.
QUEUE = "rings"
#: What a ring is called on the wire. It is compared, never imported.
WAKE = "workers.jobs.wake"
#: More ids than this in one job were not written by us.
MOST_IDS = 1_000
_PAYLOAD_LIMIT = 64 * 1024  # bytes after decompression: 1,000 ids of 19 digits need 21 KiB
_LARGEST_ID = 2**63 - 1
# What RQ itself stores for a plain job. Callbacks, webhooks, dependencies, retries, meta and
# whatever a later RQ invents are not among them: a job that fills such a field is no ring.
_EXPECTED = frozenset(
    {
        b"created_at",
        b"data",
        b"description",
        b"enqueued_at",
        b"failure_ttl",
        b"origin",
        b"result_ttl",
        b"status",
        b"timeout",
        b"ttl",
    }
)


class RingRefused(LinkPayError):
    """A job on our queue is not a ring; the message says why, with nothing of its contents unquoted."""


@dataclass(frozen=True, slots=True)
class Ring:
    """Rows that were just committed or became due."""

    inbox_ids: tuple[int, ...]
    outbox_ids: tuple[int, ...]


class RingJob(Job):
    """RQ's job, able to carry a ring and nothing else."""

    def __init__(
        self, id: str | None = None, connection: Redis | None = None, serializer: Any = None
    ) -> None:
        # Whatever serializer the caller brings is ignored: RQ's default is pickle, which runs code.
        super().__init__(id, connection, JSONSerializer)
        self._payload = b""
        self._unexpected: tuple[bytes, ...] = ()

    def restore(self, raw_data: Mapping[bytes, bytes]) -> None:
        """Keep the payload for `ring`; everything else in the stored hash stays unread.

        Never raises, whatever the hash holds. RQ's own code finds no call in the job afterwards.
        """
        self._payload = raw_data.get(b"data", b"")
        self._unexpected = tuple(
            sorted(name for name, value in raw_data.items() if value and name not in _EXPECTED)
        )
        self.data = b""

    def ring(self) -> Ring:
        """The ids this job carries. Raises RingRefused when it is anything but a ring."""
        if self._unexpected:
            raise RingRefused(f"it fills fields that a ring leaves empty: {self._unexpected[:5]!r}"[:300])
        match _decode(self._payload):
            case [name, None, [list() as inbox_ids, list() as outbox_ids], {**options}] if not options:
                if name != WAKE:
                    raise RingRefused(f"it names {str(name)[:100]!r}")
                return Ring(_ids(inbox_ids), _ids(outbox_ids))
        raise RingRefused("its payload is not two lists of ids")

    @property
    def func(self) -> Callable[..., Any]:
        """Never anything: RQ must not import what a payload names."""
        self._refuse()

    def perform(self) -> Any:
        """Always raises RingRefused: rings are answered, not executed."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise RingRefused("jobs of this queue are read, never run")


def _decode(payload: bytes) -> Any:
    expander = zlib.decompressobj()
    try:
        text = expander.decompress(payload, _PAYLOAD_LIMIT)
        if expander.unconsumed_tail:
            raise RingRefused("its payload is too large")
        return json.loads(text)
    except (zlib.error, ValueError, RecursionError) as error:
        raise RingRefused(f"its payload is not compressed JSON: {type(error).__name__}") from None


def _ids(values: list[object]) -> tuple[int, ...]:
    ids = tuple(value for value in values if type(value) is int and 1 <= value <= _LARGEST_ID)
    if len(ids) != len(values) or len(ids) > MOST_IDS:
        raise RingRefused("its lists hold something else than row ids, or too many")
    return ids
