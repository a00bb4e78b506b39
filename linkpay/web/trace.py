"""One correlation id and one access line per request, without a word about the person."""

import logging
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request

from linkpay.logs import correlation, current_correlation
from linkpay.spans import Span, span

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)
#: Where the WSGI environment holds the span of a request.
_TOLD = "linkpay.span"


class Correlated:
    """WSGI middleware: all that happens during one request is logged under one id."""

    def __init__(self, inner: "WSGIApplication") -> None:
        self._inner = inner

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        with correlation() as identity, span("request", "request", correlation=identity) as told:
            environ[_TOLD] = told
            return self._inner(environ, start_response)


def install(app: Flask) -> None:
    """Log every request by its route: an address may hold a secret, a route never does."""
    app.wsgi_app = Correlated(app.wsgi_app)  # type: ignore[method-assign]  # Flask's own way to add one

    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def tell(response: Response) -> Response:
        response.headers["X-Request-Id"] = current_correlation() or ""
        _note(request.environ.get(_TOLD), response)
        if request.endpoint != "static":
            _say(response.status_code)
        return response


def _say(status: int) -> None:
    """One line a request. A message that was taken has a row, which says more than a line of a log."""
    level = logging.DEBUG if request.blueprint == "webhooks" and status == 200 else logging.INFO
    if log.isEnabledFor(level):
        took = time.perf_counter() - g.get("started", time.perf_counter())
        route = request.url_rule.rule if request.url_rule else "none"
        said = {"method": request.method, "route": route, "status": status}
        log.log(level, "request", extra=said | {"milliseconds": round(took * 1000, 1)})


def _note(told: Span | None, response: Response) -> None:
    if told is not None:
        route = request.url_rule.rule if request.url_rule else "none"
        told.name = f"{request.method} {route}"
        told.facts |= {
            "http.request.method": request.method,
            "http.route": route,
            "http.response.status_code": response.status_code,
        }
