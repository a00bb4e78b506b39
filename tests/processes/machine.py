"""The whole set as real processes: the commands of `make run`, each of which may be killed and brought back.

Every process leads a group of its own and is signalled by its id, so that nothing outlives a test.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from redis import Redis
from rq import Worker

from config.local import LocalChoices, bare_environment
from config.settings import Settings, load_settings
from linkpay.bootstrap import build
from linkpay.cli import demo
from linkpay.cli.sandbox import Sandbox
from linkpay.local import valkey
from linkpay.local.places import Places, sandbox_settings
from linkpay.local.stack import Program, Stack, local_stack
from linkpay.services.parts import Parts
from linkpay.store import schema
from tests.ports import free_ports
from tests.processes.network import Network
from tests.waiting import eventually

ORDER = ("valkey", "sandbox", "web", "worker", "clock")
_START = 60.0  # seconds in which a process must be at work, also on a machine that does much else


@dataclass(frozen=True, slots=True)
class Running:
    """One process, its log, and its host where it has one of its own."""

    process: subprocess.Popen[bytes]
    log: Path
    host: str | None = None

    @property
    def pid(self) -> int:
        return self.process.pid


#: Given the sandbox's port, settings that lead to the providers by another way.
Detour = Callable[[int], Mapping[str, str]]


def straight(_sandbox_port: int) -> Mapping[str, str]:
    """No other way: the providers are where the sandbox listens."""
    return {}


class Machine:
    """A folder, ports and settings of its own. Off until `start`; `discard` ends whatever runs.

    With a network its web, workers and clocks run on hosts of their own there.
    """

    def __init__(
        self, folder: Path, database_url: str, *, worker_threads: int = 64, detour: Detour = straight,
        network: Network | None = None,
    ) -> None:  # fmt: skip
        self.places = Places(folder)
        self.places.prepare()
        ports = free_ports(4)
        choices = LocalChoices(
            port=ports[0], sandbox_port=ports[1], smtp_port=ports[2], worker_threads=worker_threads
        )
        self._network, away = network, network.settings(*ports) if network else {}
        self._values = {**sandbox_settings(self.places, choices, database_url), **away, **detour(ports[1])}
        self.sandbox_address = f"http://{network.hub if network else '127.0.0.1'}:{ports[1]}"
        self.life_sign = folder / "clock-is-alive"
        environment = {**bare_environment(), **self._values, "CLOCK_LIFE_SIGN": str(self.life_sign)}
        self.stack: Stack = local_stack(self.places, choices, environment)
        self.programs: dict[str, Program] = {
            program.name: network.moved(program, away) if network else program
            for program in self.stack.programs
        }
        self._running: dict[str, list[Running]] = {name: [] for name in ORDER}
        self._paused: set[str] = set()
        self.settings: Settings = load_settings(self._values)

    # Processes ------------------------------------------------------------------------------------

    def start(self, *names: str) -> None:
        """Start one more process of each name, in this order, and wait until it does its work."""
        for name in names:
            number = len(list(self.places.log.glob(f"{name}-*.log"))) + 1
            log = self.places.log / f"{name}-{number}.log"
            workers = self._workers() if name == "worker" else set()
            host, where = self._host(name)
            with log.open("ab") as file:
                process = subprocess.Popen(
                    (*where, *self.programs[name].command), env=dict(self.stack.environment),
                    cwd=self.stack.folder, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                    start_new_session=True,
                )  # fmt: skip
            self._running[name].append(Running(process, log, host))
            is_ready = self.programs[name].is_ready
            if name == "worker":
                is_ready = partial(self._has_more_workers, workers)
            eventually(is_ready or partial(_lives, process), _START)

    def _host(self, name: str) -> tuple[str | None, tuple[str, ...]]:
        """A host for one more process of this name, and what starts it there."""
        if self._network is None:
            return None, ()
        taken = [one.host for one in self._running[name] if one.host and one.process.poll() is None]
        host = self._network.host_for(name, taken)
        return host, self._network.on(host)

    def _workers(self) -> set[str]:
        with Redis.from_url(self.settings.redis_url.get_secret_value()) as redis:
            return {worker.name for worker in Worker.all(redis)}

    def _has_more_workers(self, before: set[str]) -> bool:
        return bool(self._workers() - before)

    def make_whole(self) -> None:
        """One process of each name at work, whatever was done to them before."""
        for name in ORDER:
            running = self._running[name]
            if len(running) != 1 or running[0].process.poll() is not None or name in self._paused:
                self._end(name)
                self.start(name)

    def kill(self, name: str) -> None:
        """SIGKILL to every process of this name and all its children, as a crash or a full memory would."""
        self._send(name, signal.SIGKILL)
        self._end(name)

    def count(self, name: str) -> int:
        """How many processes of this name live."""
        return sum(running.process.poll() is None for running in self._running[name])

    def mourn(self, name: str) -> None:
        """Forget processes of this name that ended by themselves, as a supervisor would notice."""
        self._running[name] = [one for one in self._running[name] if one.process.poll() is None]

    def _end(self, name: str) -> None:
        for running in self._running[name]:
            if running.process.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)
                running.process.wait()
        self._running[name].clear()
        self._paused.discard(name)

    def pause(self, name: str) -> None:
        """SIGSTOP to every process of this name."""
        self._send(name, signal.SIGSTOP)
        self._paused.add(name)

    def go_on(self, name: str) -> None:
        """SIGCONT to every process of this name."""
        self._send(name, signal.SIGCONT)
        self._paused.discard(name)

    def stop(self, *names: str) -> None:
        """SIGTERM to every process of these names, and wait for the end."""
        for name in names:
            self._send(name, signal.SIGTERM)
            for running in self._running[name]:
                running.process.wait(30)
            self._running[name].clear()

    def _send(self, name: str, number: signal.Signals) -> None:
        for running in self._running[name]:
            assert running.process.poll() is None, f"{name} had ended:\n{running.log.read_text()[-2000:]}"
            os.killpg(running.pid, number)

    def empty_redis(self) -> None:
        """Remove what Valkey kept on disk; it must be off."""
        assert not self._running["valkey"]
        shutil.rmtree(self.places.valkey)
        self.places.valkey.mkdir()

    def redis_answers(self) -> bool:
        """Whether Valkey answers PING."""
        return valkey.answers(self.places.valkey)

    def groups(self) -> dict[str, int]:
        """The process group of the first process of each name that runs."""
        return {name: running[0].pid for name, running in self._running.items() if running}

    def all_groups(self) -> dict[str, list[int]]:
        """The process groups of all processes of each name that run."""
        return {name: [one.pid for one in running] for name, running in self._running.items() if running}

    def logs(self) -> str:
        """What all processes wrote so far."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.places.log.glob("*.log")))

    def discard(self) -> None:
        """SIGKILL to everything that still runs."""
        with ExitStack() as ends:
            for name in ORDER:
                ends.callback(self._end, name)

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox's control addresses, with a connection of the caller's own."""
        return Sandbox(self.sandbox_address)


def _lives(process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, f"it ended with {process.returncode}"
    return True


@contextmanager
def machine_running(
    folder: Path, database_url: str, *, worker_threads: int = 64, detour: Detour = straight,
    network: Network | None = None,
) -> Iterator[tuple[Machine, Parts]]:  # fmt: skip
    """Everything of `make run` at work over a database that has all tables, with the demo site in it.

    The parts are a further process's view: the same database, clock and providers.
    """
    machine = Machine(folder, database_url, worker_threads=worker_threads, detour=detour, network=network)
    parts = build(machine.settings)
    try:
        schema.upgrade(parts.database)
        machine.start(*ORDER)
        # Kajabi's addresses are those by which it was asked for them.
        demo.prepare(parts, Sandbox(machine.settings.kajabi_api_url.removesuffix("/kajabi")))
        yield machine, parts
    finally:
        machine.discard()
        parts.database.dispose()
