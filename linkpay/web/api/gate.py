"""Who asks: a program with a key of one site. Without one, or for another site's things, there is nothing."""

import hashlib
import re
from collections.abc import Callable
from typing import Any

from flask import g, request

from linkpay.errors import Conflict, InputError
from linkpay.services import api_keys, throttle
from linkpay.store import api
from linkpay.store.db import Tx
from linkpay.store.tables import ApiKey
from linkpay.web.edge import parts

_IDEMPOTENCY = "Idempotency-Key"
_NAME = re.compile(r"[!-~]{1,255}")
Answer = tuple[int, dict[str, Any]]


class NoKey(InputError):
    """The request shows no key that opens anything."""

    status = 401


class NotAllowed(InputError):
    """The key opens this site, and not this."""

    status = 403


class UnsupportedType(InputError):
    """A content type we do not read."""

    status = 415


def enter() -> None:
    """Find the key that the request shows; it is at ``g.api_key``. Guessing is slowed down by address."""
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    now, door = parts().clock.now(), {"key": request.remote_addr or ""}
    with parts().database.read() as tx:
        key = api_keys.find(tx, shown.strip()) if scheme.lower() == "bearer" else None
        if key is None:  # a living key is let in whoever guesses beside it
            throttle.check(tx, door, now)
    if key is None:
        if shown:
            with parts().database.write() as tx:
                throttle.failed(tx, door, now)
        raise NoKey(
            "key_wrong", "Send `Authorization: Bearer` with a living key of this site.", "Authorization"
        )
    if not api.is_used_lately(key, now):
        with parts().database.write() as tx:
            api.note_use(tx, key.id, now)
    g.api_key = key


def once(act: Callable[[Tx, ApiKey], Answer]) -> tuple[Answer, bool]:
    """Do a write once under the request's idempotency key; (answer, whether it is the first one's).

    The answer is kept in the transaction of the effect. What is refused is not kept: nothing happened.
    """
    key: ApiKey = g.api_key
    if not key.may_write:
        raise NotAllowed(
            "key_reads_only", "This key may only read. Make one that may write.", "Authorization"
        )
    name = request.headers.get(_IDEMPOTENCY, "")
    if not _NAME.fullmatch(name):
        raise InputError(
            "idempotency_key", "Send an Idempotency-Key of 1 to 255 visible characters.", _IDEMPOTENCY
        )
    now = parts().clock.now()
    with parts().database.write() as tx:
        before = api.begin_call(tx, key, name, _fingerprint(), now)
        if before is None:
            status, answer = act(tx, key)
            api.finish_call(tx, key, name, status, answer)
            return (status, answer), False
        if before.fingerprint != _fingerprint():
            raise Conflict(
                "idempotency_key_reused",
                "This key named another request before; take a new one.",
                _IDEMPOTENCY,
            )
        return (before.status, before.answer), True


def _fingerprint() -> str:
    asked = f"{request.method} {request.path}\n".encode() + request.get_data()
    return hashlib.sha256(asked).hexdigest()


def body() -> dict[str, Any]:
    """The request's JSON object, empty where there is no body. Raises InputError and UnsupportedType."""
    if not request.get_data():
        return {}
    if request.mimetype != "application/json":
        raise UnsupportedType("content_type", "Send application/json.", "Content-Type")
    try:
        said = request.get_json()
    except Exception as problem:
        raise InputError("body", "The body is no JSON.") from problem
    if not isinstance(said, dict):
        raise InputError("body", "Send a JSON object.")
    return said
