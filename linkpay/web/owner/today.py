"""How a site stands today."""

from flask import Blueprint, Response, g, make_response, render_template

from linkpay.domain.roles import Right
from linkpay.services import desk
from linkpay.web.edge import parts
from linkpay.web.owner import gate

bp = Blueprint("owner_today", __name__, url_prefix="/owner")


@bp.get("/<slug:site>/")
@gate.site_page(Right.SEE)
def today(site: str) -> Response:
    """Money in, debits that run or bounced, what needs a person, and whether access is in step."""
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        shown = desk.today(tx, at.site.id, at.site.zone, parts().clock.now())
    return make_response(render_template("owner/today.html", desk=at, today=shown))
