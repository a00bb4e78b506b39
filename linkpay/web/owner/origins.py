"""Origins of pages that a checkout may stand in, as an owner types them."""

import re
from urllib.parse import urlsplit

_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_MOST = 10
_LOOPBACK = ("localhost", "127.0.0.1")


def read(text: str, *, secure: bool) -> list[str] | None:
    """Origins from addresses with blanks between them; None when one is none, or there are too many.

    Only https may hold a checkout; http on this very machine may where we are not `secure` ourselves.
    """
    found: list[str] = []
    for part in text.split():
        origin = _origin(part, secure=secure)
        if origin is None:
            return None
        if origin not in found:
            found.append(origin)
    return found if len(found) <= _MOST else None


def _origin(text: str, *, secure: bool) -> str | None:
    try:
        address = urlsplit(text if "://" in text else f"https://{text}")
        host, port = (address.hostname or "").lower(), address.port
    except ValueError:
        return None
    if address.username is not None or address.query or address.fragment:
        return None
    here = not secure and host in _LOOPBACK and address.scheme in ("http", "https")
    if not here and (address.scheme != "https" or not _HOST.fullmatch(host)):
        return None
    return f"{address.scheme}://{host}{f':{port}' if port else ''}"
