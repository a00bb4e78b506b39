"""Finding and ending processes by id, never by name, and only those that are ours.

Every program under the supervisor leads a process group of its own and leaves its id in a file, so
what a killed run left behind can be found, checked and ended with all its children.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """A process of this machine; `command` is its argument list as one text."""

    pid: int
    group: int
    command: str


def all_processes() -> list[Process]:
    """Every process we may look at: from /proc, or from `ps` where there is no /proc (macOS)."""
    if (_PROC / "self" / "stat").exists():
        return [found for entry in _PROC.iterdir() if entry.name.isdecimal() for found in _from_proc(entry)]
    listed = subprocess.run(
        ("ps", "-axo", "pid=,pgid=,command="),  # noqa: S607 (where `ps` lies differs per system)
        capture_output=True,
        text=True,
        check=True,
    )
    rows = (line.split(None, 2) for line in listed.stdout.splitlines())
    return [Process(int(row[0]), int(row[1]), row[2]) for row in rows if len(row) == 3]


def _from_proc(entry: Path) -> Iterable[Process]:
    with suppress(OSError):  # it ended while we looked
        state, _, group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
        command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        if state != "Z":
            yield Process(int(entry.name), int(group), command)


def members(groups: set[int], mark: str) -> list[Process]:
    """Living processes of these groups whose command shows `mark`.

    Numbers are used again after a while, so a process without our mark is somebody else's.
    """
    return [process for process in all_processes() if process.group in groups and mark in process.command]


def leftovers(run_folder: Path, mark: str) -> list[Process]:
    """What lives of the programs that left a ``*.pid`` file."""
    return members({pid for file in run_folder.glob("*.pid") if (pid := read_pid(file))}, mark)


def end_orphans(group: int, mark: str) -> None:
    """End at once what a killed program left in its group: it would go on serving with old code."""
    _send(members({group}, mark), signal.SIGKILL)


def read_pid(file: Path) -> int | None:
    """The id in a pid file, or None when it is missing or unreadable."""
    with suppress(OSError, ValueError):
        pid = int(file.read_text())
        return pid if pid > 1 else None
    return None


def end_leftovers(run_folder: Path, mark: str, *, patience: float = 10) -> list[Process]:
    """End what an earlier run left: politely, after `patience` seconds by force. Returns what it ended."""
    found = leftovers(run_folder, mark)
    _send(found, signal.SIGTERM)
    ends = time.monotonic() + patience
    while (alive := leftovers(run_folder, mark)) and time.monotonic() < ends:
        time.sleep(0.05)
    _send(alive, signal.SIGKILL)
    for file in run_folder.glob("*.pid"):
        file.unlink()
    return found


def _send(processes: Iterable[Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)
