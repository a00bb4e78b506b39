"""Addresses: what may stand in them, and how templates make them."""

import hashlib
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlencode

from flask import Flask, request, url_for
from werkzeug.routing import BaseConverter

_STATIC = Path(__file__).parent / "static"


class Slug(BaseConverter):
    """A public name. Anything else is no address of ours and never reaches the database."""

    regex = r"[a-z0-9][a-z0-9_-]{0,59}"


class Token(BaseConverter):
    """The secret part of an address, as `secrets.token_urlsafe` makes it."""

    regex = r"[A-Za-z0-9_-]{16,64}"


def install(app: Flask) -> None:
    """Make the converters and the address helpers known."""
    app.url_map.converters.update(slug=Slug, token=Token)
    app.jinja_env.globals.update(asset=asset, other_language=other_language)


def asset(name: str) -> str:
    """A static file under an address that changes with its contents, so it can be kept for a year."""
    return url_for("static", filename=name, v=_version(name))


@lru_cache
def _version(name: str) -> str:
    return hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]


def other_language(code: str) -> str:
    """This page in another language."""
    return f"{request.path}?{urlencode({**request.args, 'lang': code})}"
