"""Forms that only our own pages can send: a signed double-submit token, one per form.

A cookie holds a random seed, the form a signature over that seed and the form's purpose. Another
site can make a browser send the cookie but cannot read it, and cannot sign.
"""

import hashlib
import re
import secrets

from flask import Flask, Response, g, request
from itsdangerous import BadSignature, Signer, TimestampSigner

from linkpay.web.edge import edge

FIELD = "form_token"
_LOOSE_LIFE = 12 * 3600  # seconds
_SEED = re.compile(r"[A-Za-z0-9_-]{32}", re.ASCII)


def form_token(purpose: str) -> str:
    """What a form for `purpose` carries in its hidden field; sees to it that the cookie is there."""
    return _signer().get_signature(f"{_seed()}|{purpose}").decode()


def is_ours(purpose: str) -> bool:
    """Whether the posted form came from a page that we gave to this browser for this purpose."""
    seed = request.cookies.get(cookie_name(), "")
    if not _SEED.fullmatch(seed):
        return False
    sent = request.form.get(FIELD, "").encode("ascii", "replace")
    return _signer().verify_signature(f"{seed}|{purpose}".encode(), sent)


def loose_token(purpose: str) -> str:
    """What a form carries within somebody else's page, where browsers keep no cookie of ours.

    It proves that we made the form today, not to whom we gave it: only for forms that nobody's sign-in
    and nobody's cookie stands behind, so that sending them for somebody else gains nothing.
    """
    return _loose().sign(purpose).decode()


def is_loosely_ours(purpose: str) -> bool:
    """Whether the posted form was made by us for this purpose within the last hours."""
    try:
        return _loose().unsign(request.form.get(FIELD, ""), max_age=_LOOSE_LIFE).decode() == purpose
    except BadSignature:
        return False


def _loose() -> TimestampSigner:
    key = edge().secret_key
    return TimestampSigner(key, salt="linkpay.embedded", key_derivation="hmac", digest_method=hashlib.sha256)


def cookie_name() -> str:
    """The browser refuses a cookie with this prefix from anybody but this very host, by https."""
    return "__Host-linkpay" if edge().secure else "linkpay"


def _signer() -> Signer:
    return Signer(edge().secret_key, salt="linkpay.form", key_derivation="hmac", digest_method=hashlib.sha256)


def _seed() -> str:
    if "form_seed" not in g:
        known = request.cookies.get(cookie_name(), "")
        g.form_seed = known if _SEED.fullmatch(known) else secrets.token_urlsafe(24)
    seed: str = g.form_seed
    return seed


def install(app: Flask) -> None:
    """Send the seed along with every page that holds a form."""
    app.jinja_env.globals["form_token"] = form_token

    @app.after_request
    def send_seed(response: Response) -> Response:
        seed = g.get("form_seed")
        if seed is not None and request.cookies.get(cookie_name()) != seed:
            response.set_cookie(
                cookie_name(), seed, path="/", secure=edge().secure, httponly=True, samesite="Lax"
            )
        return response
