"""Serves the sandbox on a port: cheroot in front, couriers, life and the mail sink behind.

cheroot keeps everything in one process and lets us reach the caller's socket, which answers that are to be
delayed or lost need. Measured on one core: 3,700 requests/s for an empty answer (granian: 17,000, but in a
child process and without the socket), far above what the sandbox's own work allows.
"""

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cheroot import wsgi
from cheroot.ssl.builtin import BuiltinSSLAdapter

from linkpay.clock import SharedClock
from linkpay.sandbox.app import Sandbox, create_sandbox
from linkpay.sandbox.mail import MailSink
from linkpay.sandbox.posting import HttpPost

SERVER_THREADS = 16
COURIER_THREADS = 16
STOP_SECONDS = 4.0
_LINGER_ZERO = struct.pack("ii", 1, 0)


class _Connection:
    """The caller's socket, for answers that are delayed or lost on purpose."""

    def __init__(self, server: wsgi.Server, raw: socket.socket) -> None:
        self._server = server
        self._socket = raw

    def hold(self, seconds: float) -> None:
        """Wait, with a thread of the pool of its own, until the caller hangs up or the time is over."""
        self._server.requests.grow(1)
        try:
            select.select([self._socket], [], [], seconds)
        finally:
            self._server.requests.shrink(1)

    def cut(self) -> None:
        """Reset the connection. What the server still writes goes nowhere."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
            self._socket.shutdown(socket.SHUT_RDWR)


class _Gateway(wsgi.Gateway_10):
    """Gives the application the connection."""

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override] # the stub says None, the code a dict
        environ: dict[str, Any] = super().get_environ()  # type: ignore[no-untyped-call] # no types there
        environ["linkpay.connection"] = _Connection(self.req.server, self.req.conn.socket)
        return environ


@dataclass(frozen=True, slots=True)
class Places:
    """Where the sandbox listens and keeps its state. `certificate` and `private_key` (PEM files) make it
    speak https, which some clients insist on."""

    host: str
    port: int
    smtp_port: int | None
    state: Path
    certificate: Path | None = None
    private_key: Path | None = None


class Service:
    """The sandbox with everything that runs beside it."""

    def __init__(self, places: Places) -> None:
        host, state = places.host, places.state
        self._scheme = "http"
        self.sandbox: Sandbox = create_sandbox(
            state,
            clock=SharedClock(state.with_name(state.name + ".clock")),
            post=HttpPost(COURIER_THREADS),
        )
        self._mail = None
        if places.smtp_port is not None:
            self._mail = MailSink(self.sandbox.world, host, places.smtp_port)
        self._server = wsgi.Server(
            (host, places.port), self.sandbox.wsgi, numthreads=SERVER_THREADS, request_queue_size=512
        )
        self._server.gateway = _Gateway
        self._server.shutdown_timeout = 2
        self._server.server_name = "sandbox"
        if places.certificate is not None and places.private_key is not None:
            self._scheme = "https"
            self._server.ssl_adapter = BuiltinSSLAdapter(str(places.certificate), str(places.private_key))

    def prepare(self) -> int:
        """Open the port and start the background; returns the port."""
        self._server.prepare()
        port = int(self._server.bind_addr[1])
        base = f"{self._scheme}://{self._server.bind_addr[0]}:{port}"
        self.sandbox.world.base = self.sandbox.world.kajabi_base = base
        if self._mail is not None:
            self._mail.start()
        self.sandbox.world.courier.start(COURIER_THREADS)
        self.sandbox.life.start()
        return port

    def serve(self, ended: Callable[[], None]) -> None:
        """Answer in a background thread until `stop`; `ended` is called when that thread is over."""

        def run() -> None:
            try:
                self._server.serve()
            finally:
                ended()

        threading.Thread(target=run, name="sandbox-server", daemon=True).start()

    def stop(self) -> bool:
        """End everything; the state is written. False when something would not end in time."""
        ended = _ends(self._server.stop)
        if self._mail is not None:
            ended &= _ends(self._mail.stop)
        self.sandbox.close()
        return ended


def _ends(deed: Callable[[], None]) -> bool:
    """Whether `deed` is over within `STOP_SECONDS`; the servers' own stops may wait for ever."""
    thread = threading.Thread(target=deed, daemon=True)
    thread.start()
    thread.join(STOP_SECONDS)
    return not thread.is_alive()
