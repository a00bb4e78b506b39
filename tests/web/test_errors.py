"""Refusals and accidents: JSON for programs, a page for people, and never a bare server error."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from linkpay.app import create_app
from linkpay.store.db import Database
from linkpay.store.intake import Intake
from tests.flows.stage import Stage
from tests.web.conftest import EDGE
from tests.web.visitor import Visitor, form_of, words_of

BUY = "/studio/buy/members"


@pytest.mark.parametrize(
    ("method", "url", "body", "status", "code"),
    [
        ("GET", "/api/v1/nothing", None, 404, "not_found"),
        ("GET", "/webhooks/mollie/x", None, 405, "method_not_allowed"),
        ("DELETE", "/healthz", None, 405, "method_not_allowed"),
        ("POST", "/webhooks/mollie/x", b"{}", 415, "content_type"),
        ("POST", "/webhooks/kajabi/x", b"x" * 70_000, 413, "request_entity_too_large"),
    ],
)
def test_programs_get_a_code_a_message_and_a_field(
    visitor: Visitor, method: str, url: str, body: bytes | None, status: int, code: str
) -> None:
    answer = visitor.client.open(url, method=method, data=body, content_type="application/json")
    assert answer.status_code == status
    error = answer.get_json()["error"]
    assert set(error) == {"code", "message", "field"}
    assert error["code"] == code
    assert error["message"]


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("line", "kind", "body", "status", "told"),
    [
        ("GET /nothing/here/at/all", "", b"", 404, "We kunnen deze pagina niet vinden"),
        ("GET /studio/buy/none", "", b"", 404, "niet (meer) te koop"),
        (f"PUT {BUY}", "", b"", 405, "Zo werkt dit adres niet"),
        (f"POST {BUY}", "application/json", b"{}", 415, "Dit kunnen we niet lezen"),
        (f"POST {BUY}", FORM, b"name=" + b"a" * 70_000, 413, "te veel in één keer"),
    ],
)
def test_people_get_a_page_in_their_language_that_says_what_to_do(
    visitor: Visitor, line: str, kind: str, body: bytes, status: int, told: str
) -> None:
    method, url = line.split()
    answer = visitor.client.open(url, method=method, data=body, content_type=kind)
    assert answer.status_code == status
    assert told in words_of(answer)
    assert answer.mimetype == "text/html"


@pytest.mark.parametrize("host", ["x" * 64, "pay..example.com"])
def test_a_host_that_cannot_be_one_is_refused_and_no_accident(visitor: Visitor, host: str) -> None:
    for url in (BUY, "/api/v1/site"):
        answer = visitor.look(url, Host=host)
        assert answer.status_code == 400
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_page_that_is_not_there_still_wears_the_sites_name(visitor: Visitor) -> None:
    assert "Studio Vecht" in words_of(visitor.look("/studio/buy/none"))


def test_405_says_what_would_be_allowed(visitor: Visitor) -> None:
    assert "GET" in visitor.client.put(BUY).headers["Allow"]


@pytest.fixture
def broken(stage: Stage) -> FlaskClient:
    """An application of its own with a defect at /api/broken and /broken."""
    app = create_app(stage.parts, EDGE)

    def fall_over() -> str:
        raise RuntimeError("secret detail")

    app.add_url_rule("/broken", "broken", fall_over)
    app.add_url_rule("/api/broken", "broken_api", fall_over)
    return app.test_client()


def test_an_accident_tells_its_reference_and_nothing_else(
    broken: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    page = broken.get("/broken")
    assert page.status_code == 500
    assert f"Code: {page.headers['X-Request-Id']}" in words_of(page)
    assert "secret detail" not in page.text
    assert broken.get("/api/broken").get_json()["error"]["code"] == "internal_error"
    assert any(record.exc_info for record in caplog.records)


def _take_away(stage: Stage, app: Flask, folder: Path) -> None:
    (folder / "folder.db").mkdir()
    gone = Database(f"sqlite:///{folder}/folder.db")
    app.extensions["linkpay"] = replace(stage.parts, database=gone)
    app.extensions["linkpay.intake"] = Intake(gone)


def test_without_its_database_a_page_asks_to_come_back_and_keeps_what_was_typed(
    visitor: Visitor, stage: Stage, app: Flask, tmp_path: Path
) -> None:
    page = visitor.look(BUY)
    _take_away(stage, app, tmp_path)
    answer = visitor.press(page, name="Anna", email="anna@example.com", agree="yes")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "We zijn zo terug" in words_of(answer)
    told = visitor.client.post("/webhooks/mollie/x", data={"id": "tr_abc"})
    assert (told.status_code, told.get_json()["error"]["code"]) == (503, "unavailable")
    app.extensions["linkpay"] = stage.parts
    assert form_of(answer).fields["email"] == "anna@example.com"
    assert visitor.press(answer).status_code == 303


def test_a_form_that_is_sent_again_is_whole(
    visitor: Visitor, stage: Stage, app: Flask, tmp_path: Path
) -> None:
    page = form_of(visitor.look(BUY))
    _take_away(stage, app, tmp_path)
    long, many = "x" * 3000, {f"field{number}": str(number) for number in range(20)}
    answer = visitor.client.post(BUY, data=page.fields | many | {"bump": ["one", "two"], "name": long})
    assert answer.text.count('name="bump"') == 2
    assert form_of(answer).fields.items() >= (many | {"name": long}).items()
    too_much = visitor.client.post(BUY, data={"name": "x" * 30_000})
    assert "Opnieuw proberen" in words_of(answer)
    assert "Opnieuw proberen" not in words_of(too_much)


def test_what_is_typed_at_the_desk_is_put_into_no_page(
    visitor: Visitor, stage: Stage, app: Flask, tmp_path: Path
) -> None:
    page = form_of(visitor.look("/owner/sign-in"))
    _take_away(stage, app, tmp_path)
    typed = {"email": "owner@studio.example.com", "password": "a good long sentence"}
    answer = visitor.client.post("/owner/sign-in", data=page.fields | typed)
    assert answer.status_code == 503
    assert "a good long sentence" not in answer.text
