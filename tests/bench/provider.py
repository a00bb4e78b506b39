"""A provider that costs next to nothing: ``python -m tests.bench.provider PORT [--quick] [--silent]``.

It answers Mollie's two calls of a renewal as quickly or slowly as a real one (p50 120 ms, p99 380 ms, 0.7
percent answered 503) and posts the webhook of each payment. It holds no rules: what it proves is speed, and
its books say how often each subscription was charged. The sandbox is for everything else.
"""

import argparse
import asyncio
import json
import math
import random
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

_SIGMA = math.log(380 / 120) / 2.326  # a log-normal wait with that p50 and p99
_FAULTS = 0.007
_AT = "2026-06-01T08:00:00+00:00"


class Provider:
    """What was asked for, and the answers."""

    def __init__(self, *, quick: bool, silent: bool) -> None:
        self._quick, self._silent = quick, silent
        self._payments: dict[str, dict[str, Any]] = {}
        self._by_key: dict[str, str] = {}
        self._asked: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._luck = random.Random(1)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, any number of requests."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                method, target, _ = head.split(" ", 2)
                fields = {
                    name.lower(): value.strip()
                    for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
                }
                body = await reader.readexactly(int(fields.get("content-length", 0)))
                status, answer = await self._answer(method, urlsplit(target).path, fields, body)
                self._write(writer, status, answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _write(self, writer: asyncio.StreamWriter, status: int, answer: dict[str, Any]) -> None:
        data = json.dumps(answer).encode()
        writer.write(
            b"HTTP/1.1 %d Said\r\nContent-Type: application/hal+json\r\nContent-Length: %d\r\n\r\n%b"
            % (status, len(data), data)
        )

    async def _answer(
        self, method: str, path: str, fields: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, Any]]:
        if path == "/books":
            charged = Counter(one["metadata"]["linkpay"] for one in self._payments.values())
            return 200, {
                "calls": dict(self._asked), "payments": len(charged), "most": max(charged.values(), default=0)
            }  # fmt: skip
        self._asked[method] += 1
        if not self._quick:
            await asyncio.sleep(0.12 * math.exp(_SIGMA * self._luck.gauss(0, 1)))
            if self._luck.random() < _FAULTS:
                return 503, {"status": 503, "title": "Service Unavailable", "detail": "later", "_links": {}}
        if method == "POST":
            made = self._pay(json.loads(body), fields.get("idempotency-key", ""))
            return 201, {**made, "status": "pending", "paidAt": None} if self._silent else made
        found = self._payments.get(path.rpartition("/")[2])
        if found is None:
            return 404, {"status": 404, "title": "Not Found", "detail": "no such thing", "_links": {}}
        return 200, found

    def _pay(self, wish: dict[str, Any], key: str) -> dict[str, Any]:
        if key in self._by_key:
            return self._payments[self._by_key[key]]
        payment_id = f"tr_bench{len(self._payments):07}"
        metadata = wish["metadata"]
        made = {
            "resource": "payment", "id": payment_id, "mode": "test", "status": "paid", "createdAt": _AT,
            "paidAt": _AT, "amount": wish["amount"], "description": wish["description"],
            "method": "creditcard", "sequenceType": "recurring", "customerId": wish["customerId"],
            "mandateId": wish["mandateId"],
            "metadata": json.loads(metadata) if isinstance(metadata, str) else metadata, "_links": {},
        }  # fmt: skip
        self._payments[payment_id], self._by_key[key] = made, payment_id
        if not self._silent:
            task = asyncio.ensure_future(self._tell(wish["webhookUrl"], payment_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return made

    async def _tell(self, url: str, payment_id: str) -> None:
        address = urlsplit(url)
        await asyncio.sleep(0.05)
        body = f"id={payment_id}"
        for wait in (1, 5, 15):
            try:
                reader, writer = await asyncio.open_connection(address.hostname, address.port)
                writer.write(
                    f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n"
                    "Content-Type: application/x-www-form-urlencoded\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
                )
                head = await reader.readuntil(b"\r\n\r\n")
                writer.close()
                if head[9:12] == b"200":
                    return
            except (OSError, asyncio.IncompleteReadError):
                pass
            await asyncio.sleep(wait)


async def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.provider")
    parser.add_argument("port", type=int)
    parser.add_argument("--quick", action="store_true", help="answer at once and without faults")
    parser.add_argument("--silent", action="store_true", help="a payment is pending, then paid; no webhooks")
    options = parser.parse_args()
    provider = Provider(quick=options.quick, silent=options.silent)
    server = await asyncio.start_server(provider.serve, "127.0.0.1", options.port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
