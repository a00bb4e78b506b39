"""The number by which a person names her order: short, and of no use to whoever guesses."""

import hashlib
import re

_LENGTH = 8
_NOT_PART = re.compile(r"[^0-9A-Z]")


def order_number(token: str) -> str:
    """The number of the order whose pages carry this secret, e.g. ``7F3A-91C2``. It tells nothing of it."""
    digits = hashlib.sha256(f"order {token}".encode()).hexdigest()[:_LENGTH].upper()
    return f"{digits[:4]}-{digits[4:]}"


def same_number(typed: str, token: str) -> bool:
    """Whether somebody typed the number of this order, in whatever letters and with whatever dashes."""
    return _NOT_PART.sub("", typed.upper()) == order_number(token).replace("-", "")
