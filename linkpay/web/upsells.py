"""One more purchase by one click: the page that says what, how much, when and from where, and its button.

`/<site>/offer/<offer>/add` is for a page after a purchase, at Kajabi or elsewhere: the browser that ordered
is known by its signed cookie, a member by her session; everybody else has the link mailed.
"""

from dataclasses import dataclass

from flask import Blueprint, Response, make_response, render_template, request

from linkpay.domain.money import Money
from linkpay.domain.upsell import Refusal
from linkpay.errors import Conflict
from linkpay.services import upselling
from linkpay.services.ordering import Agreement
from linkpay.services.upselling import Proposal
from linkpay.store import sites
from linkpay.store.db import Tx
from linkpay.store.tables import Site
from linkpay.web import csrf, order_cookie, prices, wording
from linkpay.web.bodies import require_form
from linkpay.web.edge import parts
from linkpay.web.forms import MAX_EMAIL, Problem, read_email, tidy
from linkpay.web.i18n import asked_language, locale, settle_on
from linkpay.web.i18n import gettext as _
from linkpay.web.portal.door import see, signed_in
from linkpay.web.portal.words import account_words
from linkpay.web.shop import Seller, find_site, seller_of
from linkpay.web.wording import Consent

bp = Blueprint("upsells", __name__)


@dataclass(frozen=True, slots=True)
class Page:
    """A proposal in words."""

    seller: Seller
    proposal: Proposal
    account: str
    consent: Consent
    start: str
    lines: tuple[tuple[str, Money], ...]
    later: tuple[tuple[str, Money], ...]

    @property
    def due(self) -> Money:
        """What is collected today."""
        return Money(self.proposal.quote.due_cents, self.proposal.terms.amount.currency)

    @property
    def seen(self) -> str:
        """Changes when anything that was said changes."""
        said = [f"{name} {prices.money(amount)}" for name, amount in (*self.lines, *self.later)]
        return wording.fingerprint([self.consent.text, self.start, *said])


@bp.get("/<slug:site>/upsell/<token:token>")
def look(site: str, token: str) -> Response:
    """What is sold by this link, or where to go on instead."""
    return _show(site, token)


@bp.post("/<slug:site>/upsell/<token:token>")
def buy(site: str, token: str) -> Response:
    """The click. Pressed twice it is one purchase."""
    require_form()
    if not csrf.is_ours(_purpose(site, token)):
        notice = _("For your safety we could not take this form as it came. Press once more.")
        return _show(site, token, notice=notice, status=403)
    if request.form.get("agree") != "yes":
        problem = Problem("agree", _("Tick the box to allow the collections that follow."))
        return _show(site, token, problems=(problem,), status=422)
    try:
        with parts().database.write() as tx:
            row = find_site(tx, site)
            page = _page(row, upselling.look(tx, row, token, parts().clock.now()))
            if page.proposal.bought is None and request.form.get("seen") != page.seen:
                raise Conflict("changed", "Something changed while the page was open.")
            start = page.start if request.form.get("start") == "yes" else ""
            agreement = Agreement(_kept(page), start)
            bought = upselling.buy(tx, row, token, agreement, locale(), parts().clock.now())
            order_token = bought.token
    except Conflict:
        notice = _("Something changed while this page was open. Check it and press again.")
        return _show(site, token, notice=notice, status=409)
    return see("orders.order", site=site, token=order_token)


@bp.get("/<slug:site>/offer/<slug:offer>/add")
def add(site: str, offer: str) -> Response:
    """Straight to the page for who is known, the way to a link for everybody else."""
    guest, ordered = signed_in(site), order_cookie.read(site)
    with parts().database.write() as tx:
        row, now = find_site(tx, site), parts().clock.now()
        plan = upselling.plan_of(tx, row, offer, request.args.get("plan"))
        if guest is not None and guest.customer_id is not None:
            secret = upselling.link_for(tx, row, guest.email, plan, now)
            return see("upsells.look", site=site, token=secret)
        order = upselling.order_of(tx, row, ordered.token, ordered.browser) if ordered else None
        if order is not None and order.mandate_id is not None:
            return see("upsells.look", site=site, token=upselling.link_on(tx, order, plan, now))
    if order is not None:
        return see("checkout.buy", site=site, offer=offer, plan=plan.slug)
    return _door(site, offer)


@bp.post("/<slug:site>/offer/<slug:offer>/add")
def ask(site: str, offer: str) -> Response:
    """Mail the link to whoever bought before with this address, and say the same to everybody."""
    require_form()
    typed = tidy(request.form.get("email", ""))[:MAX_EMAIL]
    if not csrf.is_ours(_asking(site, offer)):
        notice = _("For your safety we could not take this form as it came. Press once more.")
        return _door(site, offer, typed, notice=notice, status=403)
    email = read_email(typed)
    if email is None:
        text = _("Fill in your e-mail address, for example name@example.com.")
        return _door(site, offer, typed, problems=(Problem("email", text),), status=422)
    with parts().database.write() as tx:
        row = find_site(tx, site)
        plan = upselling.plan_of(tx, row, offer, request.args.get("plan"))
        address, now = request.remote_addr or "", parts().clock.now()
        upselling.ask(tx, row, plan, email, asked_language() or row.locale, address, now)
        seller = seller_of(row)
    return make_response(render_template("upsell/sent.html", seller=seller, email=email, offer=offer))


def _show(
    site: str, token: str, *, notice: str | None = None, problems: tuple[Problem, ...] = (), status: int = 200
) -> Response:  # fmt: skip
    with parts().database.read() as tx:
        page = _read(tx, site, token)
    proposal = page.proposal
    if proposal.bought is not None:
        return see("orders.order", site=site, token=proposal.bought)
    if proposal.is_old or proposal.refusal in (Refusal.HAS_IT, Refusal.BLOCKED):
        return make_response(render_template("upsell/over.html", seller=page.seller, proposal=proposal), 409)
    if proposal.refusal is Refusal.NOT_SOLD:
        return make_response(render_template("upsell/over.html", seller=page.seller, proposal=proposal), 404)
    if proposal.refusal is not None:
        return _to_checkout(site, proposal)
    return make_response(
        render_template(
            "upsell/offer.html", seller=page.seller, page=page, proposal=proposal, token=token, notice=notice,
            problems=problems, purpose=_purpose(site, token), prices=prices, given=request.form,
            rates={line.vat_basis_points for line in proposal.quote.now},
        ),
        status,
    )  # fmt: skip


def _to_checkout(site: str, proposal: Proposal) -> Response:
    """The ordinary way, filled in: too much for a click, no mandate that works, or a trial to begin."""
    return see(
        "checkout.buy", site=site, offer=proposal.offer_slug, plan=proposal.plan_slug,
        email=proposal.customer_email, name=proposal.customer_name,
    )  # fmt: skip


def _read(tx: Tx, site: str, token: str) -> Page:
    row = find_site(tx, site)
    return _page(row, upselling.look(tx, row, token, parts().clock.now()))


def _page(row: Site, proposal: Proposal) -> Page:
    settle_on(proposal.locale)
    account = account_words(proposal.account)
    named = account
    if proposal.reference:
        by = _("permission %(code)s", code=proposal.reference)
        named = f"{account} ({by})"
    collector = wording.Collector(row.name, row.support_email, proposal.policy)
    sold = prices.Sold(proposal.plan_title, proposal.terms)
    currency = proposal.terms.amount.currency
    return Page(
        seller_of(row), proposal, account,
        wording.upsell_consent(collector, proposal.terms, proposal.quote, named),
        wording.start_at_once(proposal.policy),
        tuple((prices.line_name(line, sold), Money(line.cents, currency)) for line in proposal.quote.now),
        tuple(prices.later(proposal.quote.runs, proposal.terms.interval)),
    )  # fmt: skip


def _kept(page: Page) -> str:
    """The consent as it is kept: what she read, with what it was about and the sum above the button."""
    asked = [f"{name} {prices.money(amount)}" for name, amount in page.lines]
    return "\n".join([page.proposal.offer_title, *asked, page.consent.text])


def _door(
    site: str, offer: str, typed: str = "", *, problems: tuple[Problem, ...] = (), notice: str | None = None,
    status: int = 200,
) -> Response:  # fmt: skip
    with parts().database.read() as tx:
        row = find_site(tx, site)
        plan = upselling.plan_of(tx, row, offer, request.args.get("plan"))
        found = sites.offer(tx, row.id, offer)
        title = found.title if found else ""
        seller = seller_of(row)
    page = render_template(
        "upsell/door.html", seller=seller, offer=offer, plan=plan.slug, title=title, typed=typed,
        problems=problems, notice=notice, purpose=_asking(site, offer),
    )  # fmt: skip
    return make_response(page, status)


def _purpose(site: str, token: str) -> str:
    return f"upsell/{site}/{token}"


def _asking(site: str, offer: str) -> str:
    return f"offer/{site}/{offer}"
