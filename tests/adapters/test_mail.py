"""Letters through a real mail server."""

import email
import email.policy
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import idna
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from linkpay.adapters.mail import SmtpMailer
from linkpay.clock import ManualClock
from linkpay.domain.email import normalise_email
from linkpay.errors import CredentialsRefused, Permanent, ProviderError, Retryable, SettingsError
from linkpay.ports import Letter, Mailer
from tests.adapters.certificates import identity
from tests.ports import free_port

CLOCK = ManualClock(datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
FROM = "Courses <courses@example.test>"
LETTER = Letter(
    message_id="0b7c6a52-1f6e-4a39-9f0e-0c1f8a2f4f10@example.test",
    to="eva@example.test",
    sender_name="Zoë's Cursus, online",
    subject="Je betaling is mislukt: € 50,00",
    text="Beste Eva,\n\n.een regel met een punt\nGroet — Zoë\n",
    html="<p>Beste Eva — <a href='https://example.com/x'>betaal</a></p>",
    reply_to="zoe@example.test",
    headers={
        "List-Unsubscribe": "<https://example.com/u/" + "a" * 120 + ">",
        "Auto-Submitted": "auto-generated",
    },
)


class Postbox:
    """Keeps what it is given; `replies` by command replace the usual 250."""

    def __init__(self, **replies: str) -> None:
        self.replies = replies
        self.envelopes: list[Any] = []
        self.greetings: list[str] = []
        self.secure: list[bool] = []

    async def handle_EHLO(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Any, envelope: Any, hostname: str, answers: Any
    ) -> Any:
        self.greetings.append(hostname)
        session.host_name = hostname
        return answers

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        envelope.mail_from = address
        return self.replies.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.replies.get("RCPT", "250 OK")

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Any, envelope: Any
    ) -> str:
        self.secure.append(session.ssl is not None)
        if "DATA" not in self.replies:
            self.envelopes.append(envelope)
        return self.replies.get("DATA", "250 OK")

    def message(self) -> EmailMessage:
        parsed = email.message_from_bytes(self.envelopes[-1].content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed


@contextmanager
def server(postbox: Postbox, **options: Any) -> Iterator[int]:
    controller = Controller(postbox, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def mailer(url: str, **times: float) -> SmtpMailer:
    return SmtpMailer(url, FROM, CLOCK, **({"timeout_s": 1.0} | times))


def sent(letter: Letter = LETTER) -> Postbox:
    postbox = Postbox()
    with server(postbox) as port:
        mailer(f"smtp://127.0.0.1:{port}").send(letter)
    return postbox


def failure(postbox: Postbox, letter: Letter = LETTER) -> ProviderError:
    with server(postbox) as port, pytest.raises(ProviderError) as caught:
        mailer(f"smtp://127.0.0.1:{port}").send(letter)
    return caught.value


def test_the_adapter_is_a_mailer() -> None:
    port: Mailer = mailer("smtp://127.0.0.1:1")
    assert port


def test_a_letter_arrives_as_it_was_written() -> None:
    postbox = sent()
    (envelope,) = postbox.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("courses@example.test", ["eva@example.test"])
    assert postbox.greetings == ["example.test"]
    message = postbox.message()
    assert message["From"].addresses[0].display_name == LETTER.sender_name
    assert message["From"].addresses[0].addr_spec == "courses@example.test"
    assert (message["To"], message["Reply-To"]) == ("eva@example.test", "zoe@example.test")
    assert message["Subject"] == LETTER.subject
    assert message["Date"].datetime == CLOCK.now()
    assert message["Message-ID"] == f"<{LETTER.message_id}>"
    assert message["Auto-Submitted"] == "auto-generated"
    text, html = message.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text.get_content().replace("\r\n", "\n") == LETTER.text
    assert html.get_content().strip() == LETTER.html


def test_long_headers_reach_the_reader_unharmed() -> None:
    long_id = "a" * 120 + "@example.test"
    raw = sent(replace(LETTER, message_id=long_id)).envelopes[0].content.replace(b"\r\n ", b" ")
    assert b"List-Unsubscribe: <https://example.com/u/" + b"a" * 120 + b">\r\n" in raw.replace(b":  ", b": ")
    assert b"Message-ID: <" + long_id.encode() + b">\r\n" in raw.replace(b":  ", b": ")


def test_the_letter_is_plain_ascii_on_the_way() -> None:
    assert sent().envelopes[0].content.isascii()


def test_a_letter_without_a_sender_name_bears_the_settings_name() -> None:
    message = sent(replace(LETTER, sender_name="", reply_to=None, headers={})).message()
    assert message["From"] == FROM
    assert message["Reply-To"] is None


def test_a_domain_of_another_script_is_written_in_ascii() -> None:
    assert sent(replace(LETTER, to="eva@bücher.example")).envelopes[0].rcpt_tos == [
        "eva@xn--bcher-kva.example"
    ]


def test_texts_may_hold_anything() -> None:
    message = sent(replace(LETTER, text="a\ud800\0b\n.\n", html="\ud800")).message()
    text, _ = message.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == "a?b\n.\n"


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("subject", {"subject": "Hello\r\nBcc: all@example.test"}),
        ("subject", {"subject": "Hello\nBcc: all@example.test"}),
        ("subject", {"subject": "Hello\u2028there"}),
        ("sender_name", {"sender_name": "Eva\r\nBcc: all@example.test"}),
        ("sender_name", {"sender_name": "Eva\0"}),
        ("to", {"to": "eva@example.test\r\nBcc: all@example.test"}),
        ("to", {"to": "eva@example.test, all@example.test"}),
        ("to", {"to": "Eva <eva@example.test>"}),
        ("to", {"to": "<eva@example.test>"}),
        ("to", {"to": "eva"}),
        ("to", {"to": ""}),
        ("to", {"to": "@example.test"}),
        ("to", {"to": "eva@a..test"}),
        ("to", {"to": '"a b"@example.test'}),
        ("reply_to", {"reply_to": "a@example.test\nX: y"}),
        ("reply_to", {"reply_to": ""}),
        ("message_id", {"message_id": "a@b>\r\nX: <y"}),
        ("message_id", {"message_id": "no-domain"}),
        ("headers", {"headers": {"X-A": "b\r\nBcc: all@example.test"}}),
        ("headers", {"headers": {"X-A\r\nBcc": "all@example.test"}}),
        ("headers", {"headers": {"Bcc": "all@example.test"}}),
        ("headers", {"headers": {"From": "other@example.test"}}),
        ("headers", {"headers": {"Content-Type": "text/html"}}),
        ("headers", {"headers": {"": "x"}}),
        ("headers", {"headers": {"X A": "x"}}),
    ],
)
def test_nothing_can_start_a_header_of_its_own(field: str, change: dict[str, Any]) -> None:
    with pytest.raises(Permanent) as caught:
        mailer("smtp://127.0.0.1:1").send(replace(LETTER, **change))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("reply", "kind", "field"),
    [
        ({"RCPT": "550 5.1.1 no such person"}, Permanent, "to"),
        ({"RCPT": "450 mailbox busy"}, Retryable, None),
        ({"MAIL": "553 not from you"}, Permanent, "from"),
        ({"MAIL": "451 later"}, Retryable, None),
        ({"DATA": "554 looks like spam"}, Permanent, None),
        ({"DATA": "452 disk full"}, Retryable, None),
        ({"RCPT": "421 closing"}, Retryable, None),
    ],
)
def test_a_refusal_is_for_good_or_for_now(
    reply: dict[str, str], kind: type[ProviderError], field: str | None
) -> None:
    caught = failure(Postbox(**reply))
    assert type(caught) is kind
    assert getattr(caught, "field", None) == field
    (text,) = reply.values()
    assert text.split(maxsplit=1)[1] in caught.detail


def test_an_address_that_the_server_cannot_take_is_refused_for_good() -> None:
    postbox = Postbox()
    with server(postbox, enable_SMTPUTF8=False) as port, pytest.raises(Permanent):
        mailer(f"smtp://127.0.0.1:{port}").send(replace(LETTER, to="zoë@example.test"))
    with server(postbox, enable_SMTPUTF8=True) as port:
        mailer(f"smtp://127.0.0.1:{port}").send(replace(LETTER, to="zoë@example.test"))
    assert postbox.envelopes[0].rcpt_tos == ["zoë@example.test"]


def test_no_server_is_retryable() -> None:
    for url in (f"smtp://127.0.0.1:{free_port()}", "smtp://does-not-exist.invalid:25"):
        with pytest.raises(Retryable):
            mailer(url).send(LETTER)


@contextmanager
def talking(say: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server of one caller that says what `say` says."""

    def run() -> None:
        sock, _ = listener.accept()
        with sock:
            try:
                say(sock)
            except OSError:
                return  # the caller hung up

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)


def drip(sock: socket.socket) -> None:
    sock.sendall(b"220 hello\r\n")
    while True:
        sock.sendall(b"250-more\r\n")
        time.sleep(0.05)


def drip_at_once(sock: socket.socket) -> None:
    for _ in range(400):
        sock.sendall(b"220-hello\r\n")
        time.sleep(0.05)


@pytest.mark.parametrize(
    "say",
    [
        lambda sock: sock.recv(1),
        lambda sock: sock.sendall(b"554 go away\r\n"),
        lambda sock: sock.sendall(b"220 hello\r\n"),
        lambda sock: sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        drip,
        drip_at_once,
    ],
    ids=["silence", "go away", "hangs up", "no mail server", "drip", "drip in the greeting"],
)
def test_a_server_in_trouble_is_retryable_and_does_not_hold_us(say: Callable[[socket.socket], None]) -> None:
    started = time.monotonic()
    with talking(say) as port, pytest.raises(Retryable):
        mailer(f"smtp://127.0.0.1:{port}", timeout_s=0.4, total_s=0.8).send(LETTER)
    assert time.monotonic() - started < 10


def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    own = identity(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(own.ca_file))
    return own.context


def authenticator(server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"eva", b"p@ss/word"), handled=False)


def test_starttls_is_used_when_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = trusted(tmp_path, monkeypatch)
    for query, secure in (("", True), ("?starttls=required", True), ("?starttls=never", False)):
        postbox = Postbox()
        with server(postbox, tls_context=context) as port:
            mailer(f"smtp://127.0.0.1:{port}{query}").send(LETTER)
        assert postbox.secure == [secure]


def test_a_certificate_that_nobody_vouches_for_is_not_taken(tmp_path: Path) -> None:
    postbox = Postbox()
    with (
        server(postbox, tls_context=identity(tmp_path, "127.0.0.1").context) as port,
        pytest.raises(Retryable, match="SSLCertVerificationError"),
    ):
        mailer(f"smtp://127.0.0.1:{port}").send(LETTER)
    assert not postbox.envelopes


def test_required_starttls_and_a_password_need_a_server_that_offers_it() -> None:
    for url in ("smtp://127.0.0.1:{}?starttls=required", "smtp://eva:x@127.0.0.1:{}"):
        postbox = Postbox()
        with server(postbox) as port, pytest.raises(Retryable, match="STARTTLS"):
            mailer(url.format(port)).send(LETTER)
        assert not postbox.envelopes
    with server(Postbox()) as port, pytest.raises(Retryable, match="password"):
        mailer(f"smtp://eva:x@127.0.0.1:{port}?starttls=never").send(LETTER)


def test_a_wrong_password_stops_us_and_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, postbox = trusted(tmp_path, monkeypatch), Postbox()
    with server(postbox, tls_context=context, authenticator=authenticator, auth_required=True) as port:
        mailer(f"smtp://eva:p%40ss%2Fword@127.0.0.1:{port}").send(LETTER)
        with pytest.raises(CredentialsRefused) as caught:
            mailer(f"smtp://eva:another-secret@127.0.0.1:{port}").send(LETTER)
    assert "secret" not in str(caught.value)
    assert len(postbox.envelopes) == 1


def test_tls_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, postbox = trusted(tmp_path, monkeypatch), Postbox()
    with server(postbox, ssl_context=context) as port:
        mailer(f"smtps://127.0.0.1:{port}").send(LETTER)
        with pytest.raises(Retryable):
            mailer(f"smtp://127.0.0.1:{port}", timeout_s=0.2).send(LETTER)
    assert len(postbox.envelopes) == 1


def test_many_threads_send_at_once() -> None:
    postbox = Postbox()
    with server(postbox) as port:
        post = mailer(f"smtp://127.0.0.1:{port}", timeout_s=10)
        letters = [replace(LETTER, message_id=f"{n}@example.test") for n in range(40)]
        with ThreadPoolExecutor(20) as threads:
            list(threads.map(post.send, letters))
    assert len(postbox.envelopes) == 40


@pytest.mark.parametrize(
    "url",
    ["", "mail.example.com", "http://mail.example.com", "smtp://", "smtp://h:port", "smtp://h?tls=1", "smtp://[",
     "smtp://h?starttls=maybe", "smtp://é@h", "smtp://eva:p%C3%A9@h"],
)  # fmt: skip
def test_an_unreadable_address_is_told_at_the_start_without_its_password(url: str) -> None:
    with pytest.raises(SettingsError, match="SMTP_URL") as caught:
        mailer(url)
    assert len(url) < 8 or url not in str(caught.value)


@pytest.mark.parametrize(
    "sender", ["", "nobody", "Eva <>", "a@b@c", "a\r\nb@example.test", "zoë@example.test"]
)
def test_an_unreadable_sender_is_told_at_the_start(sender: str) -> None:
    with pytest.raises(SettingsError, match="MAIL_FROM"):
        SmtpMailer("smtp://127.0.0.1:1", sender, CLOCK)


@pytest.mark.parametrize("domain", ["straße.de", "faß.de", "müller.de", "example.com"])
def test_a_mail_goes_to_the_domain_that_was_typed(domain: str) -> None:
    kept = normalise_email(f"anna@{domain}")
    message = SmtpMailer("smtp://localhost:25", FROM, CLOCK).compose(replace(LETTER, to=kept))
    assert message["To"].addresses[0].domain == idna.encode(domain).decode()
