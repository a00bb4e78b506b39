"""What makes a single setting acceptable. Pure functions: text in, text out, `ValueError` with the mend.

No message ever repeats the value of a secret.
"""

import ipaddress
import math
import re
from base64 import urlsafe_b64decode
from collections import Counter
from email.utils import parseaddr
from itertools import pairwise
from urllib.parse import SplitResult, urlsplit

from cryptography.fernet import Fernet

MAKE_SECRET = "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"  # noqa: S105 (a recipe, no secret)
MAKE_FERNET = (
    "make one with: python3 -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"
)

_PLACEHOLDER = re.compile(
    r"change.?(me|this|it)|secret.?key|example|placeholder|replace|default|password|insecure|qwert|letmein"
    r"|your.?(own|key|secret|pass)|\.\.\.|<|>|to.?be.?set",
    re.IGNORECASE,
)
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*\.?")
_RESERVED = ("test", "example", "invalid", "localhost")  # RFC 6761: names that never resolve outside


def split(url: str, schemes: tuple[str, ...]) -> SplitResult:
    """Take a URL apart; it must have one of the schemes and a readable port."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ValueError("is not an address that can be read") from error
    if parts.scheme not in schemes:
        raise ValueError(f"must start with {' or '.join(f'{name}://' for name in schemes)}")
    return parts


def is_loopback(host: str) -> bool:
    """True for names and numbers that mean this machine."""
    bare = host.strip("[]").rstrip(".").lower()
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def is_make_believe(host: str) -> bool:
    """True when nothing real can answer: this machine, or a name under a reserved top level."""
    return is_loopback(host) or host.rstrip(".").lower().rpartition(".")[2] in _RESERVED


def web_address(url: str, *, secure: bool) -> str:
    """An http(s) address without credentials, query or trailing slash; https only when `secure`."""
    parts = split(url, ("https",) if secure else ("https", "http"))
    if not parts.hostname:
        raise ValueError("names no host")
    if parts.username or parts.password:
        raise ValueError("must not hold a user name or password")
    if parts.query or parts.fragment:
        raise ValueError("must not hold a query or fragment")
    return url.rstrip("/")


def host_list(text: str) -> tuple[str, ...]:
    """Host names parted by commas, in lower case; a port may follow for a host of this machine."""
    hosts = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    for host in hosts:
        name, _, port = host.partition(":")
        if not _HOST.fullmatch(name) or (port and not port.isdecimal()):
            raise ValueError(f"{host!r} is not a host name (no scheme, path or wildcard)")
    return hosts


def database(url: str) -> str:
    """A SQLite or PostgreSQL address, the latter with the driver that LinkPay brings."""
    parts = split(url, ("sqlite", "postgresql", "postgres", "postgresql+psycopg"))
    if parts.scheme == "sqlite":
        return url
    return "postgresql+psycopg" + url[len(parts.scheme) :]


def mail_server(url: str) -> str:
    """smtp:// (plain, or STARTTLS when offered) or smtps:// (TLS from the start)."""
    if not split(url, ("smtp", "smtps")).hostname:
        raise ValueError("names no host: write smtp://user:password@host:587")
    return url


def sender(address: str) -> str:
    """An e-mail address, bare or as ``Name <address>``."""
    mailbox = parseaddr(address)[1]
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", mailbox) or any(c in address for c in "\r\n"):
        raise ValueError("is not an e-mail address: write name@your-domain or Name <name@your-domain>")
    return address


def strong_secret(secret: str) -> str:
    """Refuse what a stranger might guess: short, placeholder, periodic, sequential, few characters."""
    if len(secret) < 32:
        raise ValueError(f"is too short ({len(secret)} characters, at least 32); {MAKE_SECRET}")
    if _PLACEHOLDER.search(secret):
        raise ValueError(f"looks like a placeholder; {MAKE_SECRET}")
    if _is_patterned(secret.encode()):
        raise ValueError(f"is easy to guess (a pattern, or too few different characters); {MAKE_SECRET}")
    return secret


def fernet_key(key: str, *, strong: bool) -> str:
    """A Fernet key: 32 bytes in URL-safe base64; of real randomness when `strong`."""
    try:
        Fernet(key.encode())
    except ValueError as error:
        raise ValueError(
            f"holds something that is not a key of 32 bytes in URL-safe base64; {MAKE_FERNET}"
        ) from error
    if strong and (_PLACEHOLDER.search(key) or _is_patterned(urlsafe_b64decode(key))):
        raise ValueError(f"holds a key that is easy to guess; {MAKE_FERNET}")
    return key


def _is_patterned(secret: bytes) -> bool:
    """True for repeats (abcabc), runs (abcdef, 987654) and few symbols.

    Random keys measure 150 bits and more here: 32 random hex digits, the poorest we accept, about
    110 on average, so 88 leaves them room and still refuses words said twice.
    """
    if secret in (secret + secret)[1:-1]:
        return True
    steps = Counter(after - before for before, after in pairwise(secret))
    if steps[1] + steps[-1] + steps[0] > len(secret) / 2:
        return True
    size = len(secret)
    bits = -sum(n * math.log2(n / size) for n in Counter(secret).values())
    return bits < 88
