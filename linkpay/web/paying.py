"""From a pressed pay button to the bank: the one place where a page asks for money."""

import logging
from dataclasses import dataclass

from flask import Response, make_response, redirect, render_template, url_for

from linkpay.errors import Conflict, Permanent
from linkpay.services import checkout
from linkpay.store import journal
from linkpay.web.edge import parts
from linkpay.web.i18n import gettext as _
from linkpay.web.shop import Seller

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Purchase:
    """A charge to be paid by the person who looks at the page, and the order it belongs to.

    `proves` says that it only proves a new account or card, and has a page of its own.
    """

    seller: Seller
    charge_id: int
    charge_token: str
    order_token: str
    proves: bool = False


def send_to_bank(purchase: Purchase, *, turn: int = 0) -> Response:
    """Lead the buyer to her payment, or to the page that says why there is none.

    `turn` counts how often this was asked without a clear answer. Asking again is harmless: the
    charge has one open attempt with one stored key.
    """
    try:
        result = checkout.pay(parts(), purchase.charge_id)
    except (Permanent, Conflict) as problem:
        return _refused(purchase, problem)
    match result:
        case checkout.Redirect(url):
            return _see(url)
        case checkout.CouponGone():
            return _coupon_gone(purchase)
        case checkout.AskAgain():
            return _see(_address("orders.onward", purchase, turn + 1))
        case _:
            return _see(_address("orders.order", purchase))


def _refused(purchase: Purchase, problem: Permanent | Conflict) -> Response:
    """Nothing was charged and asking again would not help: tell her, and ask the owner to look."""
    now = parts().clock.now()
    with parts().database.write() as tx:
        journal.need_attention(
            tx, site_id=purchase.seller.id, kind="checkout", subject=f"site:{purchase.seller.id}", now=now,
            detail=f"A buyer could not pay: {problem}. Check the site's Mollie key, methods and limits.",
        )  # fmt: skip
    log.warning("payment could not be started", extra={"site": purchase.seller.slug, "reason": str(problem)})
    page = render_template("refused.html", seller=purchase.seller, purchase=purchase)
    return make_response(page, Conflict.status)


def _coupon_gone(purchase: Purchase) -> Response:
    """Her order waited too long: the code that it counted with was used up by others."""
    lines = [
        _("The discount code of this order has been used up by others meanwhile, so nothing was charged."),
        _("You can order again without the code."),
    ]
    page = render_template(
        "message.html",
        seller=purchase.seller,
        title=_("This code has been used up."),
        lines=lines,
        sign="clock",
    )
    return make_response(page, Conflict.status)


def _address(endpoint: str, purchase: Purchase, turn: int | None = None) -> str:
    if purchase.proves:
        return url_for("portal_renewals.renewal", site=purchase.seller.slug, token=purchase.charge_token)
    return url_for(endpoint, site=purchase.seller.slug, token=purchase.order_token, n=turn)


def _see(url: str) -> Response:
    """The next page by GET, whatever came before."""
    return make_response(redirect(url, 303))
