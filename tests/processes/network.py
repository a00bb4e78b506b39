"""Hosts of their own on one machine: network namespaces on a switch, which may cut them off (Linux, root).

The providers, the database and Redis stay outside, at the hub. Its addresses exist on this machine alone.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from linkpay.local.stack import Program, answers

#: Which processes have hosts of their own, and how many.
HOSTS: Final[Mapping[str, int]] = {"web": 1, "worker": 4, "clock": 2}


def is_possible() -> bool:
    """Whether this machine lets us make namespaces: Linux, root, the program `ip`, and no walls around us."""
    probe = f"lp{os.getpid()}-probe"
    if shutil.which("ip") is None:
        return False
    made = [
        _ip("netns", "add", probe, must=False) and _ip("netns", "delete", probe, must=False),
        _ip("link", "add", probe, "type", "bridge", must=False) and _ip("link", "delete", probe, must=False),
    ]
    return all(made)


@dataclass(frozen=True, slots=True)
class Network:
    """A switch with the hub and the hosts on it; `network()` makes one."""

    number: int

    @property
    def hub(self) -> str:
        """The address at which the hosts find everything that has no host of its own."""
        return self._address(1)

    @property
    def switch(self) -> str:
        return f"lp{self.number}"

    @property
    def names(self) -> list[str]:
        """All hosts: web1, worker1, worker2, ..."""
        return [f"{kind}{number}" for kind, count in HOSTS.items() for number in range(1, count + 1)]

    def address(self, host: str) -> str:
        """An IPv4 address on the switch."""
        return self._address(10 + self.names.index(host))

    def _address(self, last: int) -> str:
        return f"10.213.{self.number % 250}.{last}"

    def _space(self, host: str) -> str:
        return f"{self.switch}-{host}"

    def _plug(self, host: str) -> str:
        return f"{self.switch}.{self.names.index(host)}"

    # The life of the network ----------------------------------------------------------------------

    def begin(self) -> None:
        """Make the switch and plug every host in."""
        _ip("link", "add", self.switch, "type", "bridge")
        _ip("address", "add", f"{self.hub}/24", "dev", self.switch)
        _ip("link", "set", self.switch, "up")
        for host in self.names:
            space, plug = self._space(host), self._plug(host)
            _ip("netns", "add", space)
            _ip("link", "add", plug, "type", "veth", "peer", "name", "eth0", "netns", space)
            _ip("link", "set", plug, "master", self.switch, "up")
            inside = ("-n", space)
            _ip(*inside, "address", "add", f"{self.address(host)}/24", "dev", "eth0")
            _ip(*inside, "link", "set", "eth0", "up")
            _ip(*inside, "link", "set", "lo", "up")

    def end(self) -> None:
        """Take all of it away. Harmless when part of it was never made."""
        for host in self.names:
            _ip("netns", "delete", self._space(host), must=False)
        _ip("link", "delete", self.switch, must=False)

    def cut(self, host: str) -> None:
        """Nothing comes from it or reaches it any more, and nobody is told."""
        _ip("link", "set", self._plug(host), "nomaster")

    def join(self, host: str) -> None:
        """Plug it in again, whether it was cut off or not."""
        _ip("link", "set", self._plug(host), "master", self.switch)

    # What runs on it ------------------------------------------------------------------------------

    def host_for(self, name: str, taken: Sequence[str]) -> str | None:
        """The first host for a process of this name that holds none; None for what runs at the hub."""
        if name not in HOSTS:
            return None
        own = [host for host in self.names if host.startswith(name)]
        return next((host for host in own if host not in taken), own[0])

    def on(self, host: str | None) -> tuple[str, ...]:
        """What to put before a command so that it runs there."""
        return () if host is None else ("ip", "netns", "exec", self._space(host))

    def settings(self, web_port: int, sandbox_port: int, smtp_port: int, redis_port: int) -> dict[str, str]:
        """The settings by which everybody finds everybody."""
        sandbox = f"{self.hub}:{sandbox_port}"
        return {
            "REDIS_URL": f"redis://{self.hub}:{redis_port}/0",
            "BASE_URL": f"http://{self.address('web1')}:{web_port}",
            "MOLLIE_API_URL": f"http://{sandbox}",
            "KAJABI_API_URL": f"http://{sandbox}/kajabi",
            "KAJABI_WEBHOOK_HOSTS": sandbox,
            "SMTP_URL": f"smtp://{self.hub}:{smtp_port}",
        }

    def moved(self, program: Program, settings: Mapping[str, str]) -> Program:
        """The same program, listening where the others find it."""
        command = list(program.command)
        if program.name == "web":
            command[command.index("--host") + 1] = self.address("web1")
            return replace(
                program, command=tuple(command), is_ready=partial(answers, f"{settings['BASE_URL']}/readyz")
            )
        if program.name == "sandbox":
            ready = partial(answers, f"{settings['MOLLIE_API_URL']}/_sandbox/clock")
            return replace(program, command=(*command, "--host", self.hub), is_ready=ready)
        if program.name == "valkey":
            command[command.index("--port") + 1] = settings["REDIS_URL"].rpartition(":")[2].partition("/")[0]
            command[command.index("--protected-mode") + 1] = "no"
            return replace(program, command=(*command, "--bind", self.hub))
        return program


@contextmanager
def network() -> Iterator[Network]:
    """A network while this holds. Raises AssertionError where `is_possible` is false."""
    assert is_possible(), "hosts of their own need Linux, root, and the program `ip`"
    made = Network(os.getpid())
    with ExitStack() as ends:
        ends.callback(made.end)
        made.begin()
        yield made


def _ip(*words: str, must: bool = True) -> bool:
    done = subprocess.run(("ip", *words), capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0 or not must, f"ip {' '.join(words)}: {done.stderr}"
    return done.returncode == 0
