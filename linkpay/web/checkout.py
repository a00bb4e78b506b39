"""The order page of an offer: choose, fill in, agree, and go to the bank."""

from collections.abc import Mapping
from dataclasses import replace

from flask import Blueprint, Response, make_response, render_template, request

from linkpay.domain.calendar import local_day
from linkpay.errors import Conflict
from linkpay.services import ordering
from linkpay.services.formats import LOCALES
from linkpay.store import sites
from linkpay.store.tables import Plan
from linkpay.web import csrf, wording
from linkpay.web.bodies import require_form
from linkpay.web.edge import parts
from linkpay.web.forms import Checked, OrderForm, Problem, check, read_posted, read_prefill, tidy
from linkpay.web.headers import may_come_back
from linkpay.web.i18n import gettext as _
from linkpay.web.i18n import locale, switch_to
from linkpay.web.paying import Purchase, send_to_bank
from linkpay.web.shop import Choice, Shop, open_shop

bp = Blueprint("checkout", __name__)


@bp.get("/<slug:site>/buy/<slug:offer>")
def buy(site: str, offer: str) -> Response:
    """The empty or prefilled order form. A plan that does not exist is said so, not ignored."""
    shop = _open(site, offer)
    form = read_prefill(request.args)
    if shop.choice(form.plan) is None:
        problem = Problem("plan", _("The way of paying in this link does not exist (any more). Choose one."))
        return _show(shop, replace(form, plan="", problems=(problem,)), 422)
    return _show(shop, form)


@bp.post("/<slug:site>/buy/<slug:offer>")
def order(site: str, offer: str) -> Response:
    """The form as it was sent: corrected, refused with everything kept, or paid."""
    require_form()
    shop = _open(site, offer)
    form = read_posted(request.form)
    if request.form.get("switch") in LOCALES:
        return _show(shop, form)
    if request.form.get("meant"):
        return _show(shop, replace(form, email=tidy(request.form["meant"])[:254], kept=""))
    if not csrf.is_ours(_purpose(shop)):
        notice = _("For your safety we could not take this form as it came. Press the button once more.")
        return _show(shop, replace(form, notice=notice), 403)
    choice = shop.choice(form.plan)
    needs_consent = choice is not None and choice.terms.needs_mandate
    checked = check(form, plan_known=choice is not None, needs_consent=needs_consent)
    if isinstance(checked, OrderForm) or choice is None:
        return _show(shop, checked if isinstance(checked, OrderForm) else form, 422)
    consents = _consents(shop)
    if form.seen != _seen(shop, consents):
        notice = _(
            "The price or the conditions changed while this page was open. Check them and press again."
        )
        return _show(shop, replace(form, agrees=False, notice=notice), 422)
    return _take(shop, choice, checked, consents[choice.slug])


def _open(site: str, offer: str) -> Shop:
    with parts().database.read() as tx:
        shop = open_shop(tx, site, offer)
    if request.method == "POST" and request.form.get("switch") in LOCALES:
        switch_to(request.form["switch"])
    return shop


def _take(shop: Shop, choice: Choice, checked: Checked, consent: wording.Consent | None) -> Response:
    """Sign the buyer up and send her to the bank."""
    buyer = ordering.Buyer(checked.name, checked.email, locale())
    try:
        purchase = _sign_up(shop, choice, buyer, consent.text if consent else "")
    except Conflict:
        return make_response(render_template("already.html", seller=shop.seller), Conflict.status)
    return send_to_bank(purchase)


def _sign_up(shop: Shop, choice: Choice, buyer: ordering.Buyer, consent: str) -> Purchase:
    """Raises Conflict ``already_running``; the mail that then tells the buyer why is committed."""
    with parts().database.write() as tx:
        site = sites.get(tx, shop.seller.id)
        plan = tx.get_one(Plan, choice.plan_id)
        try:
            subscription, charge = ordering.begin(
                tx, site, ordering.Order(plan), buyer, ordering.Agreement(consent), parts().clock.now()
            )
        except Conflict as conflict:
            running = conflict
        else:
            return Purchase(shop.seller, charge.id, charge.token, subscription.token)
    raise running


def _show(shop: Shop, form: OrderForm, status: int = 200) -> Response:
    consents = _consents(shop)
    page = render_template(
        "buy.html", shop=shop, seller=shop.seller, form=form, consents=consents,
        chosen=shop.choice(form.plan) or shop.choices[0], purpose=_purpose(shop),
        seen=_seen(shop, consents), price=wording.price, price_note=wording.price_note, each=wording.each,
    )  # fmt: skip
    return may_come_back(make_response(page, status))


def _consents(shop: Shop) -> dict[str, wording.Consent | None]:
    """The permission that each plan asks for; None for one that is paid once."""
    today = local_day(parts().clock.now(), shop.seller.zone)
    collector = wording.Collector(shop.seller.name, shop.seller.support_email)
    return {choice.slug: wording.checkout_consent(collector, choice.terms, today) for choice in shop.choices}


def _seen(shop: Shop, consents: Mapping[str, wording.Consent | None]) -> str:
    """A fingerprint of all that the page states about money, for every plan on it."""
    permissions = [consent.text for consent in consents.values() if consent]
    prices = [f"{choice.slug} {wording.price(choice.terms)}" for choice in shop.choices]
    return wording.fingerprint(permissions + prices)


def _purpose(shop: Shop) -> str:
    return f"buy/{shop.seller.slug}/{shop.offer_slug}"
