"""What may come out of Redis: two lists of row ids. All else is refused, and nothing of it runs."""

import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from linkpay.adapters.queue_ring import MOST_IDS, WAKE, Ring, RingJob, RingRefused

#: Never connected to: what a job holds is decided without asking Redis.
NOWHERE = Redis.from_url("unix:///nowhere")


def payload(*call: Any) -> bytes:
    return zlib.compress(json.dumps(call).encode())


def stored(data: bytes, **fields: str) -> RingJob:
    job = RingJob("ring-1", NOWHERE)
    job.restore({b"data": data, **{name.encode(): value.encode() for name, value in fields.items()}})
    return job


def test_a_ring_gives_its_ids() -> None:
    job = stored(payload(WAKE, None, [[1, 2], [3]], {}), origin="rings", success_callback_name="")
    assert job.ring() == Ring((1, 2), (3,))


def test_what_is_made_here_can_be_read_there() -> None:
    made = RingJob.create(WAKE, args=[[5], [6, 7]], connection=NOWHERE)
    job = RingJob("ring-1", NOWHERE)
    job.restore({name.encode(): _as_bytes(value) for name, value in made.to_dict().items()})
    assert job.ring() == Ring((5,), (6, 7))


def _as_bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.mark.parametrize(
    "call",
    [
        ("os.system", None, ["true"], {}),
        ("subprocess.run", None, [["true"]], {}),
        ("builtins.eval", None, ["1"], {}),
        ("workers.jobs.wake_", None, [[1], [2]], {}),
        ("workers.jobs", None, [[1], [2]], {}),
        ([WAKE], None, [[1], [2]], {}),
        (None, None, [[1], [2]], {}),
        (WAKE, {"any": "instance"}, [[1], [2]], {}),
        (WAKE, None, [[1], [2]], {"inbox_ids": [3]}),
        (WAKE, None, {"inbox_ids": [1], "outbox_ids": [2]}, {}),
        (WAKE, None, [[1]], {}),
        (WAKE, None, [[1], [2], [3]], {}),
        (WAKE, None, [1, 2], {}),
        (WAKE, None, [["1"], []], {}),
        (WAKE, None, [[True], []], {}),
        (WAKE, None, [[1.0], []], {}),
        (WAKE, None, [[0], []], {}),
        (WAKE, None, [[-1], []], {}),
        (WAKE, None, [[2**63], []], {}),
        (WAKE, None, [[None], []], {}),
        (WAKE, None, [[1] * (MOST_IDS + 1), []], {}),
        (WAKE, None, [[1], [2]]),
        (),
    ],
)
def test_any_other_call_is_refused(call: tuple[Any, ...]) -> None:
    with pytest.raises(RingRefused):
        stored(payload(*call)).ring()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x05]q\x00.",
        zlib.compress(
            b"\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94."
        ),
        json.dumps([WAKE, None, [[1], [2]], {}]).encode(),
        zlib.compress(b"[" * 60_000),
        zlib.compress(b"\xff\xfe[]"),
        zlib.compress(b'["' + b"a" * 50_000_000 + b'"]'),
        zlib.compress(b"[" + b"9" * 60_000 + b"]"),
        zlib.compress(b'{"a": 1}'),
    ],
    ids=[
        "nothing",
        "pickle",
        "packed pickle",
        "not packed",
        "deep",
        "not text",
        "bomb",
        "long number",
        "object",
    ],
)
def test_any_other_payload_is_refused(data: bytes) -> None:
    with pytest.raises(RingRefused):
        stored(data).ring()


@pytest.mark.parametrize(
    "field",
    [
        "success_callback_name",
        "failure_callback_name",
        "stopped_callback_name",
        "webhooks",
        "dependency_id",
        "dependency_ids",
        "meta",
        "result",
        "retries_left",
        "repeats_left",
        "group_id",
        "rate_limit_key",
        "anything_new",
    ],
)
def test_a_ring_that_carries_more_than_ids_is_refused(field: str) -> None:
    job = stored(payload(WAKE, None, [[1], [2]], {}), **{field: "os.system"})
    with pytest.raises(RingRefused, match=field):
        job.ring()
    assert job.success_callback is None
    assert job.failure_callback is None
    assert job.stopped_callback is None
    assert job.webhooks == []


def test_a_ring_is_never_performed_not_even_a_good_one() -> None:
    job = stored(payload(WAKE, None, [[1], [2]], {}))
    with pytest.raises(RingRefused):
        job.perform()
    with pytest.raises(RingRefused):
        _ = job.func


def test_whatever_serializer_is_asked_for_it_is_json() -> None:
    job = RingJob("ring-1", NOWHERE, serializer="pickle")
    assert job.serializer.loads(b"[1]") == [1]


_hash = st.dictionaries(st.binary(max_size=30) | st.just(b"data"), st.binary(max_size=200))


@given(_hash, st.binary(max_size=300))
def test_no_stored_hash_breaks_the_reader(fields: dict[bytes, bytes], text: bytes) -> None:
    for data in (text, zlib.compress(text)):
        job = RingJob("ring-1", NOWHERE)
        job.restore({**fields, b"data": data})
        with pytest.raises(RingRefused):
            job.ring()


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just(WAKE),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(_json)
def test_no_json_value_gives_anything_but_ids_or_a_refusal(value: object) -> None:
    try:
        ring = stored(zlib.compress(json.dumps(value).encode())).ring()
    except RingRefused:
        return
    assert all(type(row_id) is int and row_id > 0 for row_id in (*ring.inbox_ids, *ring.outbox_ids))
