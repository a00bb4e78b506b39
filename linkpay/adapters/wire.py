"""HTTP plumbing that the adapters share: pooled connections under the time limit of their call, and what an
exception of `requests` says about whether anything was sent.

Sessions made here follow no redirect, keep no cookie, retry nothing and ignore the environment (a
``.netrc`` entry would replace the Authorization header, a proxy would resolve names in our place).
"""

import ipaddress
import logging
import math
import os
import socket
import ssl
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from weakref import WeakSet

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.response import BaseHTTPResponse
from urllib3.util.connection import create_connection

from linkpay.adapters import time_limits
from linkpay.errors import Permanent

POOL = 64
MAX_RETRY_AFTER_S = 3600.0

_NEVER_SENT = (
    requests.ConnectTimeout,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidHeader,
)
_NO_CONNECTION = (NewConnectionError, ConnectTimeoutError, ssl.SSLCertVerificationError)

# urllib3 logs the path of each request at DEBUG, and the path of a Kajabi offer address is a secret.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


class _Watched(HTTPConnection):
    """Puts its socket under the time limit of the call that it serves."""

    def getresponse(self) -> BaseHTTPResponse:  # type: ignore[override]  # as urllib3's own annotation
        time_limits.watch(self.sock)
        return super().getresponse()


class _WatchedTLS(_Watched, HTTPSConnection):
    """The same over TLS."""


class _PublicOnlyTLS(_WatchedTLS):
    """Connects to the very addresses it has checked; TLS still verifies the name."""

    def _new_conn(self) -> socket.socket:
        try:
            addresses = resolve_public(self.host, self.port or 443)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        failure: OSError | None = None
        for address in addresses:
            try:
                return create_connection(
                    (address, self.port or 443), self.timeout, socket_options=self.socket_options
                )
            except OSError as error:
                failure = error
        raise NewConnectionError(self, f"cannot connect: {type(failure).__name__}") from failure


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTLS


class _PublicOnlyTLSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicOnlyTLS


class PooledAdapter(HTTPAdapter):
    """64 kept connections per host, no retries, no time without limit.

    `public_only`: https alone, and never a connection to an address inside a network.
    """

    def __init__(self, *, public_only: bool = False) -> None:
        self.public_only = public_only
        super().__init__(pool_connections=8, pool_maxsize=POOL, max_retries=0)
        _adapters.add(self)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: object) -> None:
        super().init_poolmanager(connections, maxsize, block, **kwargs)
        tls = _PublicOnlyTLSPool if self.public_only else _TLSPool
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": tls}

    def forget_connections(self) -> None:
        """Start with an empty pool, leaving the old sockets to whoever else holds them."""
        self.init_poolmanager(8, POOL)


_adapters: WeakSet[PooledAdapter] = WeakSet()


def _forget_after_fork() -> None:
    for adapter in list(_adapters):
        adapter.forget_connections()


# Two processes on one kept connection would read each other's answers.
os.register_at_fork(after_in_child=_forget_after_fork)


class _OneHopSession(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """A provider's API does not redirect; following one would carry secrets elsewhere."""


def open_session(adapter: PooledAdapter) -> requests.Session:
    """A session for many threads whose only way out is `adapter`."""
    session = _OneHopSession()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.adapters.clear()
    session.mount("https://", adapter)
    if not adapter.public_only:
        session.mount("http://", adapter)
    return session


def is_public(address: str) -> bool:
    """Whether a packet to this literal address leaves for the internet, tunnels unwrapped."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def resolve_public(host: str, port: int) -> list[str]:
    """All addresses of `host`. Raises Permanent when one is not public, socket.gaierror when unknown."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not addresses:
        raise socket.gaierror(socket.EAI_NONAME, "no address")
    if not all(is_public(address) for address in addresses):
        raise Permanent(f"{host} resolves to an address that is not public: nothing was sent")
    return addresses


def surely_not_sent(error: BaseException | None) -> bool:
    """Whether this exception of `requests` proves that no byte of the request left this machine.

    Only what the exception itself carries counts: its ``__context__`` may belong to an earlier call.
    """
    if isinstance(error, (*_NEVER_SENT, *_NO_CONNECTION)):
        return True
    if not isinstance(error, Exception):
        return False
    inner = [*error.args, getattr(error, "reason", None)]
    return any(surely_not_sent(part) for part in inner if isinstance(part, Exception) and part is not error)


def describe(error: BaseException | None) -> str:
    """What went wrong on the wire, without addresses: a path can be a secret."""
    if isinstance(error, requests.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if surely_not_sent(error):
        return "cannot connect"
    return f"connection lost ({type(error).__name__})"


def retry_after(response: requests.Response) -> float | None:
    """Seconds from the Retry-After header, at most an hour; None when absent or unreadable.

    A date is read against the answer's own Date header, so no clock has to agree with the provider's.
    """
    told = response.headers.get("Retry-After", "").strip()
    try:
        seconds = float(told) if told.isascii() and told.isdigit() else _seconds_until(told, response)
    except (ValueError, TypeError, OverflowError):
        return None
    return min(seconds, MAX_RETRY_AFTER_S) if seconds >= 0 and math.isfinite(seconds) else None


def _seconds_until(told: str, response: requests.Response) -> float:
    sent_at = parsedate_to_datetime(response.headers.get("Date", ""))
    return max(0.0, (parsedate_to_datetime(told) - sent_at).total_seconds())


def storable(text: str) -> str:
    """The same text without what PostgreSQL and UTF-8 refuse."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")
