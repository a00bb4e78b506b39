"""Mounts a sandbox inside the process: `requests` to its hosts reach the WSGI application directly.

For tests. Needs the `responses` package, which is no dependency of the sandbox itself.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn
from urllib.parse import urlsplit

import requests
import responses

from linkpay.sandbox.app import Sandbox

MOLLIE_HOST = "mollie.sandbox.test"
KAJABI_HOST = "kajabi.sandbox.test"
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD")

Answer = tuple[int, dict[str, str], bytes]


class _Lost:
    """A connection whose answers are lost the way `requests` sees it, without the waiting."""

    def hold(self, seconds: float) -> NoReturn:
        raise requests.exceptions.ReadTimeout(f"no answer in {seconds} s")

    def cut(self) -> NoReturn:
        raise requests.exceptions.ConnectionError("Connection aborted: reset by peer")


def call(sandbox: Sandbox, request: requests.PreparedRequest) -> Answer:
    """One request through the WSGI application. Raises what `requests` raises when an answer is lost."""
    parts = urlsplit(request.url or "")
    sent = request.body or b""
    body = sent.encode() if isinstance(sent, str) else bytes(sent)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": parts.path,
        "QUERY_STRING": parts.query,
        "SERVER_NAME": parts.hostname,
        "SERVER_PORT": str(parts.port or 80),
        "HTTP_HOST": parts.netloc,
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body)),
        "linkpay.connection": _Lost(),
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_LENGTH", "HOST"):
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        started.extend((int(status[:3]), dict(headers)))

    content = b"".join(sandbox.wsgi(environ, start_response))
    return started[0], started[1], content


@contextmanager
def mounted(
    sandbox: Sandbox, *hosts: str, passthrough: tuple[str, ...] = ()
) -> Iterator[responses.RequestsMock]:
    """While this holds, requests to `hosts` (default: both of the sandbox's) are answered by `sandbox`.

    Others are refused, but for addresses that begin with one of `passthrough`.
    """
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for host in hosts or (MOLLIE_HOST, KAJABI_HOST):
            for method in METHODS:
                mock.add_callback(
                    method,
                    re.compile(rf"^https?://{re.escape(host)}(/|$|\?)"),
                    callback=lambda request: call(sandbox, request),
                    content_type=None,
                )
        for prefix in passthrough:
            mock.add_passthru(prefix)
        yield mock
