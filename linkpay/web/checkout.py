"""The order page of an offer: choose, fill in, agree, and go to the bank."""

from dataclasses import replace

from flask import Blueprint, Response, make_response, render_template, request

from linkpay.domain import vat
from linkpay.domain.coupon import Refusal
from linkpay.domain.proof import PROOF_CENTS
from linkpay.errors import InputError
from linkpay.services import ordering
from linkpay.services.formats import LOCALES
from linkpay.store import sites
from linkpay.store.tables import Plan
from linkpay.web import csrf, order_cookie, prices, wording
from linkpay.web.bodies import require_form
from linkpay.web.edge import parts
from linkpay.web.forms import Checked, OrderForm, Problem, check, read_posted, read_prefill, tidy
from linkpay.web.headers import order_page
from linkpay.web.i18n import gettext as _
from linkpay.web.i18n import locale, switch_to
from linkpay.web.offered import Offered, due, offered, proofs
from linkpay.web.paying import Purchase, send_to_bank
from linkpay.web.shop import Choice, Extra, Shop, Wish, open_shop

bp = Blueprint("checkout", __name__)
#: Buttons after which the form is shown again where it was.
_STAYING = ("switch", "apply", "meant")


@bp.get("/<slug:site>/buy/<slug:offer>")
def buy(site: str, offer: str) -> Response:
    """The empty or prefilled order form. A plan or code that does not exist is said so, not ignored."""
    form = read_prefill(request.args)
    shop = _open(site, offer, form)
    choice = shop.choice(form.plan)
    if choice is None:
        problem = Problem("plan", _("The way of paying in this link does not exist (any more). Choose one."))
        return _show(shop, replace(form, plan="", problems=(problem,)), 422)
    problems = _coupon_problems(choice)
    return _show(shop, replace(form, problems=problems), 422 if problems else 200)


@bp.post("/<slug:site>/buy/<slug:offer>")
def order(site: str, offer: str) -> Response:
    """The form as it was sent: corrected, refused with everything kept, or paid."""
    require_form()
    form = read_posted(request.form)
    shop = _open(site, offer, form)
    if request.form.get("switch") in LOCALES:
        return _show(shop, form)
    choice = shop.choice(form.plan)
    if request.form.get("apply"):
        problems = _coupon_problems(choice) if choice else ()
        return _show(shop, replace(form, problems=problems), 422 if problems else 200)
    if request.form.get("meant"):
        return _show(shop, replace(form, email=tidy(request.form["meant"])[:254], kept=""))
    if not _is_ours(shop):
        notice = _("For your safety we could not take this form as it came. Press the button once more.")
        return _show(shop, replace(form, notice=notice), 403)
    checked = _checked(shop, choice, form)
    if isinstance(checked, OrderForm) or choice is None:
        return _show(shop, checked if isinstance(checked, OrderForm) else form, 422)
    ways = _ways(shop)
    if form.seen != _seen(shop, ways):
        return _show(shop, replace(form, agrees=False, notice=_what_changed(form)), 422)
    return _take(shop, ways[shop.choices.index(choice)], checked)


def _open(site: str, offer: str, form: OrderForm) -> Shop:
    wish = Wish(form.coupon, form.skips_trial)
    with parts().database.read() as tx:
        shop = open_shop(tx, site, offer, wish, parts().clock.now())
    if request.method == "POST" and request.form.get("switch") in LOCALES:
        switch_to(request.form["switch"])
    return shop


def _checked(shop: Shop, choice: Choice | None, form: OrderForm) -> OrderForm | Checked:
    also: list[Problem] = []
    if choice is not None:
        also = [
            *_coupon_problems(choice),
            *_method_problems(shop, choice, form),
            *_business_problems(choice, form),
        ]
    needs_consent = choice is not None and choice.terms.needs_mandate
    return check(form, plan_known=choice is not None, needs_consent=needs_consent, also=also)


def _method_problems(shop: Shop, choice: Choice, form: OrderForm) -> list[Problem]:
    adds = any(extra.slug in form.bumps for extra in shop.extras)
    if adds or choice.quote.due_cents or not choice.terms.needs_mandate or form.method in PROOF_CENTS:
        return []
    return [Problem("method", _("Choose by what you want to pay later."))]


def _business_problems(choice: Choice, form: OrderForm) -> list[Problem]:
    """What is wrong with a company and its VAT number; both may be left empty, and neither is asked for, nor
    shown to be mended, where the plan is not for businesses."""
    found: list[Problem] = []
    if not choice.for_business:
        return found
    if form.vat_number and vat.normalise(form.vat_number) is None:
        said = _("Check the VAT number: with its country, such as NL123456789B01.")
        found.append(Problem("vat_number", said))
    if form.vat_number and not form.company:
        found.append(Problem("company", _("Fill in the company that the VAT number belongs to.")))
    return found


def _coupon_problems(choice: Choice | None) -> tuple[Problem, ...]:
    if choice is None or choice.refusal is None:
        return ()
    return (_coupon_problem(choice.refusal),)


def _coupon_problem(why: Refusal) -> Problem:
    said = {
        Refusal.UNKNOWN: _("We do not know this code. Check how it is spelled, or empty the field."),
        Refusal.NOT_YET: _("This code cannot be used yet."),
        Refusal.EXPIRED: _("This code has expired."),
        Refusal.OTHER_PLAN: _("This code is not for the way of paying that you chose."),
        Refusal.USED_UP: _("This code has been used up."),
    }
    return Problem("coupon", said[why])


def _what_changed(form: OrderForm) -> str:
    if form.coupon.upper() != form.applied.upper():
        return _("The price now counts with your code. Check it and press again.")
    return _("The price or the conditions changed while this page was open. Check them and press again.")


def _take(shop: Shop, way: Offered, checked: Checked) -> Response:
    """Sign the buyer up and send her to the bank."""
    form, browser = checked.form, order_cookie.browser(shop.seller.slug)
    try:
        purchase = _sign_up(shop, way, checked, browser)
    except InputError as refused:
        if refused.code == "already_running":
            return make_response(render_template("already.html", seller=shop.seller), refused.status)
        if refused.code in list(Refusal):
            return _show(shop, replace(form, problems=(_coupon_problem(Refusal(refused.code)),)), 422)
        return _show(shop, replace(form, agrees=False, notice=_what_changed(form)), 422)
    ordered = order_cookie.Ordered(purchase.order_token, browser)
    return order_cookie.give(send_to_bank(purchase), shop.seller.slug, ordered)


def _sign_up(shop: Shop, way: Offered, checked: Checked, browser: str) -> Purchase:
    """Raises Conflict ``already_running``; the mail that then tells the buyer why is committed."""
    form, extras = checked.form, _chosen(shop, checked.form)
    buyer = ordering.Buyer(checked.name, checked.email, locale(), browser)
    agreement = ordering.Agreement(
        way.kept_text(extras, due(way.choice, extras, form.method)),
        way.start_at_once if form.starts_at_once else "",
    )
    with parts().database.write() as tx:
        site = sites.get(tx, shop.seller.id)
        wanted = ordering.Order(
            tx.get_one(Plan, way.choice.plan_id), form.coupon, tuple(extra.slug for extra in extras),
            form.method, form.skips_trial,
        )  # fmt: skip
        try:
            subscription, charge = ordering.begin(tx, site, wanted, buyer, agreement, parts().clock.now())
        except InputError as refused:
            if refused.code != "already_running":
                raise
            running = refused
        else:
            if way.choice.for_business and form.company:
                subscription.company = form.company
                subscription.vat_number = vat.normalise(form.vat_number)
            return Purchase(shop.seller, charge.id, charge.token, subscription.token)
    raise running


def _chosen(shop: Shop, form: OrderForm) -> list[Extra]:
    return [extra for extra in shop.extras if extra.slug in form.bumps]


def _show(shop: Shop, form: OrderForm, status: int = 200) -> Response:
    ways, framed = _ways(shop), _is_framed(shop)
    rates = {line.vat_basis_points for choice in shop.choices for line in choice.quote.now}
    page = render_template(
        "buy.html", shop=shop, seller=shop.seller, form=form, ways=ways, prices=prices,
        chosen=shop.choice(form.plan) or shop.choices[0], purpose=_purpose(shop), proofs=proofs(shop.seller),
        seen=_seen(shop, ways), rates=rates | {extra.line.vat_basis_points for extra in shop.extras},
        framed=framed,
        token=csrf.loose_token(_purpose(shop)) if framed else csrf.form_token(_purpose(shop)),
    )  # fmt: skip
    return order_page(make_response(page, status), shop.seller.embed_parents if framed else ())


def _ways(shop: Shop) -> list[Offered]:
    return [offered(shop, choice) for choice in shop.choices]


def _seen(shop: Shop, ways: list[Offered]) -> str:
    """A fingerprint of all that the page states about money, for every plan on it."""
    added = [f"{extra.slug} {extra.line.cents}" for extra in shop.extras]
    return wording.fingerprint([text for way in ways for text in way.texts] + added)


def _is_framed(shop: Shop) -> bool:
    """Whether the page stands in one of the seller's. The pay button leaves it for the whole window, and
    what comes after that is a page of ours alone."""
    asked = request.values.get("embed") == "1" and bool(shop.seller.embed_parents)
    return asked and (request.method == "GET" or any(request.form.get(name) for name in _STAYING))


def _is_ours(shop: Shop) -> bool:
    if csrf.is_ours(_purpose(shop)):
        return True
    return request.form.get("embed") == "1" and csrf.is_loosely_ours(_purpose(shop))


def _purpose(shop: Shop) -> str:
    return f"buy/{shop.seller.slug}/{shop.offer_slug}"
