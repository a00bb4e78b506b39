"""A whole LinkPay: web and worker in threads, the sandbox beside them, all over real HTTP."""

import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import requests
from cheroot import wsgi

from config.environment import ROOT
from config.settings import Settings, load_settings
from linkpay.app import create_app
from linkpay.bootstrap import build
from linkpay.clock import SharedClock, SystemClock
from linkpay.services.parts import Parts
from linkpay.web.edge import Edge, checkout_origin
from tests import builders as make
from tests.ports import free_port
from workers import jobs, sweep
from workers.pool import Pool


class Doorbell:
    """Rings straight into the pool of this process, as far as there is one."""

    def __init__(self) -> None:
        self.pool: Pool | None = None

    def ring(
        self, inbox_ids: Sequence[int] = (), outbox_ids: Sequence[int] = (), patient_ids: Sequence[int] = ()
    ) -> None:
        if self.pool is not None:
            self.pool.submit_many("inbox", inbox_ids)
            self.pool.submit_many("outbox", outbox_ids)
            self.pool.submit_patient("outbox", patient_ids)


class Worker:
    """The jobs on their pool, and a sweep several times a second in the place of Redis."""

    def __init__(self, parts: Parts, bell: Doorbell) -> None:
        self._parts = parts
        self._stop = threading.Event()
        self._bell = bell
        bell.pool = self._pool = Pool(4, 64, partial(jobs.run, parts))
        self._thread = threading.Thread(target=self._sweep, name="sweep", daemon=True)
        self._thread.start()

    def _sweep(self) -> None:
        while not self._stop.wait(0.1):
            sweep.turn(self._parts)

    def stop(self) -> None:
        """Finish what was taken on."""
        self._stop.set()
        self._thread.join()
        self._bell.pool = None
        assert self._pool.drain(10)


class Town:
    """Everything behind one set of settings; `environ` is what a command needs to find it.

    It begins at `make.NOW`: when money is due and when it moves hangs on weekends and holidays.
    """

    def __init__(self, folder: Path, database_url: str) -> None:
        clock_file, smtp_port = folder / "sandbox.db.clock", free_port()
        SharedClock(clock_file).set_offset(make.NOW - SystemClock().now())
        self._sandbox, sandbox_port = _start_sandbox(folder, smtp_port)
        self._web = wsgi.Server(("127.0.0.1", 0), None, numthreads=6)
        self._web.shutdown_timeout = 1
        self._web.prepare()
        web_port = int(self._web.bind_addr[1])
        self.sandbox_url = f"http://127.0.0.1:{sandbox_port}"
        self.environ = environ(
            database_url,
            BASE_URL=f"http://127.0.0.1:{web_port}",
            MOLLIE_API_URL=self.sandbox_url,
            KAJABI_API_URL=f"{self.sandbox_url}/kajabi",
            KAJABI_WEBHOOK_HOSTS=f"127.0.0.1:{sandbox_port}",
            SMTP_URL=f"smtp://127.0.0.1:{smtp_port}",
            MAIL_FROM="Studio Vecht <hallo@studiovecht.example.com>",
            CLOCK_FILE=str(clock_file),
        )
        self._settings = load_settings(self.environ)
        self._bell = Doorbell()
        self.parts = build(self._settings, bell=self._bell)
        self._web.wsgi_app = create_app(self.parts, _edge(self._settings))
        self._thread = threading.Thread(target=self._web.serve, daemon=True)
        self._thread.start()
        self.worker: Worker | None = None
        self.hire()

    def hire(self) -> None:
        """Have a worker."""
        self.worker = self.worker or Worker(self.parts, self._bell)

    def dismiss(self) -> None:
        """Have no worker any more."""
        if self.worker is not None:
            self.worker.stop()
            self.worker = None

    def control(self, method: str, path: str, body: dict[str, object] | None = None) -> object:
        """One call to the sandbox's control addresses."""
        answer = requests.request(method, f"{self.sandbox_url}/_sandbox/{path}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def close(self) -> None:
        """Stop everything."""
        self.dismiss()
        self._web.stop()
        self._thread.join(5)
        self._sandbox.terminate()
        self._sandbox.communicate(timeout=10)
        self.parts.database.dispose()


def _start_sandbox(folder: Path, smtp_port: int) -> tuple[subprocess.Popen[str], int]:
    """The sandbox's process and its port, once it listens."""
    state = str(folder / "sandbox.db")
    command = ("-m", "linkpay.sandbox", "--port", "0", "--smtp-port", str(smtp_port), "--state", state)
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    said = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:(\d+)", said)
    assert found is not None, said
    return process, int(found[1])


def _edge(settings: Settings) -> Edge:
    return Edge(
        secret_key=settings.secret_key.get_secret_value(),
        secure=False,
        checkout_origin=checkout_origin(settings.mollie_api_url),
    )


def environ(database_url: str, **given: str) -> dict[str, str]:
    """Settings of a test on one machine; nobody answers where they point unless `given` says so."""
    nobody = "http://127.0.0.1:9"
    return {
        "LINKPAY_ENV": "test",
        "DATABASE_URL": database_url,
        "REDIS_URL": "unix:///nonexistent/valkey.sock",
        "SECRET_KEY": "a made-up secret for tests",
        "ENCRYPTION_KEYS": ",".join(make.ENCRYPTION_KEYS),
        "BASE_URL": nobody,
        "MOLLIE_API_URL": nobody,
        "KAJABI_API_URL": nobody,
        "KAJABI_WEBHOOK_HOSTS": "127.0.0.1:9,site.example.test",
        **given,
    }
