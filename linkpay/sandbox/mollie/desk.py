"""The front desk of the Mollie side: finds the route, checks who calls, answers in HAL."""

import json
import time
from collections.abc import Callable
from urllib.parse import parse_qsl

from linkpay.sandbox.faults import through
from linkpay.sandbox.mollie import idempotency
from linkpay.sandbox.mollie.auth import authenticate
from linkpay.sandbox.mollie.call import HAL, Call, Credential, MollieError, refusal
from linkpay.sandbox.mollie.scopes import check_scope
from linkpay.sandbox.web import Json, Request, Response, Router, encode, nest
from linkpay.sandbox.world import World

Handler = Callable[[Call], tuple[int, Json | None]]
FAULT_TEXTS = {
    202: "Request has been accepted, but the processing has not been completed yet",
    404: "No entity exists with this token",
    429: "You have exceeded the rate limit. Please slow down your requests.",
    500: "An internal server error occurred while processing your request",
    502: "Bad gateway",
    503: "Payment platform for this payment method temporarily not available",
}


class Desk:
    """Answers everything below ``/v2``."""

    def __init__(self, world: World, routes: Router[Handler]) -> None:
        self._world = world
        self._routes = routes

    def answer(self, request: Request) -> Response:
        """The answer to a call, faults included. Never raises MollieError."""
        return through(
            self._world.books, "mollie", request, lambda delay: self._safely(request, delay), _fault_problem
        )

    def _safely(self, request: Request, delay: float) -> Response:
        try:
            return self._checked(request, delay)
        except MollieError as error:
            return refusal(error)

    def _checked(self, request: Request, delay: float) -> Response:
        query, body = request.query(), read_body(request)
        with self._world.books.lock:
            who = authenticate(self._world, request, query, body)
        found = self._routes.find(request.path)
        if found is None:
            raise MollieError(404, "The resource could not be found.")
        handlers, params = found
        handler = handlers.get(request.method)
        if handler is None:
            raise MollieError(405, "The method is not allowed for this resource.")

        check_scope(who, request)

        def act() -> Response:
            if delay:
                time.sleep(delay)
            return self._act(handler, request, who, params, (query, body))

        return idempotency.once(self._world, who.token, request, act)

    def _act(
        self,
        handler: Handler,
        request: Request,
        who: Credential,
        params: dict[str, str],
        sent: tuple[Json, Json],
    ) -> Response:
        world = self._world
        with world.books.lock:
            call = Call(world, request, who, params, sent[0], sent[1], world.now())
            try:
                status, answer = handler(call)
                response = Response(status, b"" if answer is None else encode(answer), HAL)
            except MollieError as error:
                response = refusal(error)
            return response


def _fault_problem(status: int) -> Response:
    return refusal(MollieError(status, FAULT_TEXTS[status]))


def read_body(request: Request) -> Json:
    """The body as a dict: JSON or form. 400 when it is neither well formed nor an object."""
    if not request.body:
        return {}
    kind = request.content_type
    if kind == "application/x-www-form-urlencoded":
        return _form(request)
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise MollieError(415, "The content type should be application/json")
    try:
        body = json.loads(request.body)
    except ValueError:
        raise MollieError(400, "The request body is not valid JSON") from None
    if not isinstance(body, dict):
        raise MollieError(400, "The request body should be a JSON object")
    return body


def _form(request: Request) -> Json:
    return nest(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
