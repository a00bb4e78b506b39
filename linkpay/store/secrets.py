"""Secrets at rest: sealed with a rotatable key set and bound to their site and column.

Fernet authenticates but knows no context, so site and column travel inside the sealed text and are
checked when it is opened: a value copied to another row or column does not open there.
"""

import json
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from linkpay.errors import LinkPayError


class SealBroken(LinkPayError):
    """The value was sealed with keys we do not have, for another place, or was changed."""


class SecretBox:
    """Seals with the first of `keys` and opens with any of them. Keys are Fernet keys, newest first."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("at least one encryption key")
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, site_id: int, column: str, value: str) -> str:
        """Encrypt `value` for one column of one site."""
        packed = json.dumps([site_id, column, value], separators=(",", ":"))
        return self._fernet.encrypt(packed.encode()).decode()

    def open(self, site_id: int, column: str, sealed: str) -> str:
        """Decrypt a value sealed for this column of this site. Raises SealBroken otherwise."""
        try:
            packed = json.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken:
            raise SealBroken(f"{column} of site {site_id} does not open with the present keys") from None
        if packed[:2] != [site_id, column]:
            raise SealBroken(f"{column} of site {site_id} holds a value sealed for another place")
        return str(packed[2])

    def rotate(self, sealed: str) -> str:
        """The same secret sealed with the newest key. Raises SealBroken when no key opens it."""
        try:
            return self._fernet.rotate(sealed.encode()).decode()
        except InvalidToken:
            raise SealBroken("a secret does not open with the present keys") from None
