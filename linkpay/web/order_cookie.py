"""The browser that ordered, known again for a day: it holds its order's secret, signed by us.

The address of an order's page alone does not make a browser one that ordered: it stands in mails.
"""

import hashlib

from flask import Response, request
from itsdangerous import BadSignature, TimestampSigner

from linkpay.web.edge import edge

_LIFE = 24 * 3600  # seconds


def give(answer: Response, site_slug: str, order_token: str) -> Response:
    """Let this browser be known as the one that made this order."""
    answer.set_cookie(
        _name(site_slug), _signer(site_slug).sign(order_token).decode(), path="/", secure=edge().secure,
        httponly=True, samesite="Lax", max_age=_LIFE,
    )  # fmt: skip
    return answer


def read(site_slug: str) -> str | None:
    """The order that this browser made on the site lately; None where it made none."""
    try:
        signed = request.cookies.get(_name(site_slug), "")
        return _signer(site_slug).unsign(signed, max_age=_LIFE).decode()
    except BadSignature:
        return None


def _name(site_slug: str) -> str:
    return f"__Host-linkpay-order-{site_slug}" if edge().secure else f"linkpay-order-{site_slug}"


def _signer(site_slug: str) -> TimestampSigner:
    salt = f"linkpay.order.{site_slug}"
    return TimestampSigner(edge().secret_key, salt=salt, key_derivation="hmac", digest_method=hashlib.sha256)
