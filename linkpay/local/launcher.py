"""Starts everything, waits until it answers, seeds it, and stops everything again."""

import fcntl
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from rich.console import Console

from linkpay.errors import LinkPayError
from linkpay.local import supervision
from linkpay.local.processes import end_leftovers, end_orphans, members, read_pid
from linkpay.local.stack import Program, Stack

MARK = sys.prefix  # every command of ours runs a program of this virtual environment
SECONDS_TO_ANSWER = 60.0
_SECONDS_TO_LEAVE = 3.0
Result = TypeVar("Result")


class CannotRun(LinkPayError):
    """The stack cannot be started or kept up; the message says what to do."""


class Stopped(BaseException):
    """Somebody asked us to end: Ctrl-C, SIGTERM or a closed terminal."""


@contextmanager
def alone(run_folder: Path) -> Iterator[None]:
    """Hold the checkout for this run; raises CannotRun when another run holds it."""
    with (run_folder / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotRun(
                "LinkPay already runs from this checkout. Its addresses: .venv/bin/python -m linkpay demo"
            ) from None
        yield


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Turn the first signal to end into `Stopped`, and let no further one disturb the ending."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def check_ports(stack: Stack) -> None:
    """Raise CannotRun that names every port that is taken, and how to choose another.

    What has just ended can hold a port for a moment when it is not among the processes any more, so a port
    counts as taken after `_SECONDS_TO_LEAVE` only.
    """
    if len(set(stack.ports.values())) < len(stack.ports):
        raise CannotRun(f"The ports must differ: {', '.join(f'{n}={p}' for n, p in stack.ports.items())}")
    ends = time.monotonic() + _SECONDS_TO_LEAVE
    while (taken := _taken(stack)) and time.monotonic() < ends:
        time.sleep(0.05)
    if taken:
        lines = "\n".join(
            f"  port {port} is in use by another program; choose another: {name}={port + 100} make run"
            for name, port in taken
        )
        raise CannotRun(f"LinkPay cannot start:\n{lines}")


def _taken(stack: Stack) -> list[tuple[str, int]]:
    return [(name, port) for name, port in stack.ports.items() if not is_free(port)]


def is_free(port: int) -> bool:
    """Whether a server may have this port of this machine now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _step(console: Console, what: str, act: Callable[[], Result]) -> Result:
    """Do one step and say that it is done, and how long it took."""
    started = time.monotonic()
    with console.status(f"{what} ..."):
        result = act()
    console.print(f"  [green]ready[/]  {what} [dim]{time.monotonic() - started:.1f} s[/]")
    return result


def run_once(stack: Stack, name: str, command: tuple[str, ...]) -> str:
    """Run a command to its end and return what it printed; raises CannotRun with its last words."""
    log = supervision.log_file(stack, name)
    with log.open("ab") as errors:
        done = subprocess.run(  # noqa: S603 - the stack names each command, nobody types one
            command,
            env=dict(stack.environment),
            cwd=stack.folder,
            stdout=subprocess.PIPE,
            stderr=errors,
            check=False,
        )
    if done.returncode:
        raise CannotRun(f"`{' '.join(command[1:])}` failed; the end of {log}:\n{_tail(log)}")
    return done.stdout.decode()


def wait_for(stack: Stack, program: Program, supervisor: subprocess.Popen[bytes], seconds: float) -> None:
    """Return when the program is ready; raises CannotRun with the end of its log when time is up."""
    ends = time.monotonic() + seconds
    while not _is_ready(stack, program):
        if supervisor.poll() is not None or time.monotonic() > ends:
            log = supervision.log_file(stack, program.name)
            raise CannotRun(f"{program.name} does not get ready; the end of {log}:\n{_tail(log)}")
        time.sleep(0.1)


def _is_ready(stack: Stack, program: Program) -> bool:
    if program.is_ready is not None:
        return program.is_ready()
    pid = read_pid(stack.places.run / f"{program.name}.pid")
    return pid is not None and bool(members({pid}, MARK))


def _tail(log: Path, lines: int = 15) -> str:
    if not log.exists():
        return "  (it wrote nothing)"
    return "\n".join(f"  {line}" for line in log.read_text(errors="replace").splitlines()[-lines:])


@contextmanager
def running(
    stack: Stack, console: Console, seconds: float = SECONDS_TO_ANSWER
) -> Iterator[subprocess.Popen[bytes]]:
    """Start the stack and wait until it answers; stop all of it at the end, whatever happens."""
    if ended := end_leftovers(stack.places.run, MARK):
        console.print(f"  ended {len(ended)} processes that an earlier run had left behind")
    check_ports(stack)
    _step(console, "database", partial(run_once, stack, "migrate", stack.prepare))
    supervisor = supervision.start(stack)
    try:
        for program in stack.programs:
            _step(console, program.name, partial(wait_for, stack, program, supervisor, seconds))
        yield supervisor
    finally:
        console.print("Stopping ...")
        supervision.stop(supervisor)
        end_leftovers(stack.places.run, MARK)


def seed(stack: Stack, console: Console) -> dict[str, Any]:
    """Run the seeding command and return the object it printed."""
    printed = _step(console, "demo site", partial(run_once, stack, "demo", stack.seed))
    try:
        found: dict[str, Any] = json.loads(printed)
    except ValueError as error:
        raise CannotRun(f"the demo site answered no JSON: {printed[:500]}") from error
    return found


def keep_watch(stack: Stack, console: Console, supervisor: subprocess.Popen[bytes]) -> None:
    """Stay until stopped, and say when a program was started again; CannotRun if the supervisor ends."""
    before = {program.name: read_pid(stack.places.run / f"{program.name}.pid") for program in stack.programs}
    while supervisor.poll() is None:
        time.sleep(0.5)
        for name, pid in before.items():
            now = read_pid(stack.places.run / f"{name}.pid")
            if now and now != pid:
                before[name] = now
                if pid:
                    end_orphans(pid, MARK)
                console.print(f"{name} ended and was started again; see {supervision.log_file(stack, name)}")
    raise CannotRun(
        f"The supervisor ended by itself; the end of its log:\n{_tail(stack.places.log / 'supervisor.log')}"
    )
