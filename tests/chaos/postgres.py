"""A PostgreSQL server of this run's own, which may be killed and started again. Its port stays its own."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ports import free_port

_DEBIAN = Path("/usr/lib/postgresql")


class Server:
    """One data folder, one address and one port; `url` is a database without tables."""

    def __init__(self, programs: Path, folder: Path, address: str, port: int) -> None:
        self._programs, self._folder, self._address, self._port = programs, folder, address, port
        self.url = f"postgresql://linkpay@{address}:{port}/linkpay"
        self._run("initdb", "-U", "linkpay", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        with (folder / "data" / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {address}/24 trust\n")

    def _run(self, program: str, *words: str) -> None:
        # It refuses to run as root.
        plain = ("runuser", "-u", "nobody", "--") if os.geteuid() == 0 else ()
        where = () if program == "createdb" else ("-D", str(self._folder / "data"))
        command = [*plain, str(self._programs / program), *where, *words]
        done = subprocess.run(
            command, cwd=self._folder, capture_output=True, text=True, timeout=120, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"

    def start(self) -> None:
        """Serve, after looking through the log of a death if there was one."""
        options = f"-p {self._port} -h {self._address} -k {self._folder} -c max_connections=200"
        self._run("pg_ctl", "-w", "-l", str(self._folder / "server.log"), "-o", options, "start")

    def make_database(self) -> None:
        self._run("createdb", "-h", self._address, "-p", str(self._port), "-U", "linkpay", "linkpay")

    def die(self) -> None:
        """At once, without a word to anybody: the next start has to recover."""
        self._run("pg_ctl", "-m", "immediate", "-w", "stop")

    def stop(self) -> None:
        """As an upgrade would: what is under way is broken off, what was committed is written."""
        self._run("pg_ctl", "-m", "fast", "-w", "stop")


def programs() -> Path | None:
    """The newest folder with PostgreSQL's server programs on this machine."""
    folders = sorted(_DEBIAN.glob("*/bin"), key=lambda path: -float(path.parent.name))
    folders += [Path(name) for name in os.environ.get("PATH", "").split(":")]
    return next((path for path in folders if (path / "initdb").exists() and (path / "pg_ctl").exists()), None)


@contextmanager
def server_of_our_own(address: str = "127.0.0.1") -> Iterator[Server]:
    """A server that runs while this holds, with an empty database, for this address and its neighbours."""
    found = programs()
    assert found is not None, "PostgreSQL's programs (initdb, pg_ctl) are not on this machine"
    folder = Path(tempfile.mkdtemp(prefix="chaos-postgres"))
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
    try:
        server = Server(found, folder, address, free_port())
        server.start()
        try:
            server.make_database()
            yield server
        finally:
            server.die()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
