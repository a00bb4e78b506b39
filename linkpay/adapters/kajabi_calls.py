"""Calling Kajabi's public API: tokens, one time limit for a call, and what its answers mean.

JSON:API over https, OAuth client credentials by form (Kajabi's public specification 1.1). A token is kept
for as long as it lives and asked for again once when it is refused before; every call is repeatable, so
doubt always means "again".
"""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from linkpay.adapters.time_limits import time_limit
from linkpay.adapters.wire import (
    PooledAdapter,
    describe,
    open_session,
    retry_after,
    storable,
    surely_not_sent,
)
from linkpay.errors import CredentialsRefused, Missing, OutcomeUnknown, Permanent, ProviderError, Retryable
from linkpay.ports import DirectoryKey

Json = dict[str, Any]
Pairs = list[tuple[str, str]]

_MAX_BODY = 64 * 1024
_CHUNK = 8 * 1024
_SHOWN = 300
_MAX_PAGES = 400
#: Seconds before its end from which a token is not used any more: a call may take ten.
_MARGIN_S = 30.0
_JSON_API = "application/vnd.api+json"
_HEADERS = {"Accept": _JSON_API, "Accept-Encoding": "identity", "User-Agent": "LinkPay/1"}
_AGAIN = frozenset({408, 425})


@dataclass(slots=True)
class _Token:
    """The token of one key. `lock` lets one thread ask for it while the others wait for what comes of that.

    Were each to ask after a failure, so many would hang one after the other for as long as a call may take.
    """

    text: str = ""
    ends_at: float = 0.0
    asked: int = 0  # how often an answer came, or none
    problem: ProviderError | None = None  # of the last time
    lock: threading.Lock = field(default_factory=threading.Lock)


class KajabiCalls:
    """One pooled session for all sites. `api_url` comes from the server's configuration alone."""

    def __init__(self, api_url: str, timeouts: tuple[float, float], *, total_s: float) -> None:
        self._api_url = api_url.rstrip("/")
        self._timeouts = timeouts
        self._total_s = total_s
        self._session = open_session(PooledAdapter())
        self._tokens: dict[tuple[str, str], _Token] = {}
        self._tokens_lock = threading.Lock()

    def get(self, key: DirectoryKey, path: str, pairs: Pairs | None = None) -> Json:
        """One document. Raises as the port says."""
        return self._ask(key, "GET", path, pairs or [], None)

    def send(self, key: DirectoryKey, method: str, path: str, body: Json) -> None:
        """One change."""
        self._ask(key, method, path, [], body)

    def pages(self, key: DirectoryKey, path: str, pairs: Pairs) -> Iterator[Json]:
        """Every page of a list. Of ``links.next`` only the query counts: its host would get our token."""
        asked = pairs
        for _ in range(_MAX_PAGES):
            page = self.get(key, path, asked)
            yield page
            following = next_query(page)
            if not following:
                return
            if following == asked:
                raise Retryable("Kajabi's list points to itself")
            asked = following
        raise Permanent(f"Kajabi's list of {path} is longer than {_MAX_PAGES} pages")

    def _ask(self, key: DirectoryKey, method: str, path: str, pairs: Pairs, body: Json | None) -> Json:
        token = self._token(key)
        status, answer = self._call(method, path, pairs, body, token)
        if status == 401:
            self._forget(key, token)
            status, answer = self._call(method, path, pairs, body, self._token(key))
        return _understood(status, answer, changes=body is not None)

    def _token(self, key: DirectoryKey) -> str:
        with self._tokens_lock:
            kept = self._tokens.setdefault((key.client_id, key.secret), _Token())
        asked = kept.asked
        with kept.lock:
            if kept.ends_at <= time.monotonic():
                if kept.problem is not None and kept.asked > asked:
                    raise kept.problem
                self._renew(key, kept)
            return kept.text

    def _renew(self, key: DirectoryKey, kept: _Token) -> None:
        asked_at, kept.problem = time.monotonic(), None
        try:
            kept.text, life = self._new_token(key)
            kept.ends_at = asked_at + max(life - _MARGIN_S, 0.0)
        except ProviderError as problem:
            kept.problem = problem
            raise
        finally:
            kept.asked += 1

    def _forget(self, key: DirectoryKey, token: str) -> None:
        """Kajabi refused this token before its time; a newer one that another thread got stays."""
        with self._tokens_lock:
            kept = self._tokens[(key.client_id, key.secret)]
        with kept.lock:
            if kept.text == token:
                kept.ends_at = 0.0

    def _new_token(self, key: DirectoryKey) -> tuple[str, float]:
        form = {
            "grant_type": "client_credentials",
            "client_id": key.client_id,
            "client_secret": key.secret,
        }
        status, text = self._exchange("POST", "/v1/oauth/token", data=form)
        if status in (400, 401, 403):
            raise CredentialsRefused("Kajabi refuses the client id and secret", status=status)
        made = _understood(status, text, changes=False)
        token, life = made.get("access_token"), made.get("expires_in")
        speaks = isinstance(token, str) and token.isascii() and token.isprintable()
        if not speaks or not token or not isinstance(life, int | float):
            raise Retryable("Kajabi gave no token", status=status)
        return str(token), float(life)

    def _call(
        self, method: str, path: str, pairs: Pairs, body: Json | None, token: str
    ) -> tuple[int, str | ProviderError]:
        headers = {"Authorization": f"Bearer {token}"}
        data = None
        if body is not None:
            headers["Content-Type"], data = _JSON_API, json.dumps(body)
        return self._exchange(method, path, params=pairs, data=data, headers=headers)

    def _exchange(
        self, method: str, path: str, *, params: Pairs | None = None, data: Any = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, str | ProviderError]:  # fmt: skip
        """(status, body); in the place of a body what kept it from us."""
        try:
            with (
                time_limit(self._total_s) as limit,
                self._session.request(
                    method, f"{self._api_url}{path}", params=params, data=data,
                    headers=_HEADERS | (headers or {}), timeout=self._timeouts, stream=True,
                ) as response,
            ):  # fmt: skip
                if response.status_code == 429:
                    return 429, Retryable(
                        "Kajabi: too many calls", status=429, retry_after=retry_after(response)
                    )
                text = _read(response)
        except requests.RequestException as error:
            if surely_not_sent(error):
                raise Retryable(f"Kajabi: {describe(error)}") from None
            raise OutcomeUnknown(
                "Kajabi: no answer in time" if limit.expired else f"Kajabi: {describe(error)}"
            ) from None
        if limit.expired:
            raise OutcomeUnknown("Kajabi: no whole answer in time", status=response.status_code)
        return response.status_code, text


def _read(response: requests.Response) -> str | ProviderError:
    body = b""
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > _MAX_BODY:
            return Permanent("Kajabi's answer is longer than we read", status=response.status_code)
    return body.decode("utf-8", "replace")


def _understood(status: int, text: str | ProviderError, *, changes: bool) -> Json:
    """The document of an answer that says success. Raises what any other one means."""
    if isinstance(text, ProviderError):
        raise text
    if 200 <= status < 300:
        if changes:
            return {}
        document = _document(text)
        if document is None:
            raise Retryable("Kajabi: no JSON in the answer", status=status)
        return document
    detail = f"Kajabi {status}: {_detail(text)}"
    if status in (401, 403):
        raise CredentialsRefused(detail, status=status)
    if status in (404, 410):
        raise Missing(detail, status=status)
    if status in _AGAIN or status >= 500 or 300 <= status < 400:
        raise Retryable(detail, status=status)
    raise Permanent(detail, status=status)


def _document(text: str) -> Json | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _detail(text: str) -> str:
    """The provider's own sentence, or the beginning of what it sent."""
    errors = (_document(text) or {}).get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return storable(str(errors[0].get("detail") or errors[0].get("title") or ""))[:_SHOWN]
    return storable(" ".join(text.split()))[:_SHOWN]


def next_query(page: Json) -> Pairs:
    """The query of the next page; empty when there is none."""
    links = page.get("links")
    following = links.get("next") if isinstance(links, dict) else None
    return parse_qsl(urlsplit(following).query) if isinstance(following, str) else []
