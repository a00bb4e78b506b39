"""Measures a sandbox of its own: reads per second, and a virtual year of debits with their webhooks.

``python -m tests.sandbox.measure [members]`` starts it on a free port, loads it, and prints one line per
figure. On Linux the server is held to one core and the load to the others.
"""

import http.client
import os
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import requests

from tests.sandbox.desk import euro
from tests.sandbox.test_server import Receiver, Running

KEY = "test_measured"
CONNECTIONS = 8
READS = 1_000


def pin(process: int, core: int) -> None:
    """Hold every thread of a process to one core, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        for thread in os.listdir(f"/proc/{process}/task"):
            os.sched_setaffinity(int(thread), {core})


def read(port: int, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range(READS):
        connection.request("GET", path, headers={"Authorization": f"Bearer {KEY}"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}")


def reads_per_second(port: int, path: str) -> float:
    threads = [threading.Thread(target=read, args=(port, path)) for _ in range(CONNECTIONS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return CONNECTIONS * READS / (time.perf_counter() - started)


class Shop:
    """The least a shop can be: members with paper mandates, debited each month."""

    def __init__(self, running: Running, hook: str) -> None:
        self._running = running
        self._hook = hook
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {KEY}"

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._session.post(f"{self._running.url}/v2/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def join(self) -> str:
        customer: str = self.post("customers", {"name": "Member"})["id"]
        mandate = {"method": "directdebit", "consumerName": "M", "consumerAccount": "NL55INGB0000000000"}
        self.post(f"customers/{customer}/mandates", mandate)
        return customer

    def debit(self, customer: str) -> str:
        body = {"amount": euro("25.00"), "description": "Month", "customerId": customer}
        body |= {"sequenceType": "recurring", "webhookUrl": self._hook}
        payment: str = self.post("payments", body)["id"]
        return payment


def year(running: Running, members: int) -> tuple[float, float, int]:
    """Seconds that the clock took, seconds in all, and webhooks received in 360 days."""
    receiver = Receiver()
    shop = Shop(running, f"{receiver.url}/hook")
    customers = [shop.join() for _ in range(members)]
    moving, started = 0.0, time.perf_counter()
    for day in range(360):
        for customer in customers[day % 30 :: 30]:
            shop.debit(customer)
        before = time.perf_counter()
        running.control("clock", advance_seconds=86_400)
        moving += time.perf_counter() - before
    running.control("clock", advance_seconds=10 * 86_400)
    whole = time.perf_counter() - started
    received = len(receiver.calls)
    receiver.close()
    return moving, whole, received


def main(members: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        running = Running(Path(folder))
        try:
            if (os.cpu_count() or 1) > 1:
                pin(running.process.pid, 0)
                pin(os.getpid(), 1)
            shop = Shop(running, "http://127.0.0.1:9/nobody")
            path = f"/v2/payments/{shop.debit(shop.join())}"
            reads_per_second(running.port, path)
            sys.stdout.write(
                f"GET payment, one core: {reads_per_second(running.port, path):.0f} requests/s\n"
            )
            moving, whole, received = year(running, members)
            sys.stdout.write(
                f"a year of {members} members: {whole:.1f} s, of which {moving:.1f} s moving the clock;"
                f" {received} webhooks received\n"
            )
        finally:
            running.end()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
