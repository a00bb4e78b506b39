"""One member whole."""

import json
from dataclasses import replace

from flask import Blueprint, Response, g, make_response, render_template, request

from linkpay.domain.roles import Right
from linkpay.errors import NotFound
from linkpay.services import forecast_words, forgetting, member_page, timeline_words
from linkpay.store import desk, sites
from linkpay.web.edge import parts
from linkpay.web.i18n import locale
from linkpay.web.owner import acts, gate
from linkpay.web.owner.acting import Case

bp = Blueprint("owner_members", __name__, url_prefix="/owner")


@bp.get("/<slug:site>/members/<int:number>")
@gate.site_page(Right.SEE)
def member(site: str, number: int) -> Response:
    """One member whole: what comes, what can be done, payments, access, mails and all that happened."""
    at: gate.Desk = g.desk
    now = parts().clock.now()
    with parts().database.read() as tx:
        found = member_page.whole(tx, at.site.id, number, now)
        case = Case(tx, at, found.row, now, {})
        by_charge = {
            one.charge.id: acts.offered(replace(case, charge=one.charge), "charge") for one in found.collected
        }
        page = render_template(
            "owner/member.html", desk=at, row=found.row, whole=found, acts=acts.offered(case, "subscription"),
            acts_for_person=acts.offered(case, "person"), acts_by_charge=by_charge, told=timeline_words,
            coming=forecast_words.lines(found.forecast, locale()),
            remark=forecast_words.remark(found.forecast, locale()),
            notice=acts.notice_of(request.args.get("done")),
        )  # fmt: skip
    return make_response(page)


@bp.get("/<slug:site>/members/<int:number>/mails/<int:mail>")
@gate.site_page(Right.SEE)
def mail(site: str, number: int, mail: int) -> Response:
    """A mail as its reader saw it."""
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        found = member_page.mail(tx, at.site.id, number, mail)
    return make_response(render_template("owner/mail.html", desk=at, number=number, mail=found))


@bp.get("/<slug:site>/members/<int:number>/data.json")
@gate.site_page(Right.HELP)
def data(site: str, number: int) -> Response:
    """Everything that the site holds on who pays, to hand to her when she asks."""
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        row = desk.one_member(tx, at.site.id, number)
        if row is None:
            raise NotFound("member_unknown", "There is no such member.")
        held = forgetting.data_of(tx, sites.get(tx, at.site.id), row.customer.email, parts().clock.now())
    answer = make_response(json.dumps(held, ensure_ascii=False, indent=2))
    answer.headers["Content-Type"] = "application/json; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="{at.site.slug}-{number}.json"'
    return answer
