"""Mail: `Mailer` over SMTP. One connection per letter: letters are few, and nothing is shared by threads."""

import re
import smtplib
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime, parseaddr
from socket import socket
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import idna

from linkpay.adapters.time_limits import time_limit, watch
from linkpay.adapters.wire import storable
from linkpay.clock import Clock
from linkpay.errors import CredentialsRefused, Permanent, ProviderError, Retryable, SettingsError
from linkpay.ports import Letter

_PORTS = {"smtp": 587, "smtps": 465}
_STARTTLS = ("offered", "required", "never")
_LOCAL_PART = r"[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]{1,64}"
_ADDRESS = re.compile(rf"{_LOCAL_PART}@[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]{{1,253}}")
_MESSAGE_ID = re.compile(r"<?([!-;=?A-~]+@[!-;=?A-~]+)>?")
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,75}")
_BREAKS = re.compile(r"[\r\n\0\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Headers that are this module's own business.
_RESERVED = frozenset(
    {"from", "sender", "to", "cc", "bcc", "subject", "date", "message-id", "reply-to", "mime-version"}
    | {"return-path", "received"}
)
_LONG_WORD = 70


class _WholeWords(EmailPolicy):
    """Python's own folding turns a word longer than a line into an encoded one, which no program reads as
    the link or id that it was (List-Unsubscribe, Message-ID). Such headers get a line for each word."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        return (self._by_words(name, value) or "").encode("ascii") or super().fold_binary(name, value)

    def _by_words(self, name: str, value: Any) -> str | None:
        words = str(value).split()
        if not str(value).isascii() or all(len(word) <= _LONG_WORD for word in words):
            return None
        return f"{name}: {(self.linesep + ' ').join(words)}{self.linesep}"


# 7 bit: not every server on the way takes 8 bit text.
_POLICY = _WholeWords(linesep=SMTP.linesep, cte_type="7bit")


@dataclass(frozen=True, slots=True)
class _Server:
    host: str
    port: int
    tls: bool
    starttls: str
    user: str | None
    password: str


class _Watched(smtplib.SMTP):
    """Puts its connection under the time limit of its letter before the server says a word."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket:
        # smtplib reads the greeting while it is being made, before anybody else has the connection.
        sock: socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]  # not in its stubs
        watch(sock)
        return sock


class _WatchedTLS(_Watched, smtplib.SMTP_SSL):
    """The same over TLS."""


class SmtpMailer:
    """Sends letters through one mail server, from any number of threads.

    `url` is ``smtp://user:password@host:587`` or ``smtps://...:465``; ``?starttls=required`` refuses a
    server without it, ``never`` does not use it, and by default it is used when offered (with a password:
    required). `mail_from` is an address or ``Name <address>``. `timeout_s` holds for each step, `total_s`
    for the whole letter. Raises SettingsError when either setting cannot be read.
    """

    def __init__(
        self, url: str, mail_from: str, clock: Clock, *, timeout_s: float = 15.0, total_s: float = 60.0
    ) -> None:
        self._server = _parse_server(url)
        self._name, sender = parseaddr(mail_from)
        if not _ADDRESS.fullmatch(sender) or not sender.isascii() or _BREAKS.search(mail_from):
            raise SettingsError("MAIL_FROM: is not an e-mail address; write Name <name@your-domain>")
        self._from = sender
        self._clock = clock
        self._tls = ssl.create_default_context()
        self._timeout_s = timeout_s
        self._total_s = total_s

    def send(self, letter: Letter) -> None:
        """Hand the letter over; returns when the server accepted it.

        Raises Permanent when the letter or its address is refused for good, CredentialsRefused when we
        are, Retryable for anything else. After a lost answer the letter may go out twice; both copies
        then bear the same Message-ID.
        """
        message = self.compose(letter)
        failure: ProviderError
        try:
            with time_limit(self._total_s):
                smtp = self._connect()
                try:
                    self._enter(smtp)
                    smtp.send_message(message, self._from, [_envelope(letter.to)])
                    with suppress(smtplib.SMTPException, OSError):
                        smtp.quit()  # the letter is accepted, whatever becomes of the goodbye
                finally:
                    smtp.close()
            return
        except smtplib.SMTPException as error:
            failure = _of_smtp(error)
        except OSError as error:
            failure = Retryable(f"mail server: {type(error).__name__}")
        raise failure

    def compose(self, letter: Letter) -> EmailMessage:
        """The message as it is sent. Raises Permanent for anything that does not belong in a header."""
        message = EmailMessage(policy=_POLICY)
        name = _one_line("sender_name", letter.sender_name) or self._name
        message["From"] = _mailbox(name, self._from)
        message["To"] = _mailbox("", _address("to", letter.to))
        if letter.reply_to is not None:
            message["Reply-To"] = _mailbox("", _address("reply_to", letter.reply_to))
        message["Subject"] = _one_line("subject", letter.subject)
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = _message_id(letter.message_id)
        _add_headers(message, letter.headers)
        message.set_content(storable(letter.text))
        message.add_alternative(storable(letter.html), subtype="html")
        return message

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        # Our own domain as the name in EHLO: the default asks the network for this machine's name.
        domain = self._from.rpartition("@")[2]
        if server.tls:
            return _WatchedTLS(server.host, server.port, domain, timeout=self._timeout_s, context=self._tls)
        return _Watched(server.host, server.port, domain, timeout=self._timeout_s)

    def _enter(self, smtp: smtplib.SMTP) -> None:
        server = self._server
        smtp.ehlo_or_helo_if_needed()
        if not server.tls and server.starttls != "never":
            if smtp.has_extn("starttls"):
                smtp.starttls(context=self._tls)
                watch(smtp.sock)  # another one
                smtp.ehlo()
            elif server.starttls == "required":
                raise Retryable("mail server: offers no STARTTLS, which the settings require")
        if server.user is not None:
            if not smtp.has_extn("auth"):
                raise Retryable("mail server: takes no password, though the settings give one")
            smtp.login(server.user, server.password)


def _of_smtp(error: smtplib.SMTPException) -> ProviderError:
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Permanent(f"mail server: {error}")
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
        return _of_code(code, text, field="to")
    if not isinstance(error, smtplib.SMTPResponseException):
        return Retryable(f"mail server: {type(error).__name__}")
    status, told = error.smtp_code, error.smtp_error
    if isinstance(error, smtplib.SMTPAuthenticationError) and status >= 500:
        return CredentialsRefused("mail server: user or password is not accepted", status=status)
    if isinstance(error, (smtplib.SMTPConnectError, smtplib.SMTPHeloError)):
        # A refusal of us and not of this letter: someone will mend it.
        return Retryable(f"mail server {status}: {_readable(told)}", status=status)
    return _of_code(status, told, field="from" if isinstance(error, smtplib.SMTPSenderRefused) else None)


def _of_code(code: int, text: bytes | str, *, field: str | None) -> ProviderError:
    detail = f"mail server {code}: {_readable(text)}"
    if code >= 500:
        return Permanent(detail, status=code, field=field)
    return Retryable(detail, status=code)


def _readable(text: bytes | str) -> str:
    plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return storable(plain)[:500]


def _parse_server(url: str) -> _Server:
    try:
        parts = urlsplit(url)
        port = parts.port
        query = parse_qs(parts.query, strict_parsing=bool(parts.query))
    except ValueError:
        raise SettingsError(f"SMTP_URL: cannot be read; {_EXAMPLE}") from None
    given = query.pop("starttls", None)
    starttls = given[-1] if given else ("required" if parts.username else "offered")
    sound = url.isascii() and unquote(parts.netloc).isascii() and not query and starttls in _STARTTLS
    if parts.scheme not in _PORTS or not parts.hostname or not sound:
        raise SettingsError(f"SMTP_URL: cannot be read; {_EXAMPLE}")
    return _Server(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        tls=parts.scheme == "smtps",
        starttls=starttls,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password or ""),
    )


_EXAMPLE = "write smtp://user:password@host:587?starttls=required, or smtps://user:password@host:465"


def _one_line(field: str, text: str) -> str:
    """`text`, refused when it could start a header of its own."""
    if _BREAKS.search(text):
        raise Permanent(f"a line break in {field}", field=field)
    return storable(text)


def _address(field: str, text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise Permanent(f"{field} is not one e-mail address", field=field)
    return text


def _mailbox(name: str, address: str) -> Address:
    local, _, domain = address.rpartition("@")
    return Address(name, local, _ascii_domain(domain))


def _envelope(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{_ascii_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    try:
        # As `email_validator` reads it. Python's own codec has older rules, by which ß is ss: another domain.
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise Permanent("the e-mail address names no domain", field="to") from None


def _message_id(text: str) -> str:
    found = _MESSAGE_ID.fullmatch(text)
    if found is None:
        raise Permanent("message_id is not of the form name@domain", field="message_id")
    return f"<{found[1]}>"


def _add_headers(message: EmailMessage, headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        lowered = name.lower()
        if (
            not _HEADER_NAME.fullmatch(name)
            or lowered in _RESERVED
            or lowered.startswith(("content-", "resent-"))
        ):
            raise Permanent(f"the header {name[:76]!r} may not be set", field="headers")
        message[name] = _one_line("headers", value)
