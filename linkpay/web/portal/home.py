"""The first page of the portal: what she has, what happens next, what she paid, what she can do."""

from flask import Response, make_response, render_template

from linkpay.services import portal
from linkpay.store import sites
from linkpay.web import prices
from linkpay.web.edge import parts
from linkpay.web.portal import words
from linkpay.web.portal.door import Guest


def show(guest: Guest, notice: str | None = None) -> Response:
    """Everything that is hers on this site."""
    with parts().database.read() as tx:
        site = sites.get(tx, guest.seller.id)
        found = portal.home(tx, site, guest.email, guest.customer_id)
    return make_response(
        render_template(
            "portal/home.html",
            seller=guest.seller,
            guest=guest,
            home=found,
            words=words,
            notice=notice,
            price=prices.price,
        )
    )
