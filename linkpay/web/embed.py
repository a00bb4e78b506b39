"""The script that puts a checkout into a seller's own page."""

from pathlib import Path

from flask import Blueprint, Response

bp = Blueprint("embed", __name__)
_SCRIPT = (Path(__file__).parent / "static" / "embed.js").read_bytes()


@bp.get("/embed.js")
def script() -> Response:
    """The same for every site; its address never changes, so it is kept for an hour only."""
    response = Response(_SCRIPT, mimetype="text/javascript")
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
