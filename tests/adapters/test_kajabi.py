"""Orders to Kajabi over a real wire: what is sent, what comes back, and what a network can do to it."""

import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from urllib3.util import connection

from linkpay.adapters import wire
from linkpay.adapters.kajabi import KajabiOffers
from linkpay.errors import (
    CredentialsRefused,
    IdentityConflict,
    Missing,
    OutcomeUnknown,
    Permanent,
    ProviderError,
    Retryable,
)
from linkpay.ports import AccessAnswer, AccessOrder, AccessProvider
from tests.adapters.bad_addresses import GOOD, TAIL, TOKEN
from tests.adapters.certificates import identity
from tests.adapters.tiny_server import (
    Request,
    Script,
    TinyServer,
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

ORDER = AccessOrder(
    url=GOOD, grant=True, name="Eva Jansen", email="eva@example.test", external_user_id="Eva-7"
)
JSON = "application/json"
PUBLIC_ADDRESS = "104.16.0.1"


def offers_for(server: TinyServer, **more: float) -> KajabiOffers:
    """Patient, so that a busy machine is no silent one, unless `more` says otherwise."""
    times = {"connect_timeout_s": 5.0, "read_timeout_s": 5.0, "total_s": 10.0} | more
    return KajabiOffers((), test_hosts=(f"127.0.0.1:{server.port}",), **times)


def order_at(server: TinyServer, order: AccessOrder = ORDER) -> AccessOrder:
    tail = TAIL if order.grant else TAIL.replace("activate", "deactivate")
    return replace(order, url=f"{server.url}{tail}")


def apply(script: Script, order: AccessOrder = ORDER, **more: float) -> AccessAnswer:
    with serving(script) as server:
        return offers_for(server, **more).apply(order_at(server, order))


def failure(script: Script, order: AccessOrder = ORDER, **more: float) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        apply(script, order, **more)
    assert TOKEN not in str(caught.value) + repr(caught.value) + caught.value.detail
    return caught.value


def test_the_adapter_is_an_access_provider() -> None:
    provider: AccessProvider = KajabiOffers(("checkout.kajabi.com",))
    assert provider


@pytest.mark.parametrize(("grant", "mail"), [(True, True), (True, False), (False, True), (False, False)])
def test_an_order_is_one_post_of_three_fields(grant: bool, mail: bool) -> None:
    with serving(answering(http(200, {"status": "ok"}, JSON))) as server:
        order = order_at(server, replace(ORDER, grant=grant, send_offer_mail=mail))
        answer = offers_for(server).apply(order)
    (request,) = server.requests
    tail = TAIL if grant else TAIL.replace("activate", "deactivate")
    assert (request.method, request.target) == (
        "POST",
        f"{tail}?send_offer_grant_email=true" if grant and mail else tail,
    )
    assert request.json() == {"name": "Eva Jansen", "email": "eva@example.test", "external_user_id": "Eva-7"}
    assert request.headers["content-type"] == JSON
    assert answer == AccessAnswer(200, '{"status": "ok"}', was_so_already=False)


def test_a_repeat_is_success_that_says_so() -> None:
    body = b"The offer has already been granted to this member"
    assert apply(answering(http(422, body, "text/plain"))).was_so_already
    body = b"Offer grant not found for offer on member"
    assert apply(answering(http(422, body, "text/plain")), replace(ORDER, grant=False)).was_so_already


def test_who_answers_nobody_keeps_few_threads_waiting_until_somebody_is_answered() -> None:
    speaks = threading.Event()

    def script(_: Request, sock: socket.socket) -> None:
        if speaks.is_set():
            sock.sendall(http(200, {"status": "ok"}, JSON))
        else:
            silent(_, sock)

    def failing() -> type[ProviderError] | None:
        try:
            offers.apply(order)
        except ProviderError as problem:
            return type(problem)
        return None

    with serving(script) as server:
        offers, order = offers_for(server, read_timeout_s=1.0), order_at(server)
        with ThreadPoolExecutor(16) as pool:
            assert set(pool.map(lambda _: failing(), range(16))) == {OutcomeUnknown}
            assert Retryable in list(pool.map(lambda _: failing(), range(16)))
        assert len(server.requests) < 16 + 16
        speaks.set()
        eventually(lambda: failing() is None)
        assert failing() is None


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http(422, b"Email: is already taken"), IdentityConflict),
        (http(422, b"name can't be blank"), Permanent),
        (http(404, b"<html>Base: not found</html>", "text/html"), Missing),
        (http(401, b"{}"), CredentialsRefused),
        (http(500, b"<html></html>"), Retryable),
        (http(200, b"<html>Log in</html>", "text/html"), OutcomeUnknown),
        (http(200, {"errors": ["odd"]}), OutcomeUnknown),
        (http(200, b'{"status": "o'), OutcomeUnknown),
        (http(302, Location="http://127.0.0.1:1/"), Retryable),
        (http(301, Location="http://127.0.0.1:1/"), Missing),
        (http(200, {"status": "ok"})[:-5], OutcomeUnknown),
        (b"nothing like HTTP\r\n\r\n", OutcomeUnknown),
    ],
)
def test_an_answer_becomes_the_error_of_its_row(answer: bytes, kind: type[ProviderError]) -> None:
    assert type(failure(hanging_up(answer))) is kind


@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_redirect_is_not_followed(status: int) -> None:
    with (
        serving(answering(http(200, {"status": "ok"}))) as inner,
        serving(answering(http(status, Location=f"{inner.url}{TAIL}"))) as server,
    ):
        with pytest.raises(Retryable):
            offers_for(server).apply(order_at(server))
        assert not inner.requests


def test_retry_after_is_passed_on() -> None:
    told = failure(answering(http(429, b"{}", JSON, Retry_After="12")))
    assert isinstance(told, Retryable)
    assert told.retry_after == 12


def test_what_was_never_sent_is_retryable() -> None:
    port = free_port()
    offers = KajabiOffers((), test_hosts=(f"127.0.0.1:{port}",))
    with pytest.raises(Retryable) as caught:
        offers.apply(replace(ORDER, url=f"http://127.0.0.1:{port}{TAIL}"))
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "script",
    [
        silent,
        reset,
        dripping(b"HTTP/1.1 200 OK\r\nX-Drip: "),
        dripping(b"HTTP/1.1 200 OK\r\n\r\n"),
        dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n"),
        dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
    ids=["silence", "reset", "headers drip", "open body drips", "sized body drips", "chunks drip"],
)
def test_a_lost_or_endless_answer_is_unknown_within_the_time_limit(script: Script) -> None:
    started = time.monotonic()
    assert type(failure(script, read_timeout_s=0.4, total_s=0.8)) is OutcomeUnknown
    assert time.monotonic() - started < 10


def test_a_body_over_64_kib_is_not_read_to_its_end_and_no_success() -> None:
    sent = 0

    def flood(_: Any, sock: socket.socket) -> None:
        nonlocal sent
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(1000):
            sock.sendall(b"x" * 70 * 1024)
            sent += 70 * 1024

    caught = failure(flood)
    assert type(caught) is OutcomeUnknown
    assert len(caught.detail) < 2200
    assert sent < 30 * 1024 * 1024


def test_a_body_of_64_kib_is_still_an_answer_and_2_kib_of_it_are_kept() -> None:
    answer = apply(answering(http(200, b"x" * 64 * 1024, "text/plain")))
    assert answer.body == "x" * 2048
    assert type(failure(answering(http(200, b"x" * (64 * 1024 + 1), "text/plain")))) is OutcomeUnknown


def test_a_packed_body_is_not_asked_for() -> None:
    with serving(answering(http(200, {"status": "ok"}))) as server:
        offers_for(server).apply(order_at(server))
    assert server.requests[0].headers["accept-encoding"] == "identity"


def test_an_answer_that_repeats_the_secret_is_kept_without_it() -> None:
    answer = apply(answering(http(200, f"done for {TOKEN}\0".encode(), "text/plain")))
    assert answer.body == "done for ***"


def test_no_log_holds_the_secret(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        apply(answering(http(200, {"status": "ok"})))
        failure(reset)
    assert TOKEN not in caplog.text


def test_many_threads_share_kept_connections() -> None:
    together = threading.Barrier(30)

    def work(_: int) -> int:
        together.wait()
        return [offers.apply(order).status for _ in range(5)][-1]

    with serving(answering(http(200, {"status": "ok"}))) as server:
        offers, order = offers_for(server), order_at(server)
        with ThreadPoolExecutor(30) as threads:
            assert set(threads.map(work, range(30))) == {200}
    assert len(server.requests) == 150
    assert server.connections <= 30


def test_an_application_in_process_is_reached_without_any_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("looked up"))
    offers = KajabiOffers((), test_hosts=("kajabi.test",))
    order = replace(ORDER, url=f"http://kajabi.test{TAIL}")
    offers.check_url(order.url, grant=True)
    with responses.RequestsMock() as mock:
        mock.post(order.url, json={"status": "ok"})
        mock.post(order.url, body=requests.ReadTimeout("late"))
        assert offers.apply(order).status == 200
        with pytest.raises(OutcomeUnknown):
            offers.apply(order)


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The public addresses that were dialled; each leads to the port in `dialled_port`."""
    asked: list[str] = []
    real = connection.create_connection

    def dial(address: tuple[str, int], *rest: Any, **more: Any) -> socket.socket:
        asked.append(address[0])
        return real(("127.0.0.1", dialled_port[0]), *rest, **more)

    monkeypatch.setattr(wire, "create_connection", dial)
    return asked


dialled_port = [0]


def resolve_to(monkeypatch: pytest.MonkeyPatch, *rounds: list[str]) -> None:
    """Answer look-ups of Kajabi's host with one list after the other, the last one for ever."""
    left, real = list(rounds), socket.getaddrinfo

    def look_up(host: str, *rest: Any, **more: Any) -> Any:
        if host != "checkout.kajabi.com":
            return real(host, *rest, **more)
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def public_offers(ca_file: Path) -> KajabiOffers:
    offers = KajabiOffers(("checkout.kajabi.com",), total_s=10)
    offers._public.verify = str(ca_file)
    return offers


def test_the_checked_address_is_dialled_and_the_name_is_verified(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dialled: list[str]
) -> None:
    kajabi = identity(tmp_path, "checkout.kajabi.com")
    # A second look-up would lead inside: there must be none between check and connection.
    resolve_to(monkeypatch, [PUBLIC_ADDRESS], ["127.0.0.1"])
    with serving(answering(http(200, {"status": "ok"})), kajabi.context) as server:
        dialled_port[0] = server.port
        offers = public_offers(kajabi.ca_file)
        assert [offers.apply(ORDER).status for _ in range(2)] == [200, 200]
    assert dialled == [PUBLIC_ADDRESS]
    assert server.requests[0].headers["host"] == "checkout.kajabi.com"
    assert server.connections == 1


def test_a_server_with_another_name_gets_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dialled: list[str]
) -> None:
    stranger = identity(tmp_path, "stranger.example.com")
    resolve_to(monkeypatch, [PUBLIC_ADDRESS])
    with serving(answering(http(200, {"status": "ok"})), stranger.context) as server:
        dialled_port[0] = server.port
        with pytest.raises(Retryable):
            public_offers(stranger.ca_file).apply(ORDER)
    assert dialled == [PUBLIC_ADDRESS]
    assert not server.requests


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["10.0.0.1"], [PUBLIC_ADDRESS, "169.254.169.254"], ["::ffff:10.0.0.1"]]
)
def test_a_name_that_turned_inside_after_saving_is_refused_when_used(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch, dialled: list[str]
) -> None:
    offers = KajabiOffers(("checkout.kajabi.com",))
    resolve_to(monkeypatch, [PUBLIC_ADDRESS], addresses)
    offers.check_url(GOOD, grant=True)
    with pytest.raises(Permanent, match="not public"):
        offers.apply(ORDER)
    assert dialled == []


def test_a_name_that_cannot_be_looked_up_is_retryable(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Retryable):
        KajabiOffers(("checkout.kajabi.com",)).apply(ORDER)
