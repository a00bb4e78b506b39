"""The pay page of one charge: pay what is open by hand and renew the mandate in one go.

Reached from mails and from the order page. Whoever has the address may pay; it shows no person.
"""

from dataclasses import dataclass
from datetime import date

from flask import Blueprint, Response, make_response, render_template, request

from linkpay.domain.calendar import local_day
from linkpay.domain.money import Money
from linkpay.domain.pricing import LineKind
from linkpay.domain.proof import PROOF_CENTS
from linkpay.errors import NotFound
from linkpay.services import checkout, pages
from linkpay.services.pages import Bill
from linkpay.store import charges, people, subscriptions
from linkpay.web import csrf, prices, wording
from linkpay.web.bodies import require_form
from linkpay.web.edge import parts
from linkpay.web.forms import Problem
from linkpay.web.i18n import gettext as _
from linkpay.web.i18n import locale, settle_on
from linkpay.web.offered import proofs
from linkpay.web.paying import Purchase, send_to_bank
from linkpay.web.shop import Seller, find_site, seller_of

bp = Blueprint("bills", __name__)


@dataclass(frozen=True, slots=True)
class Found:
    """A charge with what its page needs.

    `agreed_before` says that the first payment, which is tried again, was agreed to at the checkout.
    """

    seller: Seller
    bill: Bill
    token: str
    subscription_id: int
    agreed_before: bool

    @property
    def payable(self) -> bool:
        """Whether paying now makes sense at all."""
        to_pay = self.bill.owed.cents > 0 or self.bill.to_prove
        return to_pay and not self.bill.over and not self.bill.debit_runs

    @property
    def purchase(self) -> Purchase:
        """The charge as the pay button needs it."""
        return Purchase(self.seller, self.bill.charge_id, self.token, self.bill.order_token)


@bp.get("/<slug:site>/pay/<token:token>")
def bill(site: str, token: str) -> Response:
    """What is open and what paying it does; or that it is paid, being collected, or over."""
    return _show(_find(site, token))


@bp.post("/<slug:site>/pay/<token:token>")
def pay(site: str, token: str) -> Response:
    """The pressed button: keep the consent, then go to the bank.

    A sign-up that was agreed to at its checkout needs no second tick to try its first payment again.
    """
    require_form()
    found = _find(site, token)
    if not found.payable:
        return _show(found)
    consent = _consent(found)
    if not csrf.is_ours(_purpose(site, token)):
        notice = _("For your safety we could not take this form as it came. Press once more.")
        return _show(found, notice=notice, status=403)
    agrees = consent is not None and request.form.get("agree") == "yes"
    if consent is not None and not agrees and not found.agreed_before:
        text = _("Tick the box to allow the collections that follow.")
        return _show(found, problems=(Problem("agree", text),), status=422)
    if consent is not None and agrees:
        if request.form.get("seen") != wording.fingerprint([consent.text]):
            changed = _("The conditions changed while this page was open. Check them and press again.")
            return _show(found, notice=changed, status=422)
        _agree(found, consent.text)
    if found.bill.proves and request.form.get("method") in PROOF_CENTS:
        _choose_method(found, request.form["method"])
    return send_to_bank(found.purchase)


def _find(site: str, token: str) -> Found:
    with parts().database.read() as tx:
        row = find_site(tx, site)
        charge = charges.by_token(tx, row.id, token)
        if charge is None:
            raise NotFound("bill_unknown", "There is no such bill.")
        seen = pages.bill(tx, charge, parts().clock.now())
        subscription = subscriptions.by_token(tx, row.id, seen.order_token)
        agreed = not seen.started and subscription is not None and people.consents(tx, subscription.id)
        found = Found(seller_of(row), seen, token, charge.subscription_id, bool(agreed))
    settle_on(seen.locale)
    return found


def _agree(found: Found, text: str) -> None:
    with parts().database.write() as tx:
        subscription = subscriptions.lock(tx, found.subscription_id)
        checkout.agree(
            tx, subscription, text, locale(), parts().clock.now(),
            notice_days=found.bill.policy.agreed_notice_days, starts_at_once=False, **_named_day(found),
        )  # fmt: skip


def _named_day(found: Found) -> dict[str, str]:
    """The day of the next collection, where the page names it to a member who renews her permission."""
    day = _next_on(found) if found.bill.started else None
    return {"next_on": day.isoformat()} if day else {}


def _next_on(found: Found) -> date | None:
    next_on, today = found.bill.next_charge_on, local_day(parts().clock.now(), found.seller.zone)
    return next_on if next_on and next_on > today else None


def _choose_method(found: Found, method: str) -> None:
    with parts().database.write() as tx:
        subscription = subscriptions.lock(tx, found.subscription_id)
        checkout.choose_method(tx, subscription, charges.get(tx, found.bill.charge_id), method)


def _consent(found: Found) -> wording.Consent | None:
    """What paying this bill allows; None when nothing is collected afterwards."""
    seen = found.bill
    collector = wording.Collector(found.seller.name, found.seller.support_email, seen.policy)
    if not seen.started:
        return wording.checkout_consent(collector, seen.terms, seen.quote)
    return wording.renewal_consent(collector, seen.terms, seen.runs, _next_on(found))


def _show(
    found: Found, *, notice: str | None = None, problems: tuple[Problem, ...] = (), status: int = 200
) -> Response:
    site, token = found.seller.slug, found.token
    consent = _consent(found)
    page = render_template(
        "bill.html", seller=found.seller, bill=found.bill, payable=found.payable, consent=consent,
        agreed_before=found.agreed_before, lines=_lines(found.bill), money_of=Money,
        proofs=proofs(found.seller),
        seen=wording.fingerprint([consent.text]) if consent else "",
        notice=notice, problems=problems, purpose=_purpose(site, token), token=token,
    )  # fmt: skip
    return make_response(page, status)


def _lines(seen: Bill) -> list[tuple[str, Money]]:
    """What the bill is made of, where that is more than its one amount; a proof as long as it is chosen."""
    sold = prices.Sold(seen.offer_title, seen.terms)
    named = [
        (prices.line_name(line, sold), Money(line.cents, seen.amount.currency))
        for line in seen.lines
        if not (seen.proves and line.kind is LineKind.CHECK)
    ]
    return named if len(named) > 1 or seen.terms.trial else []


def _purpose(site: str, token: str) -> str:
    return f"pay/{site}/{token}"
