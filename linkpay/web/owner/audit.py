"""Who did what: every change that people made, to the site and to its members."""

from flask import Blueprint, Response, g, make_response, render_template, request

from linkpay.domain.roles import Right
from linkpay.services import audit
from linkpay.store import owners
from linkpay.web.addresses import row_number
from linkpay.web.edge import parts
from linkpay.web.forms import tidy
from linkpay.web.i18n import locale
from linkpay.web.owner import gate

bp = Blueprint("owner_audit", __name__, url_prefix="/owner")
_PAGE = 50


@bp.get("/<slug:site>/audit")
@gate.site_page(Right.SEE)
def show(site: str) -> Response:
    """Newest first; of one person when asked."""
    at: gate.Desk = g.desk
    who, before = tidy(request.args.get("who", ""))[:254], request.args.get("before", type=row_number)
    with parts().database.read() as tx:
        rows = audit.read(tx, at.site.id, locale(), who=who or None, before=before, limit=_PAGE + 1)
        people = [owner.email for owner, _role in owners.of_site(tx, at.site.id)]
    page = render_template(
        "owner/audit.html", desk=at, rows=rows[:_PAGE], who=who, people=people,
        more=rows[_PAGE - 1].number if len(rows) > _PAGE else None,
    )  # fmt: skip
    return make_response(page)
