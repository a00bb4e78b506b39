"""The sandbox as a process of its own: real ports, real mail, restarts."""

import http.server
import io
import os
import signal
import smtplib
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import requests
from mollie.api.client import Client
from mollie.api.error import RequestError

from linkpay.errors import SettingsError
from linkpay.sandbox.app import create_sandbox
from linkpay.sandbox.web import read_request
from tests.ports import free_port
from tests.sandbox.desk import KEY, first_payment, pay
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]


class Running:
    """A sandbox process and how to end it."""

    def __init__(self, folder: Path, *certificate: Path) -> None:
        self.folder, self.certificate = folder, certificate
        self.port, self.smtp_port = free_port(), free_port()
        self.start()

    @property
    def url(self) -> str:
        return f"http{'s' if self.certificate else ''}://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "linkpay.sandbox", "--port", str(self.port)]
        command += ["--smtp-port", str(self.smtp_port), "--state", str(self.folder / "state.db")]
        if self.certificate:
            pem, key = self.certificate
            command += ["--certificate", str(pem), "--private-key", str(key)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        assert self.process.stdout is not None
        assert b"Sandbox on" in self.process.stdout.readline()

    def end(self, sign: int = signal.SIGTERM) -> int:
        self.process.send_signal(sign)
        code = self.process.wait(timeout=20)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def control(self, path: str, **body: Any) -> Any:
        answer = requests.post(f"{self.url}/_sandbox/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def state(self) -> Any:
        return requests.get(f"{self.url}/_sandbox/state", timeout=5).json()

    def client(self, patience: int = 20) -> Client:
        client = Client(api_endpoint=self.url, timeout=(patience, patience))
        client.set_api_key(KEY)
        return client


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    process = Running(tmp_path_factory.mktemp("sandbox"))
    yield process
    process.end()


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128  # the default of 5 makes bursts wait a second for a new try


class Receiver:
    """A shop's webhook address; answers what `answer` says."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answer: Callable[[str], tuple[int, dict[str, str]]] = lambda path: (200, {})
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                receiver.calls.append((self.command, self.path, dict(self.headers.items()), body))
                status, headers = receiver.answer(self.path)
                self.send_response(status)
                for name, value in (headers | {"Content-Length": "0"}).items():
                    self.send_header(name, value)
                self.end_headers()

            do_POST = do_GET = _answer  # noqa: N815 - the names of http.server

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    shop = Receiver()
    yield shop
    shop.close()


def test_a_webhook_arrives_as_mollie_sends_it(running: Running, receiver: Receiver) -> None:
    payment = first_payment(running.client(), webhookUrl=f"{receiver.url}/hook")
    assert payment["_links"]["checkout"]["href"].startswith(running.url)
    pay(payment)
    eventually(lambda: len(receiver.calls) == 1)
    method, path, headers, body = receiver.calls[0]
    assert (method, path, body) == ("POST", "/hook", f"id={payment['id']}".encode())
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert headers["User-Agent"] == "Mollie HTTP client/1.0"


@pytest.mark.parametrize(("status", "method"), [(302, "GET"), (308, "POST")])
def test_redirects_are_followed_as_mollie_does(
    running: Running, receiver: Receiver, status: int, method: str
) -> None:
    receiver.answer = lambda path: (status, {"Location": "/there"}) if path == "/here" else (200, {})
    payment = first_payment(running.client(), webhookUrl=f"{receiver.url}/here")
    pay(payment)
    eventually(lambda: len(receiver.calls) == 2)
    assert receiver.calls[1][:2] == (method, "/there")
    assert bool(receiver.calls[1][3]) == (method == "POST")


def test_a_refused_webhook_comes_again_when_time_moves(running: Running, receiver: Receiver) -> None:
    answers = iter([500, 500, 200])
    receiver.answer = lambda path: (next(answers), {})
    pay(first_payment(running.client(), webhookUrl=f"{receiver.url}/hook"))
    eventually(lambda: running.state()["deliveries"]["retrying"] == 1)
    running.control("clock", advance_seconds=3600)
    assert len(receiver.calls) == 3
    assert running.state()["deliveries"]["waiting"] == 0


def test_mail_is_kept(running: Running) -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Grüße", "a@example.test", "b@example.test"
    message.set_content("plain")
    message.add_alternative("<p>rich</p>", subtype="html")
    with smtplib.SMTP("127.0.0.1", running.smtp_port) as smtp:
        smtp.send_message(message)
    (mail,) = requests.get(f"{running.url}/_sandbox/mail?to=B@example.test", timeout=5).json()
    assert (mail["to"], mail["subject"], mail["text"].strip()) == ("b@example.test", "Grüße", "plain")
    assert "rich" in mail["html"]


def test_lost_answers_are_lost_on_the_wire(running: Running) -> None:
    impatient = running.client(patience=1)
    for kind in ("reset_after", "timeout_after"):
        running.control("faults", target="mollie", kind=kind)
        with pytest.raises(RequestError):
            impatient.customers.create({"name": kind})
    names = [customer["name"] for customer in running.client().customers.list()]
    assert {"reset_after", "timeout_after"} <= set(names)


def test_held_connections_hold_nobody_else(running: Running) -> None:
    running.control("faults", target="mollie", kind="timeout_before", count=30, match="/v2/customers")
    headers = {"Authorization": f"Bearer {KEY}"}

    def wait() -> None:
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.get(f"{running.url}/v2/customers", headers=headers, timeout=8)

    threads = [threading.Thread(target=wait) for _ in range(30)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    assert requests.get(f"{running.url}/v2/payments", headers=headers, timeout=6).status_code == 200
    for thread in threads:
        thread.join()


def is_written(state: Path, record_id: str) -> bool:
    """What is written at once at an end is written behind before a kill."""
    with closing(sqlite3.connect(state)) as database:
        return database.execute("select 1 from record where id = ?", (record_id,)).fetchone() is not None


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_restart_keeps_everything(tmp_path: Path, sign: int) -> None:
    first = Running(tmp_path)
    try:
        payment = first_payment(first.client(), webhookUrl="http://127.0.0.1:9/nobody")
        first.control("clock", advance_seconds=60)
        if sign == signal.SIGKILL:
            eventually(lambda: is_written(tmp_path / "state.db", payment["id"]))
        assert first.end(sign) == (0 if sign != signal.SIGKILL else -9)
        first.start()
        again = first.client().payments.get(payment["id"])
        assert again["description"] == payment["description"]
        first.control("clock", advance_seconds=900)
        assert first.client().payments.get(payment["id"])["status"] == "expired"
    finally:
        first.end()


def test_a_state_file_of_another_version_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    create_sandbox(path).close()
    with sqlite3.connect(path) as database:
        database.execute("update meta set value = '0' where name = 'schema_version'")
    with pytest.raises(SettingsError, match="written by sandbox state version 0"):
        create_sandbox(path)


def test_a_record_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    create_sandbox(path).close()
    with sqlite3.connect(path) as database:
        database.execute("insert into record (kind, id, body) values ('Payment', 'tr_1', '{\"id\": 1}')")
    with pytest.raises(SettingsError, match="holds a Payment that cannot be read"):
        create_sandbox(path)


def test_a_file_that_is_no_state_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("These are my notes, which are not a database at all." * 50)
    with pytest.raises(SettingsError, match="not a sandbox state file"):
        create_sandbox(path)


def test_half_a_request_is_none() -> None:
    """A client that was killed while sending: its key is still free for the whole of it."""
    environ = {
        "REQUEST_METHOD": "POST", "SERVER_NAME": "x", "SERVER_PORT": "80", "wsgi.url_scheme": "http",
        "CONTENT_LENGTH": "20", "HTTP_IDEMPOTENCY_KEY": "k",
    }  # fmt: skip
    assert read_request({**environ, "wsgi.input": io.BytesIO(b'{"amount": ')}) is None
    assert read_request({**environ, "wsgi.input": io.BytesIO(b"x" * 20)}) is not None
