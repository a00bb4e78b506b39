"""The mail sink: a real SMTP server that keeps what it is given."""

import asyncio
import email
import email.policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from linkpay.sandbox import ids
from linkpay.sandbox.records import Json, Mail
from linkpay.sandbox.world import World

KEPT = 20_000


class _Handler:
    """What aiosmtpd calls for each message."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        await asyncio.to_thread(keep, self._world, str(envelope.mail_from), list(envelope.rcpt_tos), raw)
        return "250 Message accepted for delivery"


def keep(world: World, sender: str, recipients: list[str], raw: bytes) -> None:
    """Store a message, once for each recipient."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    text, html = _part(message, "plain"), _part(message, "html")
    headers = {name: str(value) for name, value in message.items()}
    with world.books.lock:
        for recipient in recipients:
            world.books.mails.add(
                Mail(
                    id=ids.word(16),
                    created_at=world.now(),
                    recipient=recipient,
                    sender=sender,
                    subject=str(message.get("Subject", "")),
                    text=text,
                    html=html,
                    headers=headers,
                )
            )
        for mail in list(world.books.mails)[:-KEPT]:
            world.books.mails.drop(mail)


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""


def view(mail: Mail) -> Json:
    return {
        "id": mail.id,
        "to": mail.recipient,
        "from": mail.sender,
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
        "at": mail.created_at.isoformat(),
        "headers": mail.headers,
    }


class MailSink:
    """The SMTP server in a thread of its own."""

    def __init__(self, world: World, host: str, port: int) -> None:
        self._controller = Controller(
            _Handler(world), hostname=host, port=port, data_size_limit=10 * 1024 * 1024, enable_SMTPUTF8=True
        )

    def start(self) -> None:
        """Returns when it accepts mail."""
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()
