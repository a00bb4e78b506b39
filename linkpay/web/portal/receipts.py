"""Receipts of what was paid, for printing and for the books."""

from flask import Response, make_response, render_template

from linkpay.errors import NotFound
from linkpay.services import receipts
from linkpay.store import sites
from linkpay.web import prices
from linkpay.web.edge import parts
from linkpay.web.portal import words
from linkpay.web.portal.door import guest, rooms

bp = rooms("receipts", __name__)


@bp.get("/receipts/<token:token>")
def receipt(site: str, token: str) -> Response:
    """One receipt, of a charge that she paid."""
    me = guest()
    if me.customer_id is None:
        raise NotFound("receipt_unknown", "There is no such receipt.")
    with parts().database.read() as tx:
        found = receipts.receipt(tx, sites.get(tx, me.seller.id), me.customer_id, token)
    return make_response(
        render_template(
            "portal/receipt.html",
            seller=me.seller,
            guest=me,
            receipt=found,
            words=words,
            line_name=prices.line_name,
            sold=prices.Sold(found.paid.offer_title, found.terms),
        )
    )
