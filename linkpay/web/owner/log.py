"""The log: every message that came in, as it came, and what became of it."""

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for

from linkpay.domain.roles import Right
from linkpay.errors import Conflict, NotFound
from linkpay.redaction import clean
from linkpay.services import replay
from linkpay.store import desk
from linkpay.store.tables import Inbox
from linkpay.web.addresses import row_number
from linkpay.web.edge import parts
from linkpay.web.i18n import gettext as _
from linkpay.web.owner import gate

bp = Blueprint("owner_log", __name__, url_prefix="/owner")
_PAGE = 50
_SOURCES = ("mollie", "kajabi")


@bp.get("/<slug:site>/log")
@gate.site_page(Right.SEE)
def messages(site: str) -> Response:
    """Newest first; those that wait for a person alone when asked."""
    at: gate.Desk = g.desk
    source = request.args.get("source")
    source = source if source in _SOURCES else None
    parked, before = request.args.get("parked") == "yes", request.args.get("before", type=row_number)
    with parts().database.read() as tx:
        rows = desk.messages(tx, at.site.id, source=source, parked=parked, before=before, limit=_PAGE + 1)
    page = render_template(
        "owner/log.html", desk=at, rows=rows[:_PAGE], source=source, parked=parked, sources=_SOURCES,
        more=rows[_PAGE - 1].id if len(rows) > _PAGE else None,
    )  # fmt: skip
    return make_response(page)


@bp.get("/<slug:site>/log/<int:number>")
@gate.site_page(Right.SEE)
def message(site: str, number: int) -> Response:
    """One message whole."""
    return _show(_find(number))


@bp.post("/<slug:site>/log/<int:number>/replay")
@gate.site_page(Right.HELP)
def again(site: str, number: int) -> Response:
    """Handle it once more: harmless, since handling looks at the present state and books the difference."""
    found = _find(number)
    try:
        with parts().database.write() as tx:
            replay.message(tx, found.id, parts().clock.now())
    except Conflict:
        return _show(found, _("Somebody is handling this message right now; look again in a minute."), 409)
    return make_response(redirect(url_for("owner_log.message", site=site, number=number), 303))


def _find(number: int) -> Inbox:
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        found = desk.message(tx, at.site.id, number)
    if found is None:
        raise NotFound("message_unknown", "There is no such message.")
    return found


def _show(found: Inbox, notice: str | None = None, status: int = 200) -> Response:
    at: gate.Desk = g.desk
    body = clean(found.body.decode("utf-8", "replace"))
    page = render_template("owner/message.html", desk=at, row=found, body=body, notice=notice)
    return make_response(page, status)
