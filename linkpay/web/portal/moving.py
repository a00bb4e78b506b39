"""The link in the mail to a new address: a button, pressed once, by whoever reads that address."""

from flask import Blueprint, Response, make_response, render_template

from linkpay.errors import Conflict
from linkpay.services import addresses
from linkpay.web import csrf
from linkpay.web.bodies import require_form
from linkpay.web.edge import parts
from linkpay.web.i18n import gettext as _
from linkpay.web.portal.door import PREFIX, give_key, see
from linkpay.web.portal.refusals import refusal_words
from linkpay.web.shop import Seller, find_site, seller_of

bp = Blueprint("portal_moving", __name__, url_prefix=PREFIX)


@bp.get("/email/confirm/<token:token>")
def knock(site: str, token: str) -> Response:
    """A button and nothing more: programs that open the links of mails press none."""
    return _button(_seller(site), token)


@bp.post("/email/confirm/<token:token>")
def confirm(site: str, token: str) -> Response:
    """The pressed button: everything moves, and she is signed in under the new address."""
    require_form()
    seller = _seller(site)
    if not csrf.is_ours(_purpose(seller, token)):
        notice = _("For your safety we could not take this form as it came. Press once more.")
        return _button(seller, token, notice, 403)
    try:
        with parts().database.write() as tx:
            secret = addresses.confirm(tx, find_site(tx, site), token, parts().clock.now())
    except Conflict as problem:
        if problem.code == "link_spent":
            return make_response(render_template("portal/spent.html", seller=seller), problem.status)
        return _button(seller, token, refusal_words(problem), problem.status)
    return give_key(see("portal_entry.door", site=site, done="email"), site, secret)


def _seller(site: str) -> Seller:
    with parts().database.read() as tx:
        return seller_of(find_site(tx, site))


def _button(seller: Seller, token: str, notice: str | None = None, status: int = 200) -> Response:
    page = render_template(
        "portal/confirm.html", seller=seller, token=token, notice=notice, purpose=_purpose(seller, token)
    )
    return make_response(page, status)


def _purpose(seller: Seller, token: str) -> str:
    return f"portal/{seller.slug}/email/{token}"
