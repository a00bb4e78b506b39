"""The books of a site: LinkPay's ledger beside Mollie's list, as it was last compared."""

from flask import Blueprint, Response, g, make_response, render_template

from linkpay.domain.roles import Right
from linkpay.store import books
from linkpay.web.edge import parts
from linkpay.web.owner import gate

bp = Blueprint("owner_books", __name__, url_prefix="/owner")
_SHOWN = 30


@bp.get("/<slug:site>/books")
@gate.site_page(Right.SEE)
def show(site: str) -> Response:
    """The last comparison whole, and those before it in a line each."""
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        checks = books.newest(tx, at.site.id, _SHOWN)
    return make_response(render_template("owner/books.html", desk=at, checks=checks))
