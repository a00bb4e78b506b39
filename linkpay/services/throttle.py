"""Slowing down who guesses: failures are counted per person and per address, as hashes."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from linkpay.errors import SlowDown
from linkpay.store import owners
from linkpay.store.db import Tx
from linkpay.store.tables import Attempt

#: Failures are remembered this long. Enough for typing errors, few enough that six digits stay unguessed.
WINDOW = timedelta(minutes=15)
#: How many failures each kind of subject may have in a window. A `person` is tried from one address, so that
#: whoever guesses elsewhere locks nobody out; from `everywhere` more is borne. Many people may share one
#: address; at a `door` whoever asks is counted, known or not, so that the count tells nothing.
LIMITS: Mapping[str, int] = {"person": 8, "everywhere": 100, "address": 60, "door": 300, "key": 60}


def check(tx: Tx, subjects: Mapping[str, str], now: datetime) -> None:
    """Raise SlowDown ``too_many_attempts`` when any subject failed too often lately."""
    for kind, value in subjects.items():
        if owners.attempts_since(tx, _named(kind, value), now - WINDOW) >= LIMITS[kind]:
            raise SlowDown(
                "too_many_attempts", "That was tried too often. Wait a quarter of an hour and try again."
            )


def failed(tx: Tx, subjects: Mapping[str, str], now: datetime) -> None:
    """Count one failure for each subject."""
    owners.forget_attempts(tx, now - WINDOW)
    tx.add_all(Attempt(subject=_named(kind, value), created_at=now) for kind, value in subjects.items())


def _named(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind}\0{value}".encode()).hexdigest()
