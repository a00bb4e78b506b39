"""Disturbances beyond the sandbox's own: threads at one instant, changed answers, things in between."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from linkpay.sandbox.app import Sandbox
from linkpay.sandbox.inprocess import mounted
from tests.flows.stage import Stage
from workers import jobs

Change = Callable[[dict[str, Any]], bytes | None]


def at_once(acts: Sequence[Callable[[], object]]) -> None:
    """Do all of this in threads that start together; raises what one of them raised."""
    start = threading.Barrier(len(acts))

    def go(act: Callable[[], object]) -> None:
        start.wait()
        act()

    with ThreadPoolExecutor(len(acts)) as pool:
        running = [pool.submit(go, act) for act in acts]
    for one in running:
        one.result()


def run_at_once(stage: Stage, rows: Sequence[tuple[str, int]]) -> None:
    """One worker thread per row, all at the same instant."""

    def run(kind: str, row_id: int) -> Callable[[], None]:
        return lambda: jobs.run(stage.parts, kind, row_id)

    at_once([run(kind, row_id) for kind, row_id in rows])


class _Tampered(Sandbox):
    """The same sandbox, whose answers to reading a payment go through other hands."""

    def __init__(self, inner: Sandbox, change: Change) -> None:
        self._inner, self._change = inner, change

    def wsgi(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        held: list[Any] = []
        body = b"".join(self._inner.wsgi(environ, lambda status, headers: held.extend((status, headers))))
        path = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] == "GET" and path.startswith("/v2/payments/tr_"):
            answer = json.loads(body)
            body = self._change(answer) or json.dumps(answer).encode()
        status, headers = held
        start_response(status, [pair for pair in headers if pair[0].lower() != "content-length"])
        return [body]


@contextmanager
def changed_payments(stage: Stage, change: Change) -> Iterator[None]:
    """What Mollie shows of a payment goes through `change` first, which edits it or gives other bytes."""
    with mounted(_Tampered(stage.sandbox, change)):
        yield


class _LoggedOut(Sandbox):
    """The same sandbox, whose Kajabi answers its offer addresses with a page to log in."""

    def __init__(self, inner: Sandbox) -> None:
        self._inner = inner

    def wsgi(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith("/webhooks/offers/"):
            return self._inner.wsgi(environ, start_response)
        start_response("200 OK", [("Content-Type", "text/html")])
        return [b"<!DOCTYPE html><title>Log in</title><form>already granted to this member</form>"]


@contextmanager
def kajabi_shows_a_login(stage: Stage) -> Iterator[None]:
    """While this holds, Kajabi lets nobody act, and says 200."""
    with mounted(_LoggedOut(stage.sandbox)):
        yield


class _Unwilling(Sandbox):
    """The same sandbox, whose Mollie cancels no subscription."""

    def __init__(self, inner: Sandbox) -> None:
        self._inner = inner

    def wsgi(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "DELETE" or "/subscriptions/" not in environ["PATH_INFO"]:
            return self._inner.wsgi(environ, start_response)
        start_response("422 Unprocessable Entity", [("Content-Type", "application/hal+json")])
        detail = "The subscription cannot be canceled at this moment"
        return [json.dumps({"status": 422, "title": "Unprocessable Entity", "detail": detail}).encode()]


@contextmanager
def mollie_cancels_nothing(stage: Stage) -> Iterator[None]:
    """While this holds, Mollie refuses to cancel any subscription."""
    with mounted(_Unwilling(stage.sandbox)):
        yield


class _Between:
    def __init__(self, inner: Any, name: str, before: Callable[[], None], after: Callable[[], None]) -> None:
        self._inner, self._name, self._before, self._after = inner, name, before, after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name != self._name:
            return method

        def call(*args: Any, **kwargs: Any) -> Any:
            before, self._before = self._before, _nothing
            before()
            answer = method(*args, **kwargs)
            after, self._after = self._after, _nothing
            after()
            return answer

        return call


def _nothing() -> None:
    """Nothing happens in between."""


def in_between(
    stage: Stage, port: str, method: str, *,
    before: Callable[[], None] = _nothing, after: Callable[[], None] = _nothing,
) -> None:  # fmt: skip
    """Let something happen once, just before or just after the next call of a port's method."""
    stage.replace_part(port, _Between(getattr(stage.parts, port), method, before, after))
