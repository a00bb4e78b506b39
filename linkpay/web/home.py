"""The bare address: tells a lost visitor where to go, and nobody else anything."""

from flask import Blueprint, Response, make_response, render_template

from linkpay.web.i18n import gettext as _

bp = Blueprint("home", __name__)


@bp.get("/")
def home() -> Response:
    """A small neutral page."""
    lines = (
        _("Here you pay for courses and memberships. Every seller has an address of its own."),
        _("Are you looking for your order? Use the link in your e-mail."),
    )
    return make_response(render_template("message.html", title=_("Welcome"), lines=lines, sign="wallet"))
