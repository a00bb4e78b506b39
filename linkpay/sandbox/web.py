"""The thin layer between WSGI and the sandbox: requests, responses and a router.

A framework would cost more per request than the answers themselves; a simulator must never be what a
benchmark measures.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, cast
from urllib.parse import parse_qsl

Json = dict[str, Any]
H = TypeVar("H")

MAX_BODY = 1024 * 1024
REASONS = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    302: "Found",
    303: "See Other",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    410: "Gone",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


class Connection(Protocol):
    """What a server must offer so that answers can be delayed or lost on purpose."""

    def hold(self, seconds: float) -> None:
        """Keep the caller waiting, at most until it hangs up."""

    def cut(self) -> None:
        """Drop the connection without an answer."""


@dataclass(slots=True)
class Request:
    """One HTTP request, already read. `base` is scheme and host as the caller named them."""

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes
    base: str

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def pairs(self) -> list[tuple[str, str]]:
        """The query as the caller wrote it, in order."""
        if not self.query_string:
            return []
        return parse_qsl(self.query_string, keep_blank_values=True)

    def query(self) -> Json:
        """The query with bracketed keys nested: ``amount[value]=1.00`` is ``{"amount": {"value": ..}}``."""
        return nest(self.pairs())

    def form(self) -> dict[str, str]:
        """A form body, flat; the last of a repeated key wins."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass(slots=True)
class Response:
    """One HTTP answer. `hold_seconds` delays it; `cut` loses it."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    hold_seconds: float = 0.0
    cut: bool = False


def json_response(status: int, body: object, content_type: str = "application/json") -> Response:
    """An answer with a JSON body."""
    return Response(status, encode(body), content_type)


def encode(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def nest(pairs: list[tuple[str, str]]) -> Json:
    """Bracketed form keys as nested dicts, ``a[]=1`` as a list."""
    root: Json = {}
    for key, value in pairs:
        parts = key.replace("]", "").split("[")
        here = root
        for part in parts[:-1]:
            deeper = here.setdefault(part, {})
            if not isinstance(deeper, dict):
                deeper = here[part] = {}
            here = deeper
        here[parts[-1]] = value
    return cast(Json, _listed(root))


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key == "" or key.isdigit() for key in value):
        return [_listed(item) for item in value.values()]
    return {key: _listed(item) for key, item in value.items()}


class Router(Generic[H]):
    """Finds the handler of a path. Patterns name their variables in braces: ``/payments/{id}``."""

    def __init__(self) -> None:
        self._root = _Node[H]()

    def add(self, method: str, pattern: str, handler: H) -> None:
        node = self._root
        for part in pattern.strip("/").split("/"):
            if part.startswith("{"):
                if node.variable is None:
                    node.variable = (part[1:-1], _Node[H]())
                node = node.variable[1]
            else:
                node = node.fixed.setdefault(part, _Node[H]())
        node.handlers[method] = handler

    def find(self, path: str) -> tuple[dict[str, H], dict[str, str]] | None:
        """The handlers by method and the variables of `path`, or None when there is no such path."""
        return self._root.find(path.strip("/").split("/"), 0, {})


class _Node(Generic[H]):
    __slots__ = ("fixed", "handlers", "variable")

    def __init__(self) -> None:
        self.fixed: dict[str, _Node[H]] = {}
        self.variable: tuple[str, _Node[H]] | None = None
        self.handlers: dict[str, H] = {}

    def find(
        self, parts: list[str], at: int, variables: dict[str, str]
    ) -> tuple[dict[str, H], dict[str, str]] | None:
        """Walk on from the part at `at`; a fixed name comes before a variable."""
        if at == len(parts):
            return (self.handlers, variables) if self.handlers else None
        fixed = self.fixed.get(parts[at])
        found = fixed.find(parts, at + 1, variables) if fixed is not None else None
        if found is None and self.variable is not None and parts[at]:
            name, node = self.variable
            found = node.find(parts, at + 1, {**variables, name: parts[at]})
        return found


def read_request(environ: Mapping[str, Any]) -> Request | None:
    """The request of a WSGI environment, or None when its body is larger than we read, or was cut off.

    Whoever died while sending asked for nothing: half a request must not use up its idempotency key.
    """
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > MAX_BODY:
        return None
    body = environ["wsgi.input"].read(length) if length else b""
    if len(body) < length:
        return None
    headers = {
        key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")
    }
    headers["content-type"] = environ.get("CONTENT_TYPE") or ""
    host = headers.get("host") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    return Request(
        method=environ["REQUEST_METHOD"],
        path=environ.get("PATH_INFO") or "/",
        query_string=environ.get("QUERY_STRING") or "",
        headers=headers,
        body=body,
        base=f"{environ['wsgi.url_scheme']}://{host}",
    )


StartResponse = Callable[[str, list[tuple[str, str]]], Any]


def send(response: Response, environ: Mapping[str, Any], start_response: StartResponse) -> list[bytes]:
    """Answer through WSGI, or not at all when the response is to be lost."""
    connection = cast("Connection | None", environ.get("linkpay.connection"))
    if connection is not None and response.hold_seconds:
        connection.hold(response.hold_seconds)
    if connection is not None and response.cut:
        connection.cut()
    headers = list(response.headers.items())
    if response.status != 204:
        headers.append(("Content-Type", response.content_type))
        headers.append(("Content-Length", str(len(response.body))))
    start_response(f"{response.status} {REASONS[response.status]}", headers)
    return [response.body] if environ["REQUEST_METHOD"] != "HEAD" else []
