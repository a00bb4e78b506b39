"""What every part of the sandbox works on: the books, the clock, the courier and the log."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from linkpay.sandbox import ids
from linkpay.sandbox.records import Delivery, Organization, Profile
from linkpay.sandbox.state import Books
from linkpay.sandbox.webhooks import Courier, Post

LOGGED = 5_000


class MovableClock(Protocol):
    """A clock that the sandbox may move forward."""

    def now(self) -> datetime: ...

    def advance(self, by: timedelta) -> datetime: ...


Render = Callable[["World", str, str], dict[str, Any]]


def _unrendered(world: "World", scope: str, entity_id: str) -> dict[str, Any]:
    return {"id": entity_id}


@dataclass(slots=True)
class LogLine:
    """One call that was answered; `millis` is how long that took, `fault` whether it was disturbed."""

    at: datetime
    method: str
    path: str
    status: int
    millis: float
    key: str
    idempotency_key: str
    lost: bool


class World:
    """The sandbox's one state. Everything that changes it holds `books.lock`."""

    def __init__(self, clock: MovableClock, post: Post) -> None:
        self.books = Books()
        self.clock = clock
        self.courier = Courier(self.books, clock.now, post, self._delivery_finished)
        self.log: deque[LogLine] = deque(maxlen=LOGGED)
        self.running_keys: set[str] = set()
        self.base = "http://127.0.0.1:8090"
        self.kajabi_base = self.base
        self.render: Render = _unrendered

    def now(self) -> datetime:
        return self.clock.now()

    def organization(self, credential: str) -> Organization:
        """The organisation behind a key, made at first sight and the same after every reset."""
        found = self.books.organizations.first("credential", credential)
        if found is not None:
            return found
        organization = Organization(
            id=f"org_{ids.derived_number(credential, 8)}",
            created_at=self.now(),
            credential=credential,
            name="Sandbox organisation",
        )
        profile = Profile(
            id=ids.derived("pfl", credential),
            created_at=self.now(),
            organization_id=organization.id,
            name="Sandbox profile",
            website="https://shop.example.com",
            email="shop@example.com",
        )
        self.books.profiles.add(profile)
        return self.books.organizations.add(organization)

    def reset(self) -> None:
        """Forget everything but the time."""
        with self.books.lock:
            self.books.clear()
            self.courier.forget()
            self.log.clear()
            self.running_keys.clear()

    def _delivery_finished(self, delivery: Delivery, delivered: bool) -> None:
        """A webhook got its 200 or was given up; next-generation webhooks block after failures."""
        if delivery.kind != "event":
            return
        hook = self.books.hooks.get(delivery.source)
        if hook is None:
            return
        hook.failures = 0 if delivered else hook.failures + 1
        if hook.failures >= 3:
            hook.status = "blocked"
        self.books.hooks.save(hook)
