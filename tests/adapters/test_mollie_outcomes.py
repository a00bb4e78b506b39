"""Every way a call to Mollie can end, over a real wire, for reading and for asking for money."""

import time
from collections.abc import Callable

import pytest
import requests
import responses
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError

from linkpay.adapters.mollie import MollieProvider
from linkpay.adapters.mollie_outcomes import of_transport
from linkpay.adapters.wire import surely_not_sent
from linkpay.domain.money import Money
from linkpay.domain.snapshots import PaymentSnapshot, Sequence
from linkpay.errors import (
    CredentialsRefused,
    Missing,
    OutcomeUnknown,
    Permanent,
    ProviderError,
    Retryable,
)
from linkpay.ports import PaymentOrder
from tests.adapters.mollie_samples import KEY, PAYMENT, PAYMENT_ID, error, without
from tests.adapters.tiny_server import (
    Script,
    answering,
    dripping,
    hanging_up,
    http,
    reset,
    serving,
    silent,
)
from tests.ports import free_port
from tests.waiting import eventually

ORDER = PaymentOrder(
    idempotency_key="6d1c2b0e-9f0a-4c8e-8d57-0f6a0a3d2f11",
    amount=Money(5000),
    description="Membership",
    sequence=Sequence.RECURRING,
    webhook_url="https://pay.example.com/webhooks/mollie/x",
    customer_id="cst_tKt44u85MM",
    mandate_id="mdt_uDPFVsxjR4",
    metadata={"payment": "17"},
)
Ask = Callable[[MollieProvider], PaymentSnapshot]


def read(provider: MollieProvider) -> PaymentSnapshot:
    return provider.fetch_payment(KEY, PAYMENT_ID)


def write(provider: MollieProvider) -> PaymentSnapshot:
    return provider.create_payment(KEY, ORDER)


def cancel(provider: MollieProvider) -> PaymentSnapshot:
    return provider.cancel_payment(KEY, PAYMENT_ID)


def provider_at(url: str, *, waits: float = 10.0) -> MollieProvider:
    """Patient, so that a busy machine is no silent one; `waits` (seconds) is for what never comes."""
    return MollieProvider(url, connect_timeout_s=waits, read_timeout_s=waits * 3 / 8, total_s=waits)


def outcome(ask: Ask, script: Script, *, waits: float = 10.0) -> ProviderError:
    """The error of one call, raised exactly as it is and showing no key."""
    with serving(script) as server, pytest.raises(ProviderError) as caught:
        ask(provider_at(server.url, waits=waits))
    assert KEY not in repr(caught.value) + caught.value.detail + str(caught.value)
    return caught.value


TRUNCATED = http(200, PAYMENT)[:-40]
HALF_JSON = http(200, b'{"id": "tr_1", "amount": {')
ANSWERS: list[tuple[str, bytes, type[ProviderError], type[ProviderError]]] = [
    ("202 accepted", http(202, error(202, "Accepted")), Retryable, OutcomeUnknown),
    ("202 with a payment", http(202, PAYMENT), Retryable, OutcomeUnknown),
    ("204 without body", http(204), Retryable, OutcomeUnknown),
    ("200 without id", http(200, without(PAYMENT, "id")), Retryable, OutcomeUnknown),
    ("201 without amount", http(201, without(PAYMENT, "amount")), Retryable, OutcomeUnknown),
    ("200 list", http(200, b"[]"), Retryable, OutcomeUnknown),
    ("200 html", http(200, b"<html>login</html>", "text/html"), Retryable, OutcomeUnknown),
    ("200 half JSON", HALF_JSON, Retryable, OutcomeUnknown),
    ("200 deep JSON", http(200, b"[" * 200_000), Retryable, OutcomeUnknown),
    ("200 not UTF-8", http(200, b'{"id": "\xff\xfe"}'), Retryable, OutcomeUnknown),
    ("200 bad gzip", http(200, b"nothing packed", Content_Encoding="gzip"), Retryable, OutcomeUnknown),
    ("302 elsewhere", http(302, Location="https://evil.example.com/"), Retryable, OutcomeUnknown),
    ("307 elsewhere", http(307, Location="/v2/other"), Retryable, OutcomeUnknown),
    ("400", http(400, error(400, "Invalid cursor value", field="from")), Permanent, Permanent),
    ("400 key", http(400, error(400, "This Idempotency-Key has been used")), Permanent, OutcomeUnknown),
    ("401", http(401, error(401, "Missing authentication")), CredentialsRefused, CredentialsRefused),
    ("403", http(403, error(403)), CredentialsRefused, CredentialsRefused),
    ("404", http(404, error(404, "No payment exists with token tr_x.")), Missing, Missing),
    ("405", http(405, error(405)), Permanent, Permanent),
    ("408", http(408, error(408)), Retryable, OutcomeUnknown),
    ("409", http(409, error(409, "already being processed")), Permanent, OutcomeUnknown),
    ("410", http(410, error(410)), Missing, Missing),
    ("422", http(422, error(422, "Too high", field="amount")), Permanent, Permanent),
    ("422 card", http(422, error(422, "The card was not found")), Permanent, OutcomeUnknown),
    ("429", http(429, error(429)), Retryable, Retryable),
    ("500", http(500, error(500)), Retryable, OutcomeUnknown),
    ("502 html", http(502, b"<html>Bad gateway</html>", "text/html"), Retryable, OutcomeUnknown),
    ("503", http(503, error(503, "temporarily not available")), Retryable, OutcomeUnknown),
    ("504 empty", http(504), Retryable, OutcomeUnknown),
    ("599", http(599), Retryable, OutcomeUnknown),
    ("truncated body", TRUNCATED, Retryable, OutcomeUnknown),
    ("no HTTP", b"SSH-2.0-OpenSSH\r\n\r\n", Retryable, OutcomeUnknown),
]


@pytest.mark.parametrize(
    ("answer", "reading", "writing"), [a[1:] for a in ANSWERS], ids=[a[0] for a in ANSWERS]
)
def test_every_answer_has_its_outcome(
    answer: bytes, reading: type[ProviderError], writing: type[ProviderError]
) -> None:
    script = hanging_up(answer)
    assert type(outcome(read, script)) is reading
    assert type(outcome(write, script)) is writing
    assert type(outcome(cancel, script)) is writing


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (silent, "no answer in time"),
        (reset, "connection lost"),
        (dripping(b"HTTP/1.1 200 OK\r\nX-Drip: "), "no answer in time"),
        (dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"), "no answer in time"),
        (dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), "no answer in time"),
    ],
    ids=["silence", "reset", "drip", "drip in a body", "drip in a chunk"],
)
def test_a_lost_answer_to_a_write_is_unknown_and_to_a_read_is_not(script: Script, said: str) -> None:
    started = time.monotonic()
    for ask, kind in ((read, Retryable), (write, OutcomeUnknown)):
        failure = outcome(ask, script, waits=10.0 if script is reset else 0.8)
        assert type(failure) is kind
        assert said in failure.detail
    assert time.monotonic() - started < 10


def test_a_body_that_only_drips_is_cut() -> None:
    started = time.monotonic()
    assert type(outcome(read, dripping(b"HTTP/1.1 200 OK\r\n\r\n", b" "), waits=0.8)) is Retryable
    assert time.monotonic() - started < 10


def test_a_kept_connection_that_the_server_has_closed_is_replaced() -> None:
    with serving(hanging_up(http(201, PAYMENT))) as server:
        provider = provider_at(server.url)
        for _ in range(3):
            assert write(provider).id == PAYMENT_ID
            eventually(lambda: server.closed == server.connections)
    assert server.connections == 3


@pytest.mark.parametrize("ask", [read, write, cancel])
def test_what_never_left_this_machine_can_be_sent_again(ask: Ask) -> None:
    for url in (f"http://127.0.0.1:{free_port()}", "http://does-not-exist.invalid", "nonsense"):
        with pytest.raises(Retryable):
            ask(provider_at(url))


def test_a_slow_connection_is_no_unknown_outcome() -> None:
    assert type(of_transport(requests.ConnectTimeout(), repeatable=False)) is Retryable


def test_only_what_the_exception_carries_counts() -> None:
    """An earlier refused connection in the context of a later lost answer proves nothing."""
    refused = MaxRetryError(None, "/", NewConnectionError(None, "refused"))  # type: ignore[arg-type]  # no pool here
    unknown_name = NameResolutionError("h", None, OSError())  # type: ignore[arg-type]  # no connection here
    assert surely_not_sent(requests.ConnectionError(refused))
    assert surely_not_sent(requests.ConnectionError(MaxRetryError(None, "/", unknown_name)))  # type: ignore[arg-type]
    late = requests.ReadTimeout("no answer")
    late.__context__ = requests.ConnectionError(refused)
    assert not surely_not_sent(late)
    assert not surely_not_sent(requests.ConnectionError("Connection aborted"))
    assert not surely_not_sent(None)


def test_a_connect_failure_of_a_patched_transport_counts_the_same() -> None:
    with responses.RequestsMock() as mock:
        mock.post("https://api.mollie.com/v2/payments", body=requests.ReadTimeout("late"))
        with pytest.raises(OutcomeUnknown):
            write(provider_at("https://api.mollie.com"))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7),
        ({"Retry_After": "0"}, 0),
        ({"Retry_After": "999999999999"}, 3600),
        (
            {"Retry_After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"},
            30,
        ),
        (
            {"Retry_After": "Wed, 21 Oct 2026 07:28:00 GMT", "Date": "Wed, 21 Oct 2026 07:29:00 GMT"},
            0,
        ),
        ({"Retry_After": "Wed, 21 Oct 2026 07:28:30 GMT"}, None),
        ({"Retry_After": "Wed, 21 Oct 2026 07:28:30", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"Retry_After": "-5"}, None),
        ({"Retry_After": "1e9"}, None),
        ({"Retry_After": "soon"}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_seconds_or_a_date(
    status: int, headers: dict[str, str], seconds: float | None
) -> None:
    failure = outcome(read, answering(http(status, error(status), **headers)))
    assert isinstance(failure, Retryable)
    assert failure.retry_after == seconds


def test_a_refusal_names_status_field_and_wording() -> None:
    failure = outcome(write, answering(http(422, error(422, "The amount is too high", field="amount"))))
    assert isinstance(failure, Permanent)
    assert (failure.status, failure.field) == (422, "amount")
    assert failure.detail == "Mollie 422: The amount is too high"


def test_a_key_that_an_answer_repeats_is_not_shown() -> None:
    failure = outcome(write, answering(http(401, error(401, f"Bearer {KEY} is not known"))))
    assert failure.detail == "Mollie 401: Bearer (key) is not known"


@pytest.mark.parametrize(
    "key", ["", "test_", "live_a b", "test_é", "test_a\r\nX: y", "access_abc", "secret-abc"]
)
def test_a_malformed_key_is_refused_before_anything_is_sent_and_never_shown(key: str) -> None:
    with serving(answering(http(200, PAYMENT))) as server:
        with pytest.raises(CredentialsRefused) as caught:
            provider_at(server.url).fetch_payment(key, PAYMENT_ID)
        assert not server.requests
    assert len(key) < 6 or key not in str(caught.value)


def test_a_declined_charge_is_an_answer() -> None:
    declined = PAYMENT | {"status": "failed", "details": {"failureReason": "insufficient_funds"}}
    with serving(answering(http(201, declined))) as server:
        payment = write(provider_at(server.url))
    assert (payment.status, payment.failure_code) == ("failed", "insufficient_funds")


def test_junk_of_every_kind_is_a_provider_error() -> None:
    for junk in (
        b"\0",
        b"null",
        b"{}",
        b'""',
        b"9" * 5000,
        b'{"status": {}}',
        b'{"detail": 5}',
        b"\xff\xfe{",
    ):
        for status in (200, 201, 404, 500):
            assert isinstance(outcome(read, answering(http(status, junk))), ProviderError)
            assert isinstance(outcome(write, answering(http(status, junk))), ProviderError)
