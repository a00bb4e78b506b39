"""What became of an order: the truth, refreshed by itself while something is under way."""

from dataclasses import dataclass

from flask import Blueprint, Response, make_response, render_template, request, url_for

from linkpay.domain.money import Money
from linkpay.domain.order_number import order_number
from linkpay.errors import NotFound
from linkpay.services import pages
from linkpay.services.pages import Order, Stage
from linkpay.store import charges, holdings
from linkpay.store.tables import Subscription
from linkpay.web import prices
from linkpay.web.edge import parts
from linkpay.web.i18n import settle_on
from linkpay.web.paying import Purchase, send_to_bank
from linkpay.web.shop import Seller, find_site, seller_of

bp = Blueprint("orders", __name__)

_MOVING = frozenset({Stage.WAITING, Stage.OPENING})
#: Seconds to the next look, by how often was looked: quick at first, five minutes in all.
_PAUSES = (2, 2, 2, 3, 3, 5, 5, 8, 10, 15, 20, 20, 25, 30, 30, 30, 30, 30, 30)
#: The same while Mollie gives no clear answer: asking costs a call.
_ASK_PAUSES = (3, 5, 8, 10, 15, 20, 30, 30, 30)


@dataclass(frozen=True, slots=True)
class Found:
    """An order with what its page needs around it; `purchase` when something can be paid."""

    seller: Seller
    order: Order
    subscription_id: int
    purchase: Purchase | None


@bp.get("/<slug:site>/order/<token:token>")
def order(site: str, token: str) -> Response:
    """Where the order stands. Looks again by itself while money or access is under way."""
    found = _find(site, token)
    turn = _turn()
    moving = found.order.stage in _MOVING
    if found.order.stage is Stage.WAITING:
        _look(found.subscription_id)
    pause = _PAUSES[turn] if moving and turn < len(_PAUSES) else None
    page = make_response(
        render_template(
            "order.html", seller=found.seller, order=found.order, stage=found.order.stage.value,
            token=token, pause=pause, gave_up=moving and pause is None, turn=turn, lines=_lines(found.order),
            number=order_number(token),
        )
    )  # fmt: skip
    if pause is not None:
        _look_again(page, url_for("orders.order", site=site, token=token, n=turn + 1), pause)
    return page


@bp.get("/<slug:site>/order/<token:token>/onward")
def onward(site: str, token: str) -> Response:
    """One moment: Mollie gave no clear answer yet. Asks again by itself, never for a second payment.

    Only goes on with an attempt that a pressed button began; the attempt and its key are stored.
    """
    found = _find(site, token)
    turn = _turn()
    if found.purchase is None or found.order.at_bank:
        return _back(site, token)
    if request.args.get("go") == "1":
        if not _is_begun(found.purchase):
            return _back(site, token)
        return send_to_bank(found.purchase, turn=turn)
    pause = _ASK_PAUSES[turn] if turn < len(_ASK_PAUSES) else None
    page = make_response(
        render_template("onward.html", seller=found.seller, order=found.order, token=token, pause=pause)
    )
    if pause is not None:
        _look_again(page, url_for("orders.onward", site=site, token=token, n=turn, go=1), pause)
    return page


def _find(site: str, token: str) -> Found:
    with parts().database.read() as tx:
        row = find_site(tx, site)
        subscription = holdings.purchase(tx, row.id, token)
        if subscription is None:
            raise NotFound("order_unknown", "There is no such order.")
        order = pages.order(tx, row, subscription)
        seller, purchase = seller_of(row), None
        charge = charges.by_token(tx, row.id, order.charge_token) if order.charge_token else None
        if charge is not None:
            purchase = Purchase(seller, charge.id, charge.token, token)
        found = Found(seller, order, subscription.id, purchase)
    settle_on(order.locale)
    return found


def _lines(seen: Order) -> list[tuple[str, Money]]:
    """What the shown amount is made of, where that is more than one thing."""
    sold = prices.Sold(seen.offer_title, seen.terms)
    named = [(prices.line_name(line, sold), Money(line.cents, seen.amount.currency)) for line in seen.lines]
    return named if len(named) > 1 or seen.terms.trial else []


def _look(subscription_id: int) -> None:
    """Ask Mollie soon: the webhook may be lost while the buyer waits."""
    with parts().database.write() as tx:
        pages.look_now(tx, tx.get_one(Subscription, subscription_id), parts().clock.now())


def _is_begun(purchase: Purchase) -> bool:
    with parts().database.read() as tx:
        return charges.open_payment(tx, purchase.charge_id) is not None


def _turn() -> int:
    given = request.args.get("n", "0")
    return min(int(given), 1000) if given.isascii() and given.isdigit() and len(given) < 6 else 0


def _look_again(page: Response, url: str, pause: int) -> None:
    """By header and not by markup: the same to a browser, and nothing for a page checker to flag."""
    language = f"&lang={request.args['lang']}" if request.args.get("lang") in ("nl", "en") else ""
    page.headers["Refresh"] = f"{pause}; url={url}{language}"


def _back(site: str, token: str) -> Response:
    response = make_response("", 303)
    response.headers["Location"] = url_for("orders.order", site=site, token=token)
    return response
