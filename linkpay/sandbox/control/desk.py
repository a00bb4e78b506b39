"""The control addresses under ``/_sandbox``: loopback only, no authentication, clear refusals."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linkpay.errors import InputError, NotFound
from linkpay.sandbox.pages import page, redirect
from linkpay.sandbox.web import Json, Request, Response, Router, json_response
from linkpay.sandbox.world import World

if TYPE_CHECKING:
    from linkpay.sandbox.life import Life


@dataclass(slots=True)
class Order:
    """One control call: its path variables, query and body."""

    world: World
    life: "Life"
    request: Request
    params: dict[str, str]
    query: dict[str, str]
    body: Json

    def allow(self, *keys: str) -> None:
        """Refuse every other body key."""
        for key in self.body:
            if key not in keys:
                known = f"known are {', '.join(keys)}" if keys else "nothing is asked for"
                raise InputError("unknown_key", f"There is no {key} here; {known}", key)

    def narrow(self, *keys: str) -> None:
        """Refuse every other query key: a misspelt one would seem to find everything."""
        for key in self.query:
            if key not in (*keys, "then"):
                known = f"known are {', '.join(keys)}" if keys else "it takes none"
                raise InputError("unknown_key", f"There is no query key {key} here; {known}", key)

    def text(self, key: str, default: str | None = None) -> str:
        """A text from the body; InputError when it is missing (and there is no default) or no text."""
        value = self.body.get(key, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise InputError("invalid", f"{key} is a text that must be given", key)
        return value

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if self.body.get(key) is not None else None

    def number(
        self, key: str, default: float | None = None, *, least: float = -math.inf, most: float = math.inf
    ) -> float:
        """A number from the body, from `least` to `most`."""
        value = self.body.get(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise InputError("invalid", f"{key} is a number", key)
        if not least <= value <= most:
            raise InputError("invalid", f"{key} is a number from {least:g} to {most:g}", key)
        return value

    def whole(self, key: str, default: int | None = None, *, least: int = 0, most: int = 1_000_000) -> int:
        """A whole number from the body, from `least` to `most`."""
        value = self.number(key, default, least=least, most=most)
        if value != int(value):
            raise InputError("invalid", f"{key} is a whole number from {least} to {most}", key)
        return int(value)

    def address(self, key: str) -> str:
        """A web address from the body."""
        value = self.text(key)
        if not value.startswith(("http://", "https://")):
            raise InputError("invalid", f"{key} is a web address", key)
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self.body.get(key, default)
        if not isinstance(value, bool):
            raise InputError("invalid", f"{key} is true or false", key)
        return value


Handler = Callable[[Order], tuple[int, object]]


class ControlDesk:
    """Answers everything below ``/_sandbox``; handlers take the lock themselves."""

    def __init__(self, world: World, life: "Life", routes: Router[Handler]) -> None:
        self._world = world
        self._life = life
        self._routes = routes

    def answer(self, request: Request) -> Response:
        """The answer in JSON, refusals as ``{"error": {"code", "message", "field"}}``."""
        try:
            status, body = self._handle(request)
        except InputError as error:
            status = error.status
            body = {"error": {"code": error.code, "message": error.message, "field": error.field}}
        if dict(request.pairs()).get("then") == "page":
            return _page(status, body)
        return json_response(status, body)

    def _handle(self, request: Request) -> tuple[int, object]:
        origin = request.headers.get("origin")
        if origin not in (None, "null", request.base):
            raise _Foreign("foreign_page", "Only pages of the sandbox itself may drive it from a browser")
        found = self._routes.find(request.path)
        if found is None:
            raise NotFound("not_found", f"There is no {request.path}")
        handlers, params = found
        handler = handlers.get(request.method)
        if handler is None:
            message = f"{request.path} answers {', '.join(sorted(handlers))}"
            raise _NotAllowed("method_not_allowed", message)
        query = dict(request.pairs())
        return handler(Order(self._world, self._life, request, params, query, _body(request)))


def _page(status: int, body: object) -> Response:
    """For the buttons of the page at ``/``: back to it, or what went wrong in words."""
    if status < 400:
        return redirect("/")
    error = body["error"] if isinstance(body, dict) else {}
    return page("message.html", status, title="That was refused", text=error.get("message", ""))


class _NotAllowed(InputError):
    status = 405


class _Foreign(InputError):
    status = 403


class _Malformed(InputError):
    status = 400


def _body(request: Request) -> Json:
    if not request.body:
        return {}
    # `curl -d '{...}'` calls its JSON a form; no form begins with a brace.
    is_form = request.content_type == "application/x-www-form-urlencoded"
    if is_form and not request.body.lstrip().startswith(b"{"):
        return {key: _plain(value) for key, value in request.form().items()}
    try:
        body = json.loads(request.body, parse_constant=_no_number)
    except ValueError:
        raise _Malformed("malformed", "The body is not valid JSON") from None
    if not isinstance(body, dict):
        raise _Malformed("malformed", "The body is a JSON object")
    return body


def _no_number(name: str) -> object:
    """Python reads NaN and Infinity; JSON has neither."""
    raise ValueError(name)


def _plain(value: str) -> object:
    """Form values as the JSON they look like, so that plain HTML buttons can drive the controls."""
    try:
        found: object = json.loads(value, parse_constant=_no_number)
    except ValueError:
        return value
    return found
