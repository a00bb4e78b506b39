"""The sandbox's control addresses, for commands that only make sense there."""

from datetime import datetime
from typing import Any

import requests

from linkpay.cli.output import CommandFailed

_PATIENCE = (2.0, 30.0)  # seconds to connect, and between two bytes: moving time may take a while


class Sandbox:
    """One sandbox at `address`, which is the Mollie address of the settings. Use it from one thread."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self._session = requests.Session()
        # The machine's proxies and netrc have no business between us and the sandbox.
        self._session.trust_env = False

    def state(self) -> dict[str, Any]:
        """A summary: the time, the next event, deliveries, counts."""
        found: dict[str, Any] = self.ask("GET", "state")
        return found

    def now(self) -> datetime:
        """The sandbox's time."""
        return datetime.fromisoformat(self.ask("GET", "clock")["now"])

    def advance(self, seconds: float) -> datetime:
        """Move time forward; returns the new now when all that became due is final."""
        return datetime.fromisoformat(self.ask("POST", "clock", {"advance_seconds": seconds})["now"])

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One control call, decoded. Raises CommandFailed when it is away, refuses, or is no sandbox."""
        url = f"{self.address}/_sandbox/{path}"
        try:
            answer = self._session.request(method, url, json=body, timeout=_PATIENCE, allow_redirects=False)
        except requests.RequestException as error:
            raise CommandFailed(
                "sandbox_away",
                f"The sandbox at {self.address} does not answer ({type(error).__name__})."
                " Is `make run` running?",
            ) from error
        try:
            document = answer.json()
        except requests.JSONDecodeError:
            raise CommandFailed("no_sandbox", f"There is no sandbox at {self.address}.") from None
        if answer.ok:
            return document
        problem = document.get("error", {}) if isinstance(document, dict) else {}
        said = problem.get("message") or f"status {answer.status_code}"
        raise CommandFailed("sandbox_refused", f"The sandbox refused {method} {path}: {said}")
