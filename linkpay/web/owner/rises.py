"""Another price for who runs already on a plan: seen first, told to each in the background, taken back."""

import uuid
from collections import Counter

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for

from linkpay.domain.plan import PlanKind
from linkpay.domain.roles import Right
from linkpay.errors import Conflict, InputError
from linkpay.services import bulk, price_changes, shelf
from linkpay.services.bulk import Order
from linkpay.services.price_changes import Affected
from linkpay.store import price_changes as store
from linkpay.store import selection, sites
from linkpay.store.db import Tx
from linkpay.store.tables import Plan
from linkpay.web.edge import parts
from linkpay.web.i18n import gettext as _
from linkpay.web.owner import gate
from linkpay.web.owner.refusals import refusal_words
from linkpay.web.owner.typed import Sheet
from linkpay.web.wording import fingerprint

bp = Blueprint("owner_rises", __name__, url_prefix="/owner")
#: So many of the newest members are looked at before it is begun, and shown.
_TRIED = 100


@bp.get("/<slug:site>/prices")
@gate.site_page(Right.SEE)
def decided(site: str) -> Response:
    """Every new price that was decided, and how far it is."""
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        found = store.decisions(tx, at.site.id)
    return make_response(render_template("owner/prices.html", desk=at, decisions=found))


@bp.post("/<slug:site>/prices/<uuid:batch>/withdraw")
@gate.site_page(Right.MANAGE)
def withdraw(site: str, batch: uuid.UUID) -> Response:
    """Take it back for everybody who was not charged it yet."""
    at: gate.Desk = g.desk
    with parts().database.write() as tx:
        if not price_changes.undecided(tx, at.site.id, str(batch)):
            return make_response(redirect(url_for("owner_rises.decided", site=site), 303))
        of, order = store.undecided(at.site.id, str(batch)), Order("price_back", batch=str(batch))
        run = bulk.begin(tx, of, order, at.actor, parts().clock.now()).id
    return make_response(redirect(url_for("owner_bulk.run", site=site, number=run), 303))


@bp.get("/<slug:site>/plans/<int:number>/price")
@gate.site_page(Right.MANAGE)
def ask(site: str, number: int) -> Response:
    """What would it be?"""
    with parts().database.read() as tx:
        return _page(tx, _plan(tx, number), Sheet({}))


@bp.post("/<slug:site>/plans/<int:number>/price")
@gate.site_page(Right.MANAGE)
def press(site: str, number: int) -> Response:
    """What would come of it; when that was seen, begin to tell them."""
    at: gate.Desk = g.desk
    sheet = Sheet(request.form)
    cents = sheet.cents("amount", least=1)
    with parts().database.read() as tx:
        plan = _plan(tx, number)
        if sheet.problems:
            return _page(tx, plan, sheet)
        shown = _tried(tx, plan, cents)
        if request.form.get("step") != "do":
            return _page(tx, plan, sheet, shown)
        if _seen(shown) != request.form.get("seen", ""):
            return _page(tx, plan, sheet, shown, status=409)
    try:
        with parts().database.write() as tx:
            order = Order("price", cents=cents, batch=str(uuid.uuid4()))
            of = store.running(at.site.id, plan.id)
            run = bulk.begin(tx, of, order, at.actor, parts().clock.now(), kept={"plan": plan.id}).id
    except InputError as problem:
        sheet.wrong("amount", refusal_words(problem))
        with parts().database.read() as tx:
            return _page(tx, plan, sheet)
    return make_response(redirect(url_for("owner_bulk.run", site=site, number=run), 303))


def _plan(tx: Tx, number: int) -> Plan:
    at: gate.Desk = g.desk
    plan = shelf.plan_of(tx, at.site.id, number)
    if plan.kind is not PlanKind.MEMBERSHIP:
        raise Conflict("not_a_membership", "Only a membership can get another price.")
    return plan


def _tried(tx: Tx, plan: Plan, cents: int) -> list[Affected]:
    site = sites.get(tx, plan.site_id)
    numbers = selection.numbers(tx, store.running(plan.site_id, plan.id), limit=_TRIED)
    return list(price_changes.preview(tx, site, numbers, cents, parts().clock.now()))


def _seen(shown: list[Affected]) -> str:
    return fingerprint(tuple(f"{one.subscription_id} {one.new_cents} {one.first_on}" for one in shown))


def _page(
    tx: Tx, plan: Plan, sheet: Sheet, shown: list[Affected] | None = None, *, status: int = 200
) -> Response:  # fmt: skip
    at: gate.Desk = g.desk
    site = sites.get(tx, plan.site_id)
    stay = Counter(one.left_out.value for one in shown or () if one.left_out is not None)
    page = render_template(
        "owner/price.html", desk=at, plan=plan, offer=plan.offer, sheet=sheet, shown=shown,
        seen=_seen(shown) if shown else "", told=[one for one in shown or () if one.left_out is None],
        stay={_why(code): number for code, number in stay.items()}, why=_why,
        total=selection.count(tx, store.running(plan.site_id, plan.id)),
        days=sites.policy_of(site, plan.policy).price_notice_days,
        notice=_("Something changed while this page was open. Check it and press again.")
        if status == 409
        else None,
    )  # fmt: skip
    return make_response(page, 422 if sheet.problems else status)


def _why(code: str) -> str:
    return refusal_words(InputError(f"price_{code}", ""))
