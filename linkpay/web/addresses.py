"""Addresses: what may stand in them, and how templates make them."""

import hashlib
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from flask import Flask, Response, request, url_for
from werkzeug.routing import BaseConverter, RequestRedirect, ValidationError

_STATIC = Path(__file__).parent / "static"
#: No database of ours numbers a row higher; a higher number is refused there, not just found nowhere.
_LARGEST = 2**63 - 1


class Slug(BaseConverter):
    """A public name. Anything else is no address of ours and never reaches the database."""

    regex = r"[a-z0-9][a-z0-9_-]{0,59}"


class Token(BaseConverter):
    """The secret part of an address, as `secrets.token_urlsafe` makes it."""

    regex = r"[A-Za-z0-9_-]{16,64}"


class Number(BaseConverter):
    """The number of a row, in place of what `int` usually means in an address."""

    regex = r"\d{1,19}"

    def to_python(self, value: str) -> int:
        try:
            return row_number(value)
        except ValueError:
            raise ValidationError from None

    def to_url(self, value: int) -> str:
        return str(value)


def row_number(text: str) -> int:
    """A row's number as a form or a link names it. Raises ValueError for what can be none."""
    number = int(text)
    if not 0 <= number <= _LARGEST:
        raise ValueError(f"no row has the number {text[:40]}")
    return number


def install(app: Flask) -> None:
    """Make the converters and the address helpers known."""
    app.url_map.converters.update(int=Number, slug=Slug, token=Token)
    app.jinja_env.globals.update(asset=asset, other_language=other_language)
    app.after_request(_stay_here)


def _stay_here(response: Response) -> Response:
    """Who wrote an address a little differently is led on at the host, and by https, where she is; the router
    writes both as the request names them, which anybody may, and knows nothing of a proxy's https."""
    if isinstance(request.routing_exception, RequestRedirect):
        meant = urlsplit(response.headers["Location"])
        here = urlunsplit(("", "", f"/{meant.path.lstrip('/')}", meant.query, ""))
        response.headers["Location"] = here
    return response


def asset(name: str) -> str:
    """A static file under an address that changes with its contents, so it can be kept for a year."""
    return url_for("static", filename=name, v=_version(name))


@lru_cache
def _version(name: str) -> str:
    return hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]


def other_language(code: str) -> str:
    """This page in another language."""
    return f"{quote(request.path)}?{urlencode({**request.args, 'lang': code})}"
