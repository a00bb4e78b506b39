"""What the whole set costs while nothing happens, and how soon it is ready."""

import tempfile
import time
from contextlib import suppress
from pathlib import Path

from tests.bench.report import Figure
from tests.processes.machine import ORDER, Machine, machine_running
from tests.waiting import eventually

_PART = "rest"
_MEMORY_GOAL, _READY_GOAL = 450, 5


def run(rounds: int, database_url: str | None) -> list[Figure]:
    """The figures of this part."""
    ready, memory = [], []
    with (
        tempfile.TemporaryDirectory(prefix="bench") as folder,
        machine_running(Path(folder) / "var", database_url or f"sqlite:///{folder}/linkpay.db") as (
            machine,
            _,
        ),
    ):
        for _ in range(rounds):
            machine.stop(*reversed(ORDER))
            started = time.perf_counter()
            machine.start(*ORDER)
            eventually(lambda: "clock" in machine.groups())
            ready.append(time.perf_counter() - started)
            time.sleep(1.5)
            memory.append(_mebibytes(machine))
    return [
        Figure(_PART, "memory of all processes, shared parts once", "MiB", memory, (), "",
               f"below {_MEMORY_GOAL}", max(memory) < _MEMORY_GOAL),
        Figure(_PART, "from the start of all processes to ready", "s", ready, (), "", f"below {_READY_GOAL}",
               sorted(ready)[len(ready) // 2] < _READY_GOAL),
    ]  # fmt: skip


def _mebibytes(machine: Machine) -> float:
    """Proportional memory of every process of the set (Linux)."""
    groups, kibibytes = set(machine.groups().values()), 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[2]) in groups:
                    rollup = (entry / "smaps_rollup").read_text()
                    kibibytes += int(rollup.partition("\nPss:")[2].split()[0])
    return kibibytes / 1024
