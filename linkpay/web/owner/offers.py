"""Offers at the desk: the list, one offer with its plans and links, making, changing, copying, archiving."""

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for

from linkpay.domain.roles import Right
from linkpay.errors import InputError
from linkpay.services import shelf
from linkpay.services.shelf import By
from linkpay.store import shelf as stock
from linkpay.store import sites
from linkpay.store.db import Tx
from linkpay.store.tables import Offer
from linkpay.web import prices
from linkpay.web.addresses import row_number
from linkpay.web.edge import parts
from linkpay.web.forms import tidy
from linkpay.web.i18n import gettext as _
from linkpay.web.owner import gate, links, offer_form
from linkpay.web.owner.typed import Sheet

bp = Blueprint("owner_offers", __name__, url_prefix="/owner")


@bp.get("/<slug:site>/offers")
@gate.site_page(Right.SEE)
def offers(site: str) -> Response:
    """Everything that is sold, and what was."""
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        found = stock.offers(tx, at.site.id)
        plans = stock.plans(tx, at.site.id)
        page = render_template(
            "owner/offers.html", desk=at, offers=found, prices=prices, running=stock.running(tx, at.site.id),
            plans={offer.id: [plan for plan in plans if plan.offer_id == offer.id] for offer in found},
        )  # fmt: skip
    return make_response(page)


@bp.get("/<slug:site>/offers/new")
@gate.site_page(Right.MANAGE)
def new(site: str) -> Response:
    """The empty form."""
    return _form(Sheet({}))


@bp.post("/<slug:site>/offers/new")
@gate.site_page(Right.MANAGE)
def make(site: str) -> Response:
    """Make it; the next page asks how it is paid."""
    at: gate.Desk = g.desk
    sheet = Sheet(request.form)
    wanted = offer_form.read(sheet, parts().access)
    if sheet.problems:
        return _form(sheet)
    try:
        with parts().database.write() as tx:
            slug = shelf.free_offer_slug(tx, at.site.id, sheet.value("slug") or wanted.title)
            facts = wanted.named(slug)
            offer = shelf.make_offer(tx, sites.get(tx, at.site.id), facts, parts().box, by())
            number = offer.id
    except InputError as refused:
        return _form(offer_form.refused(sheet, refused))
    return see("owner_plans.new", number=number)


@bp.get("/<slug:site>/offers/<int:number>")
@gate.site_page(Right.SEE)
def offer(site: str, number: int) -> Response:
    """One offer: its plans, what is sold beside it, and how people get to it."""
    return _show(number)


@bp.get("/<slug:site>/offers/<int:number>/edit")
@gate.site_page(Right.MANAGE)
def edit(site: str, number: int) -> Response:
    """The form as the offer stands; addresses are secrets and are not shown again."""
    with parts().database.read() as tx:
        found = _find(tx, number)
        return _form(offer_form.filled(found), found)


@bp.post("/<slug:site>/offers/<int:number>/edit")
@gate.site_page(Right.MANAGE)
def change(site: str, number: int) -> Response:
    """Keep what was typed; addresses that were left empty stay as they are."""
    at: gate.Desk = g.desk
    sheet = Sheet(request.form)
    with parts().database.read() as tx:
        found = _find(tx, number)
        had = (
            sites.kajabi_url(found, parts().box, grant=True),
            sites.kajabi_url(found, parts().box, grant=False),
        )
    wanted = offer_form.read(sheet, parts().access, had)
    if sheet.problems:
        return _form(sheet, found)
    try:
        with parts().database.write() as tx:
            row = shelf.offer_of(tx, at.site.id, number)
            shelf.change_offer(tx, row, wanted.named(row.slug), parts().box, by())
    except InputError as refused:
        return _form(offer_form.refused(sheet, refused), found)
    return see("owner_offers.offer", number=number)


@bp.post("/<slug:site>/offers/<int:number>/archive")
@gate.site_page(Right.MANAGE)
def archive(site: str, number: int) -> Response:
    """Sell it no more."""
    with parts().database.write() as tx:
        shelf.archive_offer(tx, _find(tx, number), by())
    return see("owner_offers.offer", number=number)


@bp.post("/<slug:site>/offers/<int:number>/restore")
@gate.site_page(Right.MANAGE)
def restore(site: str, number: int) -> Response:
    """Sell it."""
    try:
        with parts().database.write() as tx:
            shelf.restore_offer(tx, _find(tx, number), by())
    except InputError:
        return _show(number, _("Fill in both Kajabi addresses first; they open and close the access."))
    return see("owner_offers.offer", number=number)


@bp.post("/<slug:site>/offers/<int:number>/copy")
@gate.site_page(Right.MANAGE)
def copy(site: str, number: int) -> Response:
    """The same plans under another title; it asks for Kajabi addresses of its own."""
    with parts().database.write() as tx:
        found = _find(tx, number)
        title = _("%(title)s (copy)", title=found.title)[:120]
        made = shelf.copy_offer(tx, found, title, by()).id
    return see("owner_offers.edit", number=made)


@bp.get("/<slug:site>/offers/<int:number>/qr.svg")
@gate.site_page(Right.SEE)
def qr(site: str, number: int) -> Response:
    """The checkout's address as a picture to download and print."""
    with parts().database.read() as tx:
        address = links.of(_find(tx, number), request.args).address
    response = Response(links.picture(address), mimetype="image/svg+xml")
    response.headers["Content-Disposition"] = 'attachment; filename="qr.svg"'
    return response


@bp.post("/<slug:site>/offers/<int:number>/bumps")
@gate.site_page(Right.MANAGE)
def add_bump(site: str, number: int) -> Response:
    """Offer something small beside it."""
    at: gate.Desk = g.desk
    plan_id = request.form.get("plan", type=row_number) or 0
    title, text = tidy(request.form.get("title", ""))[:120], tidy(request.form.get("text", ""))[:500]
    try:
        with parts().database.write() as tx:
            plan = shelf.plan_of(tx, at.site.id, plan_id)
            shelf.put_bump(tx, _find(tx, number), plan, title or plan.title, text, by())
    except InputError as refused:
        said = {
            "too_many_bumps": _("At most three things are sold beside an offer. Take one away first."),
            "plan_unknown": _("Choose what is sold beside it."),
        }
        return _show(number, said.get(refused.code, _("What is sold beside an offer is paid once.")))
    return see("owner_offers.offer", number=number)


@bp.post("/<slug:site>/offers/<int:number>/bumps/<int:bump>/drop")
@gate.site_page(Right.MANAGE)
def drop_bump(site: str, number: int, bump: int) -> Response:
    """Offer it beside no more."""
    with parts().database.write() as tx:
        shelf.drop_bump(tx, _find(tx, number), bump, by())
    return see("owner_offers.offer", number=number)


def by() -> By:
    """Who does what is being done, for the journal."""
    at: gate.Desk = g.desk
    return By(at.actor, parts().clock.now())


def see(endpoint: str, **values: object) -> Response:
    """The next page by GET."""
    at: gate.Desk = g.desk
    return make_response(redirect(url_for(endpoint, site=at.site.slug, **values), 303))  # type: ignore[arg-type]  # plain values


def _find(tx: Tx, number: int) -> Offer:
    at: gate.Desk = g.desk
    return shelf.offer_of(tx, at.site.id, number)


def _form(sheet: Sheet, offer: Offer | None = None) -> Response:
    at: gate.Desk = g.desk
    page = render_template(
        "owner/offer_form.html", desk=at, sheet=sheet, offer=offer, masked=offer_form.masked(offer)
    )
    return make_response(page, 422 if sheet.problems else 200)


def _show(number: int, notice: str | None = None) -> Response:
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        found = _find(tx, number)
        plans = [plan for plan in stock.plans(tx, at.site.id) if plan.offer_id == found.id]
        beside = [plan for plan in stock.plans(tx, at.site.id) if shelf.fits_as_bump(plan, found)]
        page = render_template(
            "owner/offer.html", desk=at, offer=found, plans=plans, prices=prices, notice=notice,
            running=stock.running(tx, at.site.id), bumps=sites.bumps(tx, found),
            masked=offer_form.masked(found), link=links.of(found, request.args),
            beside=[plan for plan in beside if plan.archived_at is None],
        )  # fmt: skip
    return make_response(page, 409 if notice else 200)
