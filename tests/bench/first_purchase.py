"""From a fresh clone to somebody's first purchase: what `make run` does, and one buyer.

Cold is without a virtual environment, with what pip keeps of packages on this machine; warm is the same clone
once more.
"""

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import requests

from linkpay.cli import demo
from tests.bench.report import ROOT, Figure
from tests.ports import free_ports
from tests.processes.patience import until

_PART = "first"
_COLD_GOAL = 90
_PATIENCE = 300.0
_STOPS_WITHIN = 40.0


def run(rounds: int, database_url: str | None) -> list[Figure]:
    """The figures of this part; a clone is cold once."""
    del database_url  # what a newcomer starts is SQLite
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        clone = Path(folder) / "linkpay"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        cold = [_round(clone, "cold")]
        warm = [_round(clone, f"warm{number}") for number in range(min(rounds, 3))]
    goal = f"below {_COLD_GOAL}"
    return [
        Figure(_PART, "`make run` ready, cold", "s", [one[0] for one in cold], (), "", goal,
               cold[0][0] < _COLD_GOAL),
        Figure(_PART, "`make run` ready, warm", "s", [one[0] for one in warm]),
        Figure(_PART, "bought and let in, cold", "s", [one[1] for one in cold]),
        Figure(_PART, "bought and let in, warm", "s", [one[1] for one in warm]),
    ]  # fmt: skip


def _round(clone: Path, name: str) -> tuple[float, float]:
    """Seconds until the product is ready, and until its first buyer is let in."""
    web, sandbox, smtp = free_ports(3)
    environment = {**os.environ, "PORT": str(web), "SANDBOX_PORT": str(sandbox), "SMTP_PORT": str(smtp)}
    python, started = str(clone / ".venv/bin/python"), time.perf_counter()
    subprocess.run(["make", "--silent", ".venv/.local"], cwd=clone, check=True, stdout=subprocess.DEVNULL)
    process = subprocess.Popen(
        [python, "-m", "linkpay.local"], cwd=clone, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        until(lambda: _is_ready(web), _PATIENCE, 0.05)
        ready = time.perf_counter() - started
        buy = ("-m", "linkpay", "buy", "--plan", "monthly", "--email", f"{name}@example.test")
        subprocess.run([python, *buy], cwd=clone, env=environment, check=True, stdout=subprocess.DEVNULL)
        return ready, time.perf_counter() - started
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_STOPS_WITHIN)


def _is_ready(port: int) -> bool:
    """Whether all is at work and something is for sale."""
    address = f"http://127.0.0.1:{port}"
    try:
        said = requests.get(f"{address}/readyz", timeout=2).json()
        sells = requests.get(f"{address}/{demo.SITE}/buy/{demo.OFFER}", timeout=2).ok
    except requests.RequestException:
        return False
    return sells and all(said[part] == "ok" for part in ("database", "redis", "worker", "clock"))
