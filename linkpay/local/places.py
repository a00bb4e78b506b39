"""What `make run` keeps under ``var/``: data, logs, secrets, and the settings of its processes."""

import base64
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from config.local import LocalChoices
from linkpay.local import valkey

OWNER_ONLY = 0o600


@dataclass(frozen=True)
class Places:
    """The folders below one root; `prepare` makes them."""

    var: Path

    @property
    def log(self) -> Path:
        return self.var / "log"

    @property
    def run(self) -> Path:
        return self.var / "run"

    @property
    def secrets(self) -> Path:
        return self.var / "secrets"

    @property
    def valkey(self) -> Path:
        return self.var / "valkey"

    @property
    def env(self) -> Path:
        return self.var / "env"

    def prepare(self) -> None:
        """Make the folders, and the secrets once; what exists stays."""
        for folder in (self.log, self.run, self.secrets, self.valkey):
            folder.mkdir(parents=True, exist_ok=True)
        self.secrets.chmod(0o700)
        _write_once(self.secrets / "secret_key", secrets.token_urlsafe(48))
        _write_once(
            self.secrets / "encryption_keys", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        )


def sandbox_settings(places: Places, choices: LocalChoices, database_url: str | None) -> dict[str, str]:
    """The settings of all processes: everything points to this machine."""
    sandbox = f"127.0.0.1:{choices.sandbox_port}"
    return {
        "LINKPAY_ENV": "sandbox",
        "DATABASE_URL": database_url or f"sqlite:///{places.var / 'linkpay.db'}",
        "REDIS_URL": valkey.url(places.valkey),
        "SECRET_KEY_FILE": str(places.secrets / "secret_key"),
        "ENCRYPTION_KEYS_FILE": str(places.secrets / "encryption_keys"),
        "BASE_URL": f"http://127.0.0.1:{choices.port}",
        "MOLLIE_API_URL": f"http://{sandbox}",
        "KAJABI_API_URL": f"http://{sandbox}/kajabi",
        "KAJABI_WEBHOOK_HOSTS": sandbox,
        "SMTP_URL": f"smtp://127.0.0.1:{choices.smtp_port}",
        "MAIL_FROM": "LinkPay <linkpay@example.test>",
        "CLOCK_FILE": str(places.var / "sandbox.db.clock"),
        "PORT": str(choices.port),
        "WEB_THREADS": str(choices.web_threads),
        "WORKER_THREADS": str(choices.worker_threads),
        **choices.passed_on,
    }


def write_env(path: Path, settings: dict[str, str]) -> None:
    """Leave the settings where ``config.environment`` finds them from another shell."""
    lines = "".join(f"{name}={value}\n" for name, value in settings.items())
    _write(path, f"# Written by make run at each start; read when LINKPAY_ENV is not set.\n{lines}")


def _write_once(path: Path, text: str) -> None:
    if not path.exists():
        _write(path, text)


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and never readable by others, not even for a moment."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "w") as file:
        file.write(text)
    fresh.replace(path)
