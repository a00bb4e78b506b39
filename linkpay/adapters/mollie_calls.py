"""Calling Mollie through the official client, mollie-api-python 4, from many threads for many keys.

Of the client only `Client.perform_http_call` is used: authentication, addresses and query strings are
its work. Its resources and objects are passed by, because they drop response headers, hide the status
of a page that is not JSON, return a 202 as a payment without id, fail on nulls, and follow links that
the answer gives (each measured against 4.0.0). Nothing is retried here: the caller owns the schedule.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from mollie.api.client import Client
from mollie.api.error import RequestError
from requests import ReadTimeout

from linkpay.adapters.mollie_fields import Json, Malformed
from linkpay.adapters.mollie_outcomes import json_object, of_answer, of_transport, of_unreadable
from linkpay.adapters.mollie_reading import Page, read_page
from linkpay.adapters.time_limits import time_limit
from linkpay.adapters.wire import PooledAdapter, open_session, surely_not_sent
from linkpay.errors import CredentialsRefused, Permanent, Retryable

T = TypeVar("T")

# The client would put a malformed key into its exception text.
_KEY = re.compile(r"(live|test)_[A-Za-z0-9_]{1,128}")
_IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}")
_PAGE = 250  # the most that Mollie gives at once (specification)
_MAX_PAGES = 200


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `repeatable` when doing it twice is harmless, so that a lost answer costs nothing."""

    method: str
    path: str
    params: dict[str, Any] | None = None
    data: dict[str, Any] | None = None
    idempotency_key: str = ""
    repeatable: bool = False


class MollieCalls:
    """One pooled session for all keys, and one client per key, the least used forgotten first.

    `timeouts` are the seconds to connect and to wait for more of an answer; `total_s` ends a call whose
    answer only drips.
    """

    def __init__(
        self, api_url: str, timeouts: tuple[float, float], *, total_s: float, clients: int = 256
    ) -> None:
        self._api_url = api_url
        self._timeouts = timeouts
        self._total_s = total_s
        self._session = open_session(PooledAdapter())
        self._client = lru_cache(maxsize=clients)(self._open_client)

    def _open_client(self, key: str) -> Client:
        client = Client(api_endpoint=self._api_url, retry=0)
        client.timeout = self._timeouts  # type: ignore[assignment]  # requests takes fractions of a second
        client.set_api_key(key)
        client.set_user_agent_component("LinkPay", "1", sanitize=False)
        # None drops the header, which would tell the name and kernel of this machine.
        client.UNAME = None  # type: ignore[assignment]  # the client only hands it to requests
        # In place before any thread can see the client: its own lazy session is unlocked and keeps 10.
        client._client = self._session
        return client

    def ask(self, key: str, call: Call, read: Callable[[Json], T]) -> T:
        """Make the call and read its answer; an answer that `read` finds malformed is a failure."""
        status, body = self.exchange(key, call)
        if body is None:
            raise of_unreadable("no JSON object", status=status, repeatable=call.repeatable)
        try:
            return read(body)
        except Malformed as error:
            raise of_unreadable(str(error), status=status, repeatable=call.repeatable) from None

    def exchange(self, key: str, call: Call) -> tuple[int, Json | None]:
        """Make the call; the status and JSON object of an answer that says success."""
        if not _KEY.fullmatch(key):
            raise CredentialsRefused("this is not a Mollie API key: it starts with test_ or live_")
        if call.method == "POST" and not _IDEMPOTENCY_KEY.fullmatch(call.idempotency_key):
            raise Permanent("a request that moves money needs its idempotency key")
        client = self._client(key)
        try:
            with time_limit(self._total_s) as limit:
                response = client.perform_http_call(
                    call.method, call.path, call.data, call.params, call.idempotency_key
                )
        except RequestError as error:
            cause = error.__context__
            # Whoever cuts a line sees it lost.
            cut = limit.expired and not surely_not_sent(cause)
            raise of_transport(ReadTimeout() if cut else cause, repeatable=call.repeatable) from None
        if limit.expired:  # what was cut off can look like a short answer
            raise of_transport(ReadTimeout(), repeatable=call.repeatable)
        failure = of_answer(response, repeatable=call.repeatable)
        if failure is not None:
            raise failure
        return response.status_code, json_object(response)

    def list_all(
        self,
        key: str,
        path: str,
        read: Callable[[Json], T],
        limit: int | None = None,
        until: Callable[[T], bool] | None = None,
    ) -> tuple[T, ...]:
        """All items of a list, or the first `limit`, newest first; raises rather than leave one out.

        Pages after one whose last item `until` says enough of are not read.
        """
        found: list[T] = []
        cursor: str | None = None
        for _ in range(_MAX_PAGES):
            wanted = _PAGE if limit is None else min(_PAGE, limit - len(found))
            if wanted <= 0:
                break
            page = self._page(key, path, read, filled({"limit": wanted, "from": cursor}))
            found.extend(page.items)
            if page.cursor is None or (until is not None and page.items and until(page.items[-1])):
                break
            cursor = page.cursor
        else:
            raise Permanent(f"Mollie's list of {path.rpartition('/')[2]} is longer than {_MAX_PAGES} pages")
        return tuple(found[:limit])

    def _page(self, key: str, path: str, read: Callable[[Json], T], params: dict[str, Any]) -> Page[T]:
        name = path.rpartition("/")[2]
        call = Call("GET", path, params=params, repeatable=True)
        page = self.ask(key, call, lambda body: read_page(body, name, read))
        if page.cursor is not None and (page.cursor == params.get("from") or not page.items):
            raise Retryable("Mollie's list points to itself")
        return page


def filled(data: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is None: Mollie refuses unknown and empty parameters alike."""
    return {name: value for name, value in data.items() if value is not None}
