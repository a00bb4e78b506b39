"""Keys by which programs read a site. A key is shown once, when it is made; its hash is all that is kept."""

import hashlib
import secrets
from datetime import datetime

from linkpay.errors import InputError, NotFound
from linkpay.store import api, journal
from linkpay.store.db import Tx
from linkpay.store.tables import ApiKey

_PREFIX = "lpk_"
_NAME_LENGTH = 60


def make(tx: Tx, site_id: int, name: str, made_by: str, now: datetime, *, may_write: bool) -> tuple[int, str]:
    """(number, key) of a new key. `name` says whose it is."""
    name = " ".join(name.split())
    if not 0 < len(name) <= _NAME_LENGTH:
        raise InputError("name", f"Name the key in 1 to {_NAME_LENGTH} characters.", "name")
    key = _PREFIX + secrets.token_urlsafe(32)
    row = ApiKey(
        site_id=site_id, name=name, hash=_hash(key), may_write=may_write, made_by=made_by[:60], created_at=now
    )
    tx.add(row)
    tx.flush()
    journal.record_site(tx, site_id, "program_let_in", made_by, now, program=name)
    return row.id, key


def find(tx: Tx, key: str) -> ApiKey | None:
    """The living key with this text."""
    return api.key_by_hash(tx, _hash(key)) if key.startswith(_PREFIX) else None


def revoke(tx: Tx, site_id: int, number: int, by: str, now: datetime) -> None:
    """Let a key open nothing any more. Raises NotFound."""
    name = api.revoke(tx, site_id, number, now)
    if name is None:
        raise NotFound("key_unknown", f"There is no living key {number} here.", "number")
    journal.record_site(tx, site_id, "program_shut_out", by, now, program=name)


def _hash(key: str) -> str:
    # 256 random bits need no slow hash.
    return hashlib.sha256(key.encode()).hexdigest()
