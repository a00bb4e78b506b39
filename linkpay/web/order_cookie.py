"""The browser that ordered, known again for a day: it holds its order's secret and a name of its own, signed
by us.

The address of an order's page alone does not make a browser one that ordered: it stands in mails. Nor does
the cookie say who sits before it: whoever orders types whatever address she likes.
"""

import hashlib
import secrets
from dataclasses import dataclass

from flask import Response, request
from itsdangerous import BadSignature, TimestampSigner

from linkpay.web.edge import edge

_LIFE = 24 * 3600  # seconds


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order by its secret, and the browser that made it by its name."""

    token: str
    browser: str


def give(answer: Response, site_slug: str, ordered: Ordered) -> Response:
    """Let this browser be known as the one that made this order."""
    signed = _signer(site_slug).sign(f"{ordered.token}:{ordered.browser}").decode()
    answer.set_cookie(
        _name(site_slug), signed, path="/", secure=edge().secure, httponly=True, samesite="Lax", max_age=_LIFE
    )
    return answer


def read(site_slug: str) -> Ordered | None:
    """The order that this browser made on the site lately; None where it made none."""
    try:
        signed = request.cookies.get(_name(site_slug), "")
        token, _, browser = _signer(site_slug).unsign(signed, max_age=_LIFE).decode().partition(":")
    except BadSignature:
        return None
    return Ordered(token, browser) if browser else None


def browser(site_slug: str) -> str:
    """The name of this browser: the one it has from an order before, or a new one."""
    ordered = read(site_slug)
    return ordered.browser if ordered else secrets.token_urlsafe(16)


def _name(site_slug: str) -> str:
    return f"__Host-linkpay-order-{site_slug}" if edge().secure else f"linkpay-order-{site_slug}"


def _signer(site_slug: str) -> TimestampSigner:
    salt = f"linkpay.order.{site_slug}"
    return TimestampSigner(edge().secret_key, salt=salt, key_derivation="hmac", digest_method=hashlib.sha256)
