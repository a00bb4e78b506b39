"""The first page after signing in: the one site, or a choice of several."""

from flask import Blueprint, Response, g, make_response, redirect, render_template, url_for

from linkpay.web.owner import gate

bp = Blueprint("owner_home", __name__, url_prefix="/owner")


@bp.get("/")
@gate.person_page
def home() -> Response:
    """Straight on to the only site; a list of sites when there are more, or none."""
    person: gate.Person = g.person
    if len(person.sites) == 1:
        return make_response(redirect(url_for("owner_today.today", site=person.sites[0][0]), 303))
    return make_response(render_template("owner/sites.html", person=person))
