"""A real server on a free port that does to its callers what networks do: resets, drips, half answers."""

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Request:
    """What came in. `connection` counts the connections, from 1."""

    connection: int
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


Script = Callable[[Request, socket.socket], None]


class HangUp(OSError):
    """Ends the connection. A socket that is only closed lives on while it is being read."""


@dataclass
class TinyServer:
    """Answers each request by `script`, keeping connections open until the script closes one."""

    script: Script
    requests: list[Request] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    tls: ssl.SSLContext | None = None
    port: int = 0
    connections: int = 0
    closed: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self, listener: socket.socket) -> None:
        while not self.stopping.is_set():
            with suppress(OSError):
                sock, _ = listener.accept()
                self.connections += 1
                threading.Thread(target=self._talk, args=(sock, self.connections), daemon=True).start()

    def _talk(self, sock: socket.socket, number: int) -> None:
        with suppress(OSError, ValueError):
            if self.tls is not None:
                sock = self.tls.wrap_socket(sock, server_side=True)
            with sock.makefile("rb") as stream:
                while (request := _read(stream, number)) is not None:
                    self.requests.append(request)
                    self.script(request, sock)
        sock.close()
        self.closed += 1


def _read(stream: Any, number: int) -> Request | None:
    first = stream.readline().decode("latin-1").split()
    if len(first) < 2:
        return None
    headers: dict[str, str] = {}
    while (line := stream.readline().decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", "0")))
    return Request(number, first[0], first[1], headers, body)


@contextmanager
def serving(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[TinyServer]:
    """Run a server for the length of a block."""
    server = TinyServer(script, tls=tls)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        listener.settimeout(0.05)
        server.port = listener.getsockname()[1]
        thread = threading.Thread(target=server.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.stopping.set()
            thread.join()


def http(
    status: int,
    body: bytes | dict[str, Any] = b"",
    content_type: str = "application/hal+json",
    **headers: str,
) -> bytes:
    """The bytes of a complete answer; an underscore in a header's name stands for a dash."""
    content = json.dumps(body).encode() if isinstance(body, dict) else body
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {content_type}", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


def answering(*answers: bytes) -> Script:
    """One answer after the other, the last one for ever."""
    left = list(answers)

    def script(_: Request, sock: socket.socket) -> None:
        sock.sendall(left.pop(0) if len(left) > 1 else left[0])

    return script


def hanging_up(answer: bytes) -> Script:
    """Answer and end the connection without a word about it."""

    def script(_: Request, sock: socket.socket) -> None:
        sock.sendall(answer)
        raise HangUp

    return script


def silent(_: Request, sock: socket.socket) -> None:
    """Take the request and say nothing, for longer than any test lets anybody wait."""
    sock.settimeout(30)
    sock.recv(1)


def reset(_: Request, sock: socket.socket) -> None:
    """Take the request and break the connection off, as a crash does."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise HangUp


def dripping(start: bytes, drop: bytes = b"x", pause_s: float = 0.05) -> Script:
    """Send `start`, then a drop now and then for as long as the caller listens."""

    def script(_: Request, sock: socket.socket) -> None:
        sock.sendall(start)
        pause = threading.Event()
        while True:
            sock.sendall(drop)
            pause.wait(pause_s)

    return script
