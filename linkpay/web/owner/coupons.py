"""Coupons at the desk: codes, what they take off, and how often they were used."""

from collections.abc import Callable
from decimal import Decimal

from flask import Blueprint, Response, g, make_response, render_template, request

from linkpay.domain.coupon import Discount, DiscountKind, Duration
from linkpay.domain.roles import Right
from linkpay.errors import Conflict
from linkpay.services import codes, shelf
from linkpay.services.shelf import By
from linkpay.services.specs import CouponSpec
from linkpay.store import shelf as stock
from linkpay.store import sites
from linkpay.store.db import Tx
from linkpay.store.tables import Coupon
from linkpay.web import prices
from linkpay.web.edge import parts
from linkpay.web.i18n import gettext as _
from linkpay.web.owner import gate
from linkpay.web.owner.offers import by, see
from linkpay.web.owner.typed import Sheet, euros

bp = Blueprint("owner_coupons", __name__, url_prefix="/owner")
_MOST_USES = 1_000_000
_MOST_PERIODS = 120


@bp.get("/<slug:site>/coupons")
@gate.site_page(Right.SEE)
def coupons(site: str) -> Response:
    """Every code with what it gives."""
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        found = stock.coupons(tx, at.site.id)
        page = render_template(
            "owner/coupons.html", desk=at,
            rows=[(coupon, prices.discount(_discount(coupon)), used) for coupon, used in found],
        )  # fmt: skip
    return make_response(page)


@bp.get("/<slug:site>/coupons/new")
@gate.site_page(Right.MANAGE)
def new(site: str) -> Response:
    """The empty form."""
    return _form(Sheet({"kind": "percent", "duration": "once"}))


@bp.post("/<slug:site>/coupons/new")
@gate.site_page(Right.MANAGE)
def make(site: str) -> Response:
    """A new code."""
    at: gate.Desk = g.desk
    sheet = Sheet(request.form)
    spec = _read(sheet, sheet.value("code"))
    if spec is None:
        return _form(sheet)
    try:
        with parts().database.write() as tx:
            codes.make(tx, sites.get(tx, at.site.id), spec, by())
    except Conflict:
        sheet.wrong("code", _("There is a coupon with this code already."))
        return _form(sheet)
    return see("owner_coupons.coupons")


@bp.get("/<slug:site>/coupons/<int:number>")
@gate.site_page(Right.MANAGE)
def edit(site: str, number: int) -> Response:
    """The form as the coupon stands."""
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        coupon = shelf.coupon_of(tx, at.site.id, number)
        return _form(_filled(coupon), coupon)


@bp.post("/<slug:site>/coupons/<int:number>")
@gate.site_page(Right.MANAGE)
def change(site: str, number: int) -> Response:
    """Something else for who uses it from now on."""
    at: gate.Desk = g.desk
    sheet = Sheet(request.form)
    with parts().database.read() as tx:
        coupon = shelf.coupon_of(tx, at.site.id, number)
    spec = _read(sheet, coupon.code)
    if spec is None:
        return _form(sheet, coupon)
    return _done(number, lambda tx, coupon, by: codes.change(tx, coupon, spec, by))


@bp.post("/<slug:site>/coupons/<int:number>/archive")
@gate.site_page(Right.MANAGE)
def archive(site: str, number: int) -> Response:
    """Nobody can use it any more."""
    return _done(number, codes.archive)


@bp.post("/<slug:site>/coupons/<int:number>/restore")
@gate.site_page(Right.MANAGE)
def restore(site: str, number: int) -> Response:
    """Let it be used."""
    return _done(number, codes.restore)


def _done(number: int, act: Callable[[Tx, Coupon, By], None]) -> Response:
    at: gate.Desk = g.desk
    with parts().database.write() as tx:
        act(tx, shelf.coupon_of(tx, at.site.id, number), by())
    return see("owner_coupons.coupons")


def _filled(coupon: Coupon) -> Sheet:
    amount = coupon.kind == DiscountKind.AMOUNT
    return Sheet(
        {
            "kind": coupon.kind,
            "percent": "" if amount else f"{Decimal(coupon.value) / 100:f}".removesuffix(".00"),
            "amount": euros(coupon.value) if amount else "",
            "duration": coupon.duration,
            "periods": str(coupon.periods or ""),
            "max_uses": str(coupon.max_uses or ""),
            "starts_on": coupon.starts_on.isoformat() if coupon.starts_on else "",
            "ends_on": coupon.ends_on.isoformat() if coupon.ends_on else "",
            **{f"plan-{slug}": "yes" for slug in coupon.plan_slugs},
        }
    )


def _read(sheet: Sheet, code: str) -> CouponSpec | None:
    """The coupon that was typed; None when the sheet has problems now."""
    by_percent = sheet.one_of("kind", [kind.value for kind in DiscountKind]) == DiscountKind.PERCENT
    duration = Duration(sheet.one_of("duration", [each.value for each in Duration]))
    some = duration is Duration.PERIODS
    share = sheet.share("percent") if by_percent else 0
    if by_percent and not share and not sheet.problem("percent"):
        sheet.wrong("percent", _("Fill in a percentage from 0 to 100."))
    starts_on, ends_on = sheet.day("starts_on"), sheet.day("ends_on")
    values = {
        "code": code,
        "percent": Decimal(share) / 100 if by_percent else None,
        "amount_cents": None if by_percent else sheet.cents("amount", least=1),
        "duration": duration,
        "periods": sheet.whole("periods", 1, _MOST_PERIODS) if some else None,
        "max_uses": sheet.whole("max_uses", 1, _MOST_USES, empty=0) or None,
        "starts_on": starts_on,
        "ends_on": ends_on,
        "plans": [plan for plan in _plan_slugs() if sheet.has(f"plan-{plan}")],
    }
    if starts_on and ends_on and ends_on < starts_on:
        sheet.wrong("ends_on", _("The last day comes before the first."))
    if not _is_code(code):
        sheet.wrong("code", _("A code has 2 to 40 letters, digits, - or _."))
    return None if sheet.problems else CouponSpec.model_validate(values)


def _is_code(code: str) -> bool:
    return 2 <= len(code) <= 40 and code[:1].isalnum() and code.isascii() and not set(code) - _SIGNS


_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


def _plan_slugs() -> list[str]:
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        return sorted(stock.plan_slugs(tx, at.site.id))


def _discount(coupon: Coupon) -> Discount:
    return Discount(DiscountKind(coupon.kind), coupon.value, Duration(coupon.duration), coupon.periods)


def _form(sheet: Sheet, coupon: Coupon | None = None) -> Response:
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        titles = {offer.id: offer.title for offer in stock.offers(tx, at.site.id)}
        kept = set(coupon.plan_slugs) if coupon else set()
        choices = [
            (plan.slug, f"{titles[plan.offer_id]}: {plan.title}")
            for plan in stock.plans(tx, at.site.id)
            if plan.archived_at is None or plan.slug in kept
        ]
    page = render_template("owner/coupon_form.html", desk=at, sheet=sheet, coupon=coupon, plans=choices)
    return make_response(page, 422 if sheet.problems else 200)
