"""A bad line on purpose: a TCP proxy on loopback between LinkPay and a provider, with weather.

Each exchange on a connection (what is asked, and the answer) meets the present weather or not, by the
proxy's own dice. Connections that are kept alive meet it too.
"""

import asyncio
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Self

KINDS = ("latency", "cut", "black_hole", "lost_answer", "reset", "reset_answer", "slow_drip")
_RESET = struct.pack("ii", 1, 0)  # linger on, for no time: closing sends RST
_CUT_AFTER = 200  # bytes of the answer: in the middle of its head or its body
_DRIP = 0.05  # seconds between two bytes
_LATENCY = 1.5  # seconds, each way


class _Over(Exception):
    """This connection has ended."""


@dataclass
class _Line:
    """One connection: both its ends, and the weather that its present exchange meets."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    kind: str | None = None
    asking: bool = False
    swallowed: bool = False

    def reset(self) -> None:
        """Close so that both see a reset."""
        for end in (self.near, self.far):
            raw: socket.socket = end.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.transport.abort()
        raise _Over

    def close(self) -> None:
        """Close both ends."""
        for end in (self.near, self.far):
            end.close()
        raise _Over


@dataclass
class Proxy:
    """Passes bytes on to `target_port` of its own address. Calm until `weather`; `hits` counts by kind."""

    target_port: int
    seed: int = 1
    address: str = "127.0.0.1"
    hits: Counter[str] = field(default_factory=Counter)
    exchanges: int = 0
    port: int = 0
    _kind: str | None = None
    _share: float = 0.0

    def __enter__(self) -> Self:
        self._dice = random.Random(self.seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server = self._do(asyncio.start_server(self._serve, self.address, 0))
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()  # in its own thread: it is not safe from another
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def weather(self, kind: str, share: float = 1.0) -> None:
        """Let this share of all exchanges meet `kind` from now on."""
        if kind not in KINDS:
            raise ValueError(f"no such weather: {kind}")
        self._kind, self._share = kind, share

    def calm(self) -> None:
        """No more bad weather; what was swallowed stays swallowed."""
        self._kind = None

    def _meets(self) -> str | None:
        self.exchanges += 1
        if self._kind is None or self._dice.random() >= self._share:
            return None
        self.hits[self._kind] += 1
        return self._kind

    async def _serve(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        try:
            far_reader, far = await asyncio.open_connection(self.address, self.target_port)
        except OSError:
            near.close()
            return
        line = _Line(near, far)
        ways = [
            asyncio.ensure_future(self._ask(line, reader)),
            asyncio.ensure_future(self._answer(line, far_reader)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            near.close()
            far.close()

    async def _ask(self, line: _Line, reader: asyncio.StreamReader) -> None:
        while chunk := await reader.read(65_536):
            if not line.asking:
                line.asking, line.kind = True, self._meets()
            if line.kind == "latency":
                await asyncio.sleep(_LATENCY)
            elif line.kind == "reset":
                line.reset()
            elif line.kind == "black_hole":
                line.swallowed = True
            if not line.swallowed:
                line.far.write(chunk)
                await line.far.drain()

    async def _answer(self, line: _Line, reader: asyncio.StreamReader) -> None:
        while chunk := await reader.read(65_536):
            line.asking = False
            match line.kind:
                case "latency":
                    await asyncio.sleep(_LATENCY)
                case "lost_answer":
                    line.swallowed = True
                case "reset_answer":
                    line.reset()
                case "cut":
                    line.near.write(chunk[:_CUT_AFTER])
                    await line.near.drain()
                    line.close()
                case "slow_drip":
                    await self._drip(line, chunk)
                    continue
            if not line.swallowed:
                line.near.write(chunk)
                await line.near.drain()

    async def _drip(self, line: _Line, chunk: bytes) -> None:
        for byte in chunk:
            line.near.write(bytes([byte]))
            await line.near.drain()
            await asyncio.sleep(_DRIP)
