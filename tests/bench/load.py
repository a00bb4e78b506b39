"""A load generator for one address: raw HTTP/1.1 over kept connections, one thread, no library in the way.

`closed` sends as fast as answers come; `open_load` sends at a given pace whether answers come or not, and
counts a wait from the moment at which the request was meant to leave.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle

_LENGTH = b"content-length:"


@dataclass
class Answers:
    """What came back: milliseconds of each answer, and how often each status was seen; -1 is no answer."""

    milliseconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def per_second(self) -> float:
        """Answers a second over the whole run."""
        return len(self.milliseconds) / self.seconds if self.seconds else 0.0

    def at(self, share: float) -> float:
        """Milliseconds within which this share of the answers came; 0.99 is p99."""
        ranked = sorted(self.milliseconds)
        return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else 0.0


def post_form(path: str, body: bytes) -> bytes:
    """The bytes of one POST with a form, to be sent again and again."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def get(path: str, cookie: str = "") -> bytes:
    """The bytes of one GET."""
    extra = f"Cookie: {cookie}\r\n" if cookie else ""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{extra}\r\n".encode()


def closed(port: int, request: bytes, *, connections: int, seconds: float) -> Answers:
    """As many answers as can be had in some seconds over some connections."""
    return asyncio.run(_closed(port, request, connections, seconds))


def open_load(
    port: int, request: bytes | Sequence[bytes], *, per_second: float, seconds: float, connections: int
) -> Answers:
    """Arrivals at a steady pace that wait for nobody; a full set of connections makes them queue, and the
    time in that queue counts. Of several requests each is sent in its turn."""
    requests = [request] if isinstance(request, bytes) else request
    return asyncio.run(_open(port, requests, per_second, seconds, connections))


class _Line:
    """One kept connection, made when it is needed, and anew when the other side closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def open(self) -> None:
        self._ends = await asyncio.open_connection("127.0.0.1", self._port)

    async def ask(self, request: bytes) -> int:
        if self._ends is None:
            await self.open()
        try:
            return await self._ask(request)
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            raise

    def close(self) -> None:
        if self._ends is not None:
            self._ends[1].close()
        self._ends = None

    async def _ask(self, request: bytes) -> int:
        assert self._ends is not None
        reader, writer = self._ends
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        lowered = head.lower()
        start = lowered.find(_LENGTH)
        if start >= 0:
            length = int(lowered[start + len(_LENGTH) : lowered.find(b"\r\n", start)])
            if length:
                await reader.readexactly(length)
        if b"\r\nconnection: close" in lowered:
            self.close()
        return int(head[9:12])


async def _lines(port: int, connections: int) -> list[_Line]:
    lines = [_Line(port) for _ in range(connections)]
    for line in lines:
        await line.open()
    return lines


async def _timed(line: _Line, request: bytes, since: float, answers: Answers) -> None:
    try:
        status = await line.ask(request)
    except (OSError, asyncio.IncompleteReadError):
        status = -1
    answers.statuses[status] += 1
    answers.milliseconds.append(1000 * (time.perf_counter() - since))


async def _closed(port: int, request: bytes, connections: int, seconds: float) -> Answers:
    answers, lines = Answers(), await _lines(port, connections)
    started = time.perf_counter()

    async def go_on(line: _Line) -> None:
        while time.perf_counter() - started < seconds:
            await _timed(line, request, time.perf_counter(), answers)

    await asyncio.gather(*map(go_on, lines))
    answers.seconds = time.perf_counter() - started
    return answers


async def _open(
    port: int, requests: Sequence[bytes], per_second: float, seconds: float, connections: int
) -> Answers:
    answers, free, turns = Answers(), asyncio.Queue[_Line](), cycle(requests)
    for line in await _lines(port, connections):
        free.put_nowait(line)

    async def arrive(meant_at: float) -> None:
        line = await free.get()
        await _timed(line, next(turns), meant_at, answers)
        free.put_nowait(line)

    started = time.perf_counter()
    await _at_pace(arrive, started, per_second, round(per_second * seconds))
    answers.seconds = time.perf_counter() - started
    return answers


async def _at_pace(
    arrive: Callable[[float], Awaitable[None]], started: float, per_second: float, count: int
) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            meant_at = started + number / per_second
            if (early := meant_at - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            group.create_task(_run(arrive, meant_at))


async def _run(arrive: Callable[[float], Awaitable[None]], meant_at: float) -> None:
    await arrive(meant_at)
