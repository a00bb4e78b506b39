"""Which processes make up LinkPay on one machine, and how each is started."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from config.environment import ROOT
from config.local import LocalChoices
from linkpay.local import valkey
from linkpay.local.places import Places

_STEADY = ("--no-ws", "--respawn-failed-workers")


@dataclass(frozen=True)
class Program:
    """One process to keep alive. `is_ready` asks whether it does its work; without it, living is enough."""

    name: str
    command: tuple[str, ...]
    is_ready: Callable[[], bool] | None = None


@dataclass(frozen=True)
class Stack:
    """Everything the launcher needs: programs in starting order, and two commands run once.

    `prepare` runs before the programs start, `seed` when all are ready; `seed` prints a JSON object.
    `ports` maps the environment variable that moves a port to its number; `environment` is whole.
    """

    programs: tuple[Program, ...]
    prepare: tuple[str, ...]
    seed: tuple[str, ...]
    ports: Mapping[str, int]
    places: Places
    environment: Mapping[str, str]
    folder: Path = field(default=ROOT)


def answers(address: str) -> bool:
    """True when an http address answers 2xx within two seconds."""
    try:
        with urlopen(address, timeout=2) as answer:  # noqa: S310 (our own http address)
            return bool(200 <= answer.status < 300)
    except (URLError, OSError):
        return False


def local_stack(places: Places, choices: LocalChoices, environment: Mapping[str, str]) -> Stack:
    """LinkPay as `make run` serves it: the production processes, plus Valkey and the sandbox."""
    python = sys.executable
    web, sandbox = f"http://127.0.0.1:{choices.port}", f"http://127.0.0.1:{choices.sandbox_port}"
    # SQLite has one writer, and memory stays low; on a server it is as many as in the Procfile.
    processes = 2 if environment.get("DATABASE_URL", "").startswith("postgresql") else 1
    ports = {"PORT": choices.port, "SANDBOX_PORT": choices.sandbox_port, "SMTP_PORT": choices.smtp_port}
    return Stack(
        programs=(
            Program("valkey", tuple(valkey.command(places.valkey)), partial(valkey.answers, places.valkey)),
            Program(
                "sandbox", _sandbox(python, places, choices), partial(answers, f"{sandbox}/_sandbox/clock")
            ),
            Program("web", _web(python, choices, processes), partial(answers, f"{web}/readyz")),
            Program("worker", (python, "-m", "workers.worker")),
            Program("clock", (python, "-m", "workers.clock")),
        ),
        prepare=(python, "-m", "linkpay", "migrate"),
        seed=(python, "-m", "linkpay", "demo", "--json"),
        ports=ports,
        places=places,
        environment=environment,
    )


def _sandbox(python: str, places: Places, choices: LocalChoices) -> tuple[str, ...]:
    ports = ("--port", str(choices.sandbox_port), "--smtp-port", str(choices.smtp_port))
    return (python, "-m", "linkpay.sandbox", *ports, "--state", str(places.var / "sandbox.db"))


def _web(python: str, choices: LocalChoices, processes: int) -> tuple[str, ...]:
    """As the Procfile serves it."""
    where = ("--host", "127.0.0.1", "--port", str(choices.port))
    size = ("--workers", str(processes), "--blocking-threads", str(choices.web_threads))
    return (python, "-m", "granian", "--interface", "wsgi", *where, *size, *_STEADY, "wsgi:app")
