"""The bad line is as bad as it says: each weather, seen by a client with our adapters' patience."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from tests.chaos.proxy import KINDS, Proxy

ANSWER = b"x" * 2_000


class _Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def proxy(asked: list[str]) -> Iterator[Proxy]:
    handler = type("Provider", (_Provider,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Proxy(server.server_port) as proxy:
            yield proxy
        server.shutdown()


def _get(proxy: Proxy, session: requests.Session, patience: float = 20.0) -> bytes:
    return session.get(f"http://127.0.0.1:{proxy.port}/", timeout=patience).content


def test_a_calm_line_passes_everything_on_and_keeps_connections(proxy: Proxy, asked: list[str]) -> None:
    with requests.Session() as session:
        assert [_get(proxy, session) for _ in range(3)] == [ANSWER] * 3
    assert len(asked) == 3
    assert proxy.exchanges == 3
    assert not proxy.hits


@pytest.mark.parametrize("kind", KINDS)
def test_bad_weather_costs_the_answer_and_ends_with_it(proxy: Proxy, asked: list[str], kind: str) -> None:
    with requests.Session() as session:
        assert _get(proxy, session) == ANSWER
        proxy.weather(kind)
        if kind == "slow_drip":  # each byte comes in time, so only a deadline for the whole helps
            answer = session.get(f"http://127.0.0.1:{proxy.port}/", timeout=20, stream=True)
            assert len(answer.raw.read(3)) == 3
            answer.close()
        else:
            with pytest.raises(requests.RequestException):
                _get(proxy, session, patience=1.0)
        proxy.calm()
        assert proxy.hits[kind] == 1
    never_asked = kind in ("black_hole", "reset", "latency")
    assert len(asked) == (1 if never_asked else 2)
    with requests.Session() as session:
        assert _get(proxy, session) == ANSWER


def test_only_the_given_share_is_hit(proxy: Proxy) -> None:
    proxy.weather("reset", share=0.5)
    lost = 0
    for _ in range(40):
        with requests.Session() as session:
            try:
                _get(proxy, session)
            except requests.RequestException:
                lost += 1
    assert lost == proxy.hits["reset"]
    assert 5 < lost < 35
