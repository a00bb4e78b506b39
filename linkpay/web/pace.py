"""Who was refused too often in a minute waits outside, so that others need not wait for what she sends."""

import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Refusals that one address may collect in a window, in each process: what a forger of 10,000 requests a
#: minute costs. Many people may share an address at their provider, so nothing counts that they do by chance.
MOST, WINDOW = 20, 60.0
#: Forms with mistakes, and what changed while a page was open.
_BY_CHANCE = ("409", "422")
#: Never counted and never made to wait. Mollie posts for every site from the same addresses, so one site
#: that is gone would hold up the money of all others; what is refused there is refused cheaply. A program
#: with a key may ask for a hundred things that are not there, and who guesses keys is slowed down by the API.
_OPEN = ("/webhooks/", "/api/")
#: Addresses that are remembered; with more the oldest are forgotten, which only lets them in again.
_ADDRESSES = 20_000
_HEADERS = [
    ("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", "default-src 'none'"),
]  # fmt: skip
_BODY = b"Te veel aanvragen die op niets uitliepen. Wacht een minuut.\n" + (
    b"Too many requests that came to nothing. Wait a minute.\n"
)
#: Where the WSGI environment says that no page of ours was meant: icons that browsers ask for by themselves.
_NOWHERE = "linkpay.nowhere"


class Pace:
    """WSGI middleware; `now` is seconds that never go back. Of the answers of 400 to 499 those count that a
    forger gets: a page, link or key that is not there, a form that is not ours.

    An address that is no public one is a proxy's or this machine's: all the world would wait with it.
    """

    def __init__(self, inner: "WSGIApplication", now: Callable[[], float] = time.monotonic) -> None:
        self._inner, self._now = inner, now
        self._refused: dict[str, tuple[float, int]] = {}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        address = environ.get("REMOTE_ADDR") or ""
        if not _is_public(address) or environ.get("PATH_INFO", "").startswith(_OPEN):
            return self._inner(environ, start_response)
        wait = self._wait(address)
        if wait > 0:
            length = ("Content-Length", str(len(_BODY)))
            start_response(
                "429 TOO MANY REQUESTS", [*_HEADERS, length, ("Retry-After", str(round(wait) + 1))]
            )
            return [_BODY]

        def begin(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            if status.startswith("4") and not status.startswith(_BY_CHANCE) and _NOWHERE not in environ:
                self._count(address)
            return start_response(status, headers, *more)

        return self._inner(environ, begin)

    def _wait(self, address: str) -> float:
        since, count = self._refused.get(address, (0.0, 0))
        return since + WINDOW - self._now() if count >= MOST else 0.0

    def _count(self, address: str) -> None:
        # Threads may lose a count to each other: it is a bound on work, no book.
        since, count = self._refused.get(address, (0.0, 0))
        now = self._now()
        if count == 0 or now - since >= WINDOW:
            since, count = now, 0
            self._refused.pop(address, None)
            while len(self._refused) >= _ADDRESSES:
                self._refused.pop(next(iter(self._refused)), None)
        self._refused[address] = (since, count + 1)


@lru_cache(maxsize=4096)
def _is_public(address: str) -> bool:
    try:
        return ip_address(address).is_global
    except ValueError:
        return False


def install(app: Flask, proxies: int) -> None:
    """Keep the pace; `proxies` is how many of ours stand in front, whose word on the address counts."""

    @app.before_request
    def _look_where() -> None:
        if request.url_rule is None:
            request.environ[_NOWHERE] = True

    # Flask's own way to wrap an application; mypy sees a method that is replaced.
    app.wsgi_app = Pace(app.wsgi_app)  # type: ignore[method-assign]  # as said above
    if proxies:
        behind = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=0, x_host=0)
        app.wsgi_app = behind  # type: ignore[method-assign]  # as said above
