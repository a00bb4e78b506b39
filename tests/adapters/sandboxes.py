"""The sandbox as the adapters meet it: inside the test's process, or as a process on a port."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from linkpay.clock import ManualClock
from linkpay.sandbox.app import create_sandbox
from linkpay.sandbox.inprocess import KAJABI_HOST, MOLLIE_HOST, mounted
from tests.ports import free_port

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Place:
    """Where a sandbox answers. It makes offer addresses on the host that was asked for them."""

    mollie_url: str
    kajabi_host: str

    def control(self, path: str, **body: Any) -> Any:
        answer = requests.post(f"http://{self.kajabi_host}/_sandbox/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def look(self, path: str) -> Any:
        return requests.get(f"http://{self.kajabi_host}/_sandbox/{path}", timeout=5).json()


@contextmanager
def in_process() -> Iterator[Place]:
    sandbox = create_sandbox(
        clock=ManualClock(datetime(2026, 3, 2, 12, 0, tzinfo=UTC)), deliver=lambda url, form: 200
    )
    with mounted(sandbox):
        yield Place(f"http://{MOLLIE_HOST}", KAJABI_HOST)
    sandbox.close()


@contextmanager
def on_a_port(folder: Path) -> Iterator[Place]:
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "linkpay.sandbox",
        "--port",
        str(port),
        "--smtp-port",
        str(free_port()),
    ]
    with subprocess.Popen(
        [*command, "--state", str(folder / "state.db")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline()  # it speaks once it serves
            yield Place(f"http://127.0.0.1:{port}", f"127.0.0.1:{port}")
        finally:
            process.terminate()
