"""Programs that may read the site by /api/v1: their keys, made, shown once and taken back."""

from flask import Blueprint, Response, g, make_response, render_template, request

from linkpay.domain.roles import Right
from linkpay.errors import InputError
from linkpay.services import api_keys
from linkpay.store import api
from linkpay.web.edge import parts
from linkpay.web.i18n import gettext as _
from linkpay.web.owner import gate
from linkpay.web.owner.offers import see
from linkpay.web.owner.typed import Sheet

bp = Blueprint("owner_programs", __name__, url_prefix="/owner")


@bp.get("/<slug:site>/programs")
@gate.site_page(Right.MANAGE)
def show(site: str) -> Response:
    """Every key without the key itself, and a form for one more."""
    return _show(Sheet({}))


@bp.post("/<slug:site>/programs")
@gate.site_page(Right.MANAGE)
def make(site: str) -> Response:
    """A new key, on the only page that ever shows it."""
    at: gate.Desk = g.desk
    sheet, now = Sheet(request.form), parts().clock.now()
    may_write = sheet.has("may_write")
    try:
        with parts().database.write() as tx:
            _number, key = api_keys.make(
                tx, at.site.id, sheet.value("name"), at.actor, now, may_write=may_write
            )
    except InputError:
        sheet.wrong("name", _("Say in 1 to 60 characters whose key it is."))
        return _show(sheet)
    return _show(Sheet({}), key)


@bp.post("/<slug:site>/programs/<int:number>/revoke")
@gate.site_page(Right.MANAGE)
def revoke(site: str, number: int) -> Response:
    """The key opens nothing any more, from the next request on; pressed again, it stays so."""
    at: gate.Desk = g.desk
    with parts().database.write() as tx:
        if not any(one.id == number and one.revoked_at for one in api.keys(tx, at.site.id)):
            api_keys.revoke(tx, at.site.id, number, at.actor, parts().clock.now())
    return see("owner_programs.show")


def _show(sheet: Sheet, key: str | None = None) -> Response:
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        keys = api.keys(tx, at.site.id)
    page = render_template(
        "owner/programs.html", desk=at, sheet=sheet, key=key,
        living=[one for one in keys if one.revoked_at is None],
        revoked=[one for one in keys if one.revoked_at is not None],
    )  # fmt: skip
    return make_response(page, 422 if sheet.problems else 200)
