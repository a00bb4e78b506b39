"""The list of members, and one member whole."""

from flask import Blueprint, Response, g, make_response, render_template, request

from linkpay.domain.roles import Right
from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import NotFound
from linkpay.services import forecast, forecast_words
from linkpay.store import charges, desk
from linkpay.web.edge import parts
from linkpay.web.forms import tidy
from linkpay.web.i18n import locale
from linkpay.web.owner import gate

bp = Blueprint("owner_members", __name__, url_prefix="/owner")
_PAGE = 50


@bp.get("/<slug:site>/members")
@gate.site_page(Right.SEE)
def members(site: str) -> Response:
    """Who has what, newest first, found by a part of a name or address, or by a payment."""
    at: gate.Desk = g.desk
    search, state = tidy(request.args.get("q", ""))[:100], _state(request.args.get("state"))
    before = request.args.get("before", type=int)
    with parts().database.read() as tx:
        rows = desk.members(tx, at.site.id, search=search, state=state, before=before, limit=_PAGE + 1)
        more = rows[_PAGE - 1].subscription.id if len(rows) > _PAGE else None
        page = render_template(
            "owner/members.html", desk=at, rows=rows[:_PAGE], search=search, state=state,
            states=list(SubscriptionState), more=more,
        )  # fmt: skip
    return make_response(page)


def _state(text: str | None) -> SubscriptionState | None:
    return SubscriptionState(text) if text in set(SubscriptionState) else None


@bp.get("/<slug:site>/members/<int:number>")
@gate.site_page(Right.SEE)
def member(site: str, number: int) -> Response:
    """One subscription with its payments, its access and all that happened."""
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        row = desk.one_member(tx, at.site.id, number)
        if row is None:
            raise NotFound("member_unknown", "There is no such member.")
        known = forecast.of(tx, row.subscription, parts().clock.now())
        page = render_template(
            "owner/member.html", desk=at, row=row, charges=charges.of_subscription(tx, number),
            coming=forecast_words.lines(known, locale()), remark=forecast_words.remark(known, locale()),
        )  # fmt: skip
    return make_response(page)
