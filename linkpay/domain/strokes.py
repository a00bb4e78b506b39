"""What to do next with a request to move money whose outcome may be unknown.

Mollie honours an idempotency key for one hour; after that the same request is a new one. So: the
same key for 45 minutes, then silence while a late request may still arrive, then look before
anything new is sent.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

#: How long the stored key is used again. Mollie keeps keys for 60 minutes.
KEY_LIFE = timedelta(minutes=45)
#: Nothing is sent this long before we look: a request that timed out may still be executed.
QUIET = timedelta(minutes=10)
#: Never send when more time than this passed since the row was claimed: a paused process wakes late.
SEND_WITHIN = timedelta(seconds=30)


class Move(StrEnum):
    """send: with the stored key. wait: until `at`. search: read, adopt what is ours, or renew the key."""

    SEND = "send"
    WAIT = "wait"
    SEARCH = "search"


@dataclass(frozen=True, slots=True)
class NextMove:
    """`at` is when to look again, for a wait."""

    move: Move
    at: datetime | None = None


def next_move(key_used_at: datetime | None, now: datetime) -> NextMove:
    """`key_used_at` is when the present key was first put on the wire, None when it never was."""
    if key_used_at is None or now - key_used_at <= KEY_LIFE:
        return NextMove(Move.SEND)
    # The last request with this key left at most SEND_WITHIN after the end of the key's life.
    look_at = key_used_at + KEY_LIFE + SEND_WITHIN + QUIET
    return NextMove(Move.SEARCH) if now >= look_at else NextMove(Move.WAIT, look_at)


def too_late(claimed_at: datetime, now: datetime) -> bool:
    """Whether a claim is too old to be sent."""
    return now - claimed_at > SEND_WITHIN
