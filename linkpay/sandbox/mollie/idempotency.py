"""Idempotency keys as Mollie documents them: POST only, one hour, scoped to the credential.

Answers that a retry could change (401, 429, 5xx) are not remembered.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta

from linkpay.sandbox.mollie.call import DOCS, HAL, MollieError
from linkpay.sandbox.records import Replay
from linkpay.sandbox.web import Request, Response
from linkpay.sandbox.world import World

LIFE = timedelta(hours=1)
_PAGE = f"{DOCS}/overview/api-idempotency"


def once(world: World, token: str, request: Request, act: Callable[[], Response]) -> Response:
    """Act, or give the remembered answer. Raises MollieError 400 (other request) or 409 (running).

    `act` runs outside the lock.
    """
    key = request.headers.get("idempotency-key", "")
    if request.method != "POST" or not key:
        return act()
    name = f"{token}:{key}"
    fingerprint = _fingerprint(request)
    with world.books.lock:
        known = _remembered(world, name, fingerprint)
        if known is not None:
            return known
        world.running_keys.add(name)
    try:
        answer = act()
        with world.books.lock:
            if 200 <= answer.status < 500 and answer.status not in (401, 429):
                _remember(world, name, fingerprint, answer)
        return answer
    finally:
        world.running_keys.discard(name)


def _remembered(world: World, name: str, fingerprint: str) -> Response | None:
    if name in world.running_keys:
        detail = "Another request with this Idempotency-Key is already being processed."
        raise MollieError(409, detail, docs=_PAGE)
    replay = world.books.replays.get(name)
    if replay is None:
        return None
    if replay.created_at + LIFE <= world.now():
        world.books.replays.drop(replay)
        return None
    if replay.fingerprint != fingerprint:
        raise MollieError(400, "This Idempotency-Key has already been used.", docs=_PAGE)
    return Response(replay.status, replay.body.encode(), HAL, {"Idempotent-Replayed": "true"})


def _remember(world: World, name: str, fingerprint: str, answer: Response) -> None:
    now = world.now()
    world.books.replays.add(
        Replay(
            id=name,
            created_at=now,
            fingerprint=fingerprint,
            status=answer.status,
            body=answer.body.decode(),
        )
    )
    world.books.schedule(now + LIFE, "forget_replay", name, now)


def _fingerprint(request: Request) -> str:
    text = f"{request.path}?{request.query_string}\n".encode() + request.body
    return hashlib.sha256(text).hexdigest()


def forget(world: World, name: str) -> None:
    """The hour is over."""
    replay = world.books.replays.get(name)
    if replay is not None and replay.created_at + LIFE <= world.now():
        world.books.replays.drop(replay)
