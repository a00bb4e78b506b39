"""The sandbox as one object: a WSGI application and the controls to drive it."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from linkpay.clock import SystemClock
from linkpay.sandbox import checkout, front, oauth
from linkpay.sandbox.control.desk import ControlDesk
from linkpay.sandbox.control.routes import router as control_router
from linkpay.sandbox.faults import through
from linkpay.sandbox.kajabi import library, offers, tokens
from linkpay.sandbox.kajabi.routes import router as kajabi_router
from linkpay.sandbox.kajabi.wire import ApiDesk, problem
from linkpay.sandbox.life import Life
from linkpay.sandbox.mollie import render
from linkpay.sandbox.mollie.desk import Desk
from linkpay.sandbox.mollie.routes import router as mollie_router
from linkpay.sandbox.pages import page
from linkpay.sandbox.records import Delivery
from linkpay.sandbox.storage import Storage
from linkpay.sandbox.web import Request, Response, StartResponse, encode, json_response, read_request, send
from linkpay.sandbox.world import LogLine, MovableClock, World

Deliver = Callable[[str, dict[str, str]], int]
_MOLLIE_ROUTES = mollie_router()
_KAJABI_ROUTES = kajabi_router()
_CONTROL_ROUTES = control_router()


class Standing:
    """The machine's clock plus what was advanced, for a sandbox that shares its time with nobody."""

    def __init__(self) -> None:
        self._system = SystemClock()
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        return self._system.now() + self._ahead

    def advance(self, by: timedelta) -> datetime:
        self._ahead += by
        return self.now()


class Sandbox:
    """Everything behind one WSGI callable, `wsgi`. Build it with `create_sandbox`."""

    def __init__(self, world: World, storage: Storage | None = None) -> None:
        self.world = world
        self.life = Life(world)
        self._storage = storage
        self._mollie = Desk(world, _MOLLIE_ROUTES)
        self._kajabi = ApiDesk(world, _KAJABI_ROUTES)
        self._control = ControlDesk(world, self.life, _CONTROL_ROUTES)

    def wsgi(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI application."""
        request = read_request(environ)
        response = Response(413, b"Too large") if request is None else self.handle(request)
        return send(response, environ, start_response)

    def handle(self, request: Request) -> Response:
        """The answer to any request, noted in the log."""
        started = time.perf_counter()
        response = self._route(request)
        for delivery in self.world.courier.take_early():
            self.world.courier.attempt(delivery)
        if not request.path.startswith("/_sandbox"):
            token = request.headers.get("authorization", "").rpartition(" ")[2]
            self.world.log.append(
                LogLine(
                    at=self.world.now(),
                    method=request.method,
                    path=request.path,
                    status=response.status,
                    millis=round((time.perf_counter() - started) * 1000, 3),
                    key=token,
                    idempotency_key=request.headers.get("idempotency-key", ""),
                    lost=response.cut,
                )
            )
        return response

    def _route(self, request: Request) -> Response:
        match request.path.split("/", 3)[1:3]:
            case [""]:
                return front.answer(self.world, request)
            case ["v2", *_]:
                return self._mollie.answer(request)
            case ["_sandbox", *_]:
                return self._control.answer(request)
            case ["checkout", *_]:
                return checkout.answer(self.world, request)
            case ["oauth2", *_]:
                return oauth.answer(self.world, request)
            case ["kajabi", *_]:
                return self._kajabi_api(request)
            case ["dashboard", _]:
                return checkout.dashboard(self.world, request)
            case ["webhooks", "offers"]:
                return offers.answer(self.world, request)
        return page("message.html", 404, title="Not found", text="There is nothing at this address.")

    def _kajabi_api(self, request: Request) -> Response:
        path = request.path.removeprefix("/kajabi")
        if path.startswith("/library/"):
            return library.answer(self.world, request)
        if path.startswith("/v1/oauth/"):
            return through(
                self.world.books,
                "kajabi",
                request,
                lambda delay: tokens.answer(self.world, request, delay),
                problem,
            )
        if path == "/v1/version":
            return json_response(200, {"version": "1.1.0"})
        return self._kajabi.answer(request)

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """A control call without HTTP: ``call("POST", "/_sandbox/clock", {"advance_seconds": 60})``.

        Returns the decoded answer; raises ValueError with the refusal's text when it is refused.
        """
        path, _, query = path.partition("?")
        content = encode(body) if body is not None else b""
        base = self.world.kajabi_base if path.startswith("/_sandbox/kajabi/") else self.world.base
        request = Request(method, path, query, {"content-type": "application/json"}, content, base)
        response = self.handle(request)
        answer = json.loads(response.body)
        if response.status >= 400:
            raise ValueError(answer["error"]["message"])
        return answer

    def advance(self, by: timedelta) -> None:
        """Move time forward; everything due happens in order."""
        self.life.advance(by)

    def pump(self, limit: int | None = None) -> int:
        """Make the webhook attempts that are ready, oldest first; return how many were made."""
        return self.world.courier.pump(limit)

    def take(self) -> list[Delivery]:
        """Take the ready webhooks out of the queue: the test delivers each with `attempt`, or not at all."""
        return self.world.courier.take()

    def attempt(self, delivery: Delivery) -> None:
        """Deliver one webhook now."""
        self.world.courier.attempt(delivery)

    def waiting(self) -> list[Delivery]:
        """The webhooks that are not delivered yet, oldest first."""
        with self.world.books.lock:
            return list(self.world.courier.open.values())

    def close(self) -> None:
        """Stop what runs in the background and write the state."""
        self.life.stop()
        self.world.courier.stop()
        if self._storage is not None:
            self._storage.close()


def create_sandbox(
    state_path: Path | None = None,
    *,
    clock: MovableClock | None = None,
    deliver: Deliver | None = None,
    post: Callable[[Delivery], int] | None = None,
    base: str = "http://mollie.sandbox.test",
    kajabi_base: str = "http://kajabi.sandbox.test",
) -> Sandbox:
    """A sandbox that runs nothing in the background.

    `deliver` takes the address and form of a webhook and returns the HTTP status of the receiver; it is
    called by `pump` only (JSON comes as one field, `json`). `post` does the same for whole deliveries, JSON
    ones included. Without either, nothing is received (status 0). `base` and `kajabi_base` are the
    addresses by which callers know the two sides.
    Raises SettingsError when the state file is not ours.
    """

    def form_post(delivery: Delivery) -> int:
        if deliver is None:
            return 0
        if delivery.content_type == "application/json":
            return deliver(delivery.url, {"json": delivery.body})
        return deliver(delivery.url, dict(parse_qsl(delivery.body, keep_blank_values=True)))

    world = World(clock or Standing(), post or form_post)
    world.render = render.entity
    world.base, world.kajabi_base = base, kajabi_base
    storage = None
    if state_path is not None:
        storage = Storage(state_path, world.books)
        storage.open()
        world.courier.resume()
    return Sandbox(world, storage)
