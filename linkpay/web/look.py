"""How a site looks: its colour as a stylesheet, and its logo. Pages allow no style within themselves."""

from flask import Blueprint, Response, request

from linkpay.domain.colour import Accent, Shades, accent
from linkpay.errors import NotFound
from linkpay.store import branding, sites
from linkpay.web.edge import parts

bp = Blueprint("look", __name__)
_YEAR = "public, max-age=31536000, immutable"
_SHADES = ("accent", "strong", "ink", "soft")


@bp.get("/<slug:site>/look.css")
def stylesheet(site: str) -> Response:
    """The site's colour in both looks. Its address changes with the colour."""
    with parts().database.read() as tx:
        found = sites.by_slug(tx, site)
    if found is None or found.accent is None:
        raise NotFound("look_unknown", "This site has no colour of its own.")
    return _kept(Response(css(accent(found.accent)), mimetype="text/css"))


@bp.get("/<slug:site>/logo")
def logo(site: str) -> Response:
    """The site's picture. Its address changes with the picture."""
    with parts().database.read() as tx:
        found = sites.by_slug(tx, site)
        picture = branding.logo(tx, found.id) if found else None
    if picture is None:
        raise NotFound("logo_unknown", "This site has no logo.")
    response = Response(picture.content, mimetype=picture.media_type)
    # Whatever is in the file, a browser does nothing with it but show it.
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return _kept(response)


def css(colours: Accent) -> str:
    """The stylesheet's own names for the accent, with the site's values."""
    return (
        f":root {{ {_values(colours.light)} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {_values(colours.dark)} }} }}\n"
    )


def _values(shades: Shades) -> str:
    names = ("--accent", "--accent-strong", "--accent-ink", "--accent-soft")
    values = [getattr(shades, name) for name in _SHADES]
    return " ".join(f"{name}: {value};" for name, value in zip(names, values, strict=True))


def _kept(response: Response) -> Response:
    """For a year under an address that names its version; else asked for anew."""
    response.headers["Cache-Control"] = _YEAR if request.args.get("v") else "no-cache"
    return response
