"""How an owner signs in: password, then a code of her phone or a recovery code, then a session.

Hashing a password takes long on purpose, so it happens outside of any transaction.
"""

import hashlib
import secrets
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from linkpay.domain.roles import Role
from linkpay.errors import InputError, SlowDown
from linkpay.services import second_factor, throttle
from linkpay.services.parts import Parts
from linkpay.store import owners
from linkpay.store.db import FOR_CHANGE, Tx
from linkpay.store.tables import Owner, OwnerSession, Site

SESSION_LIFE = timedelta(hours=12)
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200
_HASHER = PasswordHasher()
#: Seconds that a person waits for another's password to be looked at.
_HASHING, _PATIENCE = threading.Lock(), 1.0


def _hash_of_nothing() -> str:
    """What no password hashes to. Made up, since hashing one would cost every process a third of a second."""
    salt, made_up = (b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32))
    cost = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${made_up}"


#: So that an unknown address takes as long to refuse as a wrong password.
NOBODYS = _hash_of_nothing()


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session: `token` goes into the cookie; without `whole` the second factor is still to come."""

    token: str
    whole: bool


def hash_of(token: str) -> str:
    """How tokens are kept: whoever reads the database cannot use them."""
    return hashlib.sha256(token.encode()).hexdigest()


def hash_password(password: str) -> str:
    """The password as it is kept. Raises InputError ``password_short`` or ``password_long``."""
    if len(password) < SHORTEST_PASSWORD:
        raise InputError(
            "password_short", f"Choose a password of at least {SHORTEST_PASSWORD} characters.", "password"
        )
    if len(password) > LONGEST_PASSWORD:
        raise InputError(
            "password_long", f"Choose a password of at most {LONGEST_PASSWORD} characters.", "password"
        )
    return _HASHER.hash(password)


def sign_in(parts: Parts, email: str, password: str, address: str) -> Opened | None:
    """A session for the right e-mail and password; None for wrong ones, told apart by nothing.

    Raises SlowDown when it was tried too often for this person or from this `address`.
    """
    now = parts.clock.now()
    subjects = {"person": f"{email} {address}", "everywhere": email, "address": address}
    with _alone():
        with parts.database.read() as tx:
            throttle.check(tx, subjects, now)
            owner = owners.by_email(tx, email)
        kept = owner.password_hash if owner is not None else None
        is_right = _verify(kept or NOBODYS, password[:LONGEST_PASSWORD])
        if owner is None or kept is None or not is_right:
            with parts.database.write() as tx:
                throttle.failed(tx, subjects, now)
            return None
    fresh = _HASHER.hash(password) if _HASHER.check_needs_rehash(kept) else kept
    with parts.database.write() as tx:
        tx.get_one(Owner, owner.id).password_hash = fresh
        return open_session(tx, owner, now, whole=owner.totp_confirmed_at is None)


@contextmanager
def _alone() -> Iterator[None]:
    """One password at a time in a process: each keeps several cores busy, and guesses that come together
    would all be looked at before the first is counted."""
    if not _HASHING.acquire(timeout=_PATIENCE):
        raise SlowDown("too_many_attempts", "Many are signing in at this moment. Try again in a minute.")
    try:
        yield
    finally:
        _HASHING.release()


def _verify(kept: str, password: str) -> bool:
    try:
        return _HASHER.verify(kept, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def open_session(tx: Tx, owner: Owner, now: datetime, *, whole: bool) -> Opened:
    """A session of twelve hours for an owner who proved who she is, at least in part."""
    token = secrets.token_urlsafe(32)
    tx.add(
        OwnerSession(
            owner_id=owner.id, hash=hash_of(token), created_at=now, expires_at=now + SESSION_LIFE,
            whole_at=now if whole else None,
        )
    )  # fmt: skip
    return Opened(token, whole)


def give_second(parts: Parts, token: str, code: str, address: str) -> bool:
    """Complete a session with a code of the phone, or a recovery code; False when it is wrong."""
    now = parts.clock.now()
    with parts.database.write() as tx:
        held = owners.session(tx, hash_of(token), now)
        if held is None:
            return False
        owner = tx.get_one(Owner, held.owner_id, with_for_update=FOR_CHANGE, populate_existing=True)
        subjects: Mapping[str, str] = {"person": f"code:{owner.id}", "address": address}
        throttle.check(tx, subjects, now)
        if not second_factor.accept(tx, owner, parts.box, code, now):
            throttle.failed(tx, subjects, now)
            return False
        held.whole_at = now
        return True


def sign_out(tx: Tx, token: str, now: datetime) -> None:
    """End one session; ending it again changes nothing."""
    held = owners.session(tx, hash_of(token), now)
    if held is not None:
        held.ended_at = now


@dataclass(frozen=True, slots=True)
class Present:
    """Who is signed in, in which session, and where she may do what."""

    owner: Owner
    session_id: int
    whole: bool
    sites: tuple[tuple[Site, Role], ...]


def present(tx: Tx, token: str, now: datetime) -> Present | None:
    """Whose cookie this is; None when the session is over or never was."""
    found = owners.signed_in(tx, hash_of(token), now) if token else None
    if found is None:
        return None
    held, owner, sites = found
    return Present(owner, held.id, held.whole_at is not None, sites)
