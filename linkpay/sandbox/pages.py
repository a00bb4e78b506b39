"""Pages for people: one template folder, always escaped."""

from pathlib import Path

import jinja2

from linkpay.sandbox.web import Response

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(name: str, status: int = 200, **values: object) -> Response:
    """The template `name` as an answer that no browser keeps."""
    text = _TEMPLATES.get_template(name).render(**values)
    return Response(status, text.encode(), headers={"Cache-Control": "no-store", "X-Robots-Tag": "noindex"})


def redirect(location: str) -> Response:
    """Sends the browser on with GET."""
    return Response(303, headers={"Location": location, "Cache-Control": "no-store"})
