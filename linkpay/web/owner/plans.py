"""Plans at the desk: ways to pay for an offer, made, changed, copied and archived."""

from collections.abc import Callable

from flask import Blueprint, Response, g, make_response, render_template, request

from linkpay.domain.roles import Right
from linkpay.errors import Conflict
from linkpay.services import shelf
from linkpay.services.shelf import By
from linkpay.store import shelf as stock
from linkpay.store.db import Tx
from linkpay.store.tables import Offer, Plan
from linkpay.web.edge import parts
from linkpay.web.i18n import gettext as _
from linkpay.web.owner import gate, plan_form
from linkpay.web.owner.offers import by, see
from linkpay.web.owner.typed import Sheet

bp = Blueprint("owner_plans", __name__, url_prefix="/owner")


@bp.get("/<slug:site>/offers/<int:number>/plans/new")
@gate.site_page(Right.MANAGE)
def new(site: str, number: int) -> Response:
    """The empty form."""
    with parts().database.read() as tx:
        return _form(plan_form.blank(), _offer(tx, number))


@bp.post("/<slug:site>/offers/<int:number>/plans/new")
@gate.site_page(Right.MANAGE)
def make(site: str, number: int) -> Response:
    """One more way to pay for this offer."""
    at: gate.Desk = g.desk
    sheet = Sheet(request.form)
    with parts().database.write() as tx:
        offer = _offer(tx, number)
        spec = plan_form.read(sheet, shelf.free_plan_slug(tx, at.site.id, sheet.value("title")))
        if spec is None:
            return _form(sheet, offer)
        shelf.make_plan(tx, offer, spec, by())
    return see("owner_offers.offer", number=number)


@bp.get("/<slug:site>/plans/<int:number>")
@gate.site_page(Right.MANAGE)
def edit(site: str, number: int) -> Response:
    """The form as the plan stands."""
    with parts().database.read() as tx:
        plan = _plan(tx, number)
        return _form(plan_form.filled(plan), plan.offer, plan, stock.running(tx, plan.site_id))


@bp.post("/<slug:site>/plans/<int:number>")
@gate.site_page(Right.MANAGE)
def change(site: str, number: int) -> Response:
    """Other terms for who orders from now on."""
    sheet = Sheet(request.form)
    with parts().database.write() as tx:
        plan = _plan(tx, number)
        offer, spec = plan.offer, plan_form.read(sheet, plan.slug)
        if spec is None:
            return _form(sheet, offer, plan, stock.running(tx, plan.site_id))
        try:
            shelf.change_plan(tx, plan, spec, by())
        except Conflict:
            sheet.wrong("kind", _("This plan is sold beside an offer, so it stays one that is paid once."))
            return _form(sheet, offer, plan, stock.running(tx, plan.site_id))
    return see("owner_offers.offer", number=offer.id)


@bp.post("/<slug:site>/plans/<int:number>/copy")
@gate.site_page(Right.MANAGE)
def copy(site: str, number: int) -> Response:
    """The same terms once more, to be changed before they are for sale."""
    with parts().database.write() as tx:
        plan = _plan(tx, number)
        title = _("%(title)s (copy)", title=plan.title)[:120]
        made = shelf.copy_plan(tx, plan, title, by()).id
    return see("owner_plans.edit", number=made)


@bp.post("/<slug:site>/plans/<int:number>/archive")
@gate.site_page(Right.MANAGE)
def archive(site: str, number: int) -> Response:
    """Nobody can choose it any more."""
    return _done(number, shelf.archive_plan)


@bp.post("/<slug:site>/plans/<int:number>/restore")
@gate.site_page(Right.MANAGE)
def restore(site: str, number: int) -> Response:
    """Let it be chosen."""
    return _done(number, shelf.restore_plan)


def _done(number: int, act: Callable[[Tx, Plan, By], None]) -> Response:
    with parts().database.write() as tx:
        plan = _plan(tx, number)
        act(tx, plan, by())
    return see("owner_offers.offer", number=plan.offer_id)


def _offer(tx: Tx, number: int) -> Offer:
    at: gate.Desk = g.desk
    return shelf.offer_of(tx, at.site.id, number)


def _plan(tx: Tx, number: int) -> Plan:
    at: gate.Desk = g.desk
    return shelf.plan_of(tx, at.site.id, number)


def _form(
    sheet: Sheet, offer: Offer, plan: Plan | None = None, running: dict[int, int] | None = None
) -> Response:
    at: gate.Desk = g.desk
    page = render_template(
        "owner/plan_form.html", desk=at, sheet=sheet, offer=offer, plan=plan,
        running=(running or {}).get(plan.id, 0) if plan else 0,
    )  # fmt: skip
    return make_response(page, 422 if sheet.problems else 200)
