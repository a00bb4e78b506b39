"""Who is refused too often waits outside; everybody else does not notice."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import Client

from linkpay.app import create_app
from linkpay.web.pace import MOST, WINDOW, Pace
from tests.flows.stage import Stage
from tests.web.conftest import EDGE

FORGER, BUYER = "203.0.114.9", "198.51.101.7"


class Door:
    """An application that answers as it is told, behind a pace with a clock of its own."""

    def __init__(self) -> None:
        self.time, self.asked, self.status = 0.0, 0, "404 NOT FOUND"
        self._client = Client(Pace(self._answer, lambda: self.time))

    def _answer(self, _environ: Any, start_response: Any) -> Iterable[bytes]:
        self.asked += 1
        start_response(self.status, [])
        return [b""]

    def knock(self, address: str = FORGER, path: str = "/") -> int:
        return self._client.get(path, environ_overrides={"REMOTE_ADDR": address}).status_code


@pytest.fixture
def door() -> Door:
    return Door()


def test_after_so_many_refusals_an_address_waits_and_another_does_not(door: Door) -> None:
    assert {door.knock() for _ in range(MOST)} == {404}
    answer = door._client.get("/", environ_overrides={"REMOTE_ADDR": FORGER})
    assert (answer.status_code, door.asked) == (429, MOST)
    assert 0 < int(answer.headers["Retry-After"]) <= WINDOW + 1
    assert door.knock(BUYER) == 404


def test_after_the_minute_she_is_asked_in_again(door: Door) -> None:
    for _ in range(MOST * 2):
        door.knock()
    door.time += WINDOW
    assert door.knock() == 404


@pytest.mark.parametrize(
    "status",
    ["200 OK", "303 SEE OTHER", "409 CONFLICT", "422 WRONG", "500 SORRY"],
)
def test_what_is_answered_and_mistakes_never_count(door: Door, status: str) -> None:
    door.status = status
    assert {door.knock() for _ in range(MOST * 3)} == {int(status[:3])}


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.5", "192.168.1.1", "::1", "", "no address"])
def test_a_proxy_or_this_machine_never_waits(door: Door, address: str) -> None:
    assert {door.knock(address) for _ in range(MOST + 5)} == {404}


def test_mollie_never_waits_for_a_site_that_is_gone(door: Door) -> None:
    assert {door.knock(path="/webhooks/mollie/gone") for _ in range(MOST * 2)} == {404}
    assert door.knock() == 404


def test_many_addresses_are_forgotten_in_order(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linkpay.web.pace._ADDRESSES", 10)
    pace = Pace(door._answer, lambda: door.time)
    for number in range(50):
        Client(pace).get("/", environ_overrides={"REMOTE_ADDR": f"93.184.216.{number}"})
    assert len(pace._refused) == 10


@pytest.fixture
def behind_one(stage: Stage) -> Flask:
    return create_app(stage.parts, replace(EDGE, proxies=1))


def test_behind_a_proxy_the_forger_waits_and_the_buyer_buys(behind_one: Flask) -> None:
    client = behind_one.test_client()

    def post(claimed: str, path: str) -> int:
        return client.post(path, data={"id": "tr_x"}, headers={"X-Forwarded-For": claimed}).status_code

    nowhere = "/studio/buy/nothing"
    assert {post(f"{BUYER}, {FORGER}", nowhere) for _ in range(MOST)} == {404}
    assert post(f"192.0.3.{1}, {FORGER}", nowhere) == 429, "what she claims herself counts for nothing"
    assert post(BUYER, nowhere) == 404
    assert post(FORGER, "/webhooks/mollie/studio-webhook-token") == 200


def test_icons_that_browsers_ask_for_by_themselves_shut_nobody_out(app: Flask) -> None:
    client = app.test_client()
    at = {"REMOTE_ADDR": BUYER}
    for name in ("favicon.ico", "apple-touch-icon.png", "apple-touch-icon-precomposed.png") * MOST:
        assert client.get(f"/{name}", environ_overrides=at).status_code == 404
    assert client.get("/studio/buy/members", environ_overrides=at).status_code == 200


def test_without_a_proxy_of_ours_nobody_is_believed(app: Flask) -> None:
    client = app.test_client()
    for _ in range(MOST + 9):
        answer = client.post(
            "/webhooks/mollie/nobody", data={"id": "tr_x"}, headers={"X-Forwarded-For": FORGER}
        )
        assert answer.status_code == 404
