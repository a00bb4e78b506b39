"""The door of the portal: ask for a link by e-mail, press it once, leave again.

Asking always ends on the same page, so that nobody learns who is a customer here.
"""

from flask import Blueprint, Response, make_response, render_template, request

from linkpay.errors import Conflict
from linkpay.services import visits
from linkpay.web import csrf
from linkpay.web.bodies import require_form
from linkpay.web.edge import parts
from linkpay.web.forms import MAX_EMAIL, Problem, read_email, tidy
from linkpay.web.i18n import asked_language
from linkpay.web.i18n import gettext as _
from linkpay.web.portal import home
from linkpay.web.portal.door import PREFIX, give_key, key, see, signed_in, take_key
from linkpay.web.shop import Seller, find_site, seller_of

bp = Blueprint("portal_entry", __name__, url_prefix=PREFIX)


@bp.get("")
def door(site: str) -> Response:
    """What is hers for who is signed in; the form that asks for a link for everybody else."""
    guest = signed_in(site)
    if guest is not None:
        return home.show(guest)
    return _form(_seller(site))


@bp.post("")
def ask(site: str) -> Response:
    """Mail a link to whoever is known under this address, and say the same to everybody."""
    require_form()
    seller = _seller(site)
    typed = tidy(request.form.get("email", ""))[:MAX_EMAIL]
    if not csrf.is_ours(_asking(seller)):
        notice = _("For your safety we could not take this form as it came. Press once more.")
        return _form(seller, typed, notice=notice, status=403)
    email = read_email(typed)
    if email is None:
        return _form(seller, typed, problem=True, status=422)
    now = parts().clock.now()
    with parts().database.write() as tx:
        visits.ask(tx, find_site(tx, site), email, asked_language(), request.remote_addr or "", now)
    return make_response(render_template("portal/sent.html", seller=seller, email=email))


@bp.get("/enter/<token:token>")
def knock(site: str, token: str) -> Response:
    """A button and nothing more: programs that open the links of mails press none."""
    return _button(_seller(site), token)


@bp.post("/enter/<token:token>")
def enter(site: str, token: str) -> Response:
    """The pressed button: the link is used up and a session begins."""
    require_form()
    seller = _seller(site)
    if not csrf.is_ours(_entering(seller, token)):
        notice = _("For your safety we could not take this form as it came. Press once more.")
        return _button(seller, token, notice, 403)
    try:
        with parts().database.write() as tx:
            secret = visits.enter(tx, seller.id, token, parts().clock.now())
    except Conflict as spent:
        return make_response(render_template("portal/spent.html", seller=seller), spent.status)
    return give_key(see("portal_entry.door", site=site), site, secret)


@bp.post("/leave")
def leave(site: str) -> Response:
    """Sign out."""
    require_form()
    seller = _seller(site)
    if csrf.is_ours(f"portal/{site}/leave"):
        with parts().database.write() as tx:
            visits.leave(tx, seller.id, key(site), parts().clock.now())
        return take_key(see("portal_entry.door", site=site), site)
    return see("portal_entry.door", site=site)


def _seller(site: str) -> Seller:
    with parts().database.read() as tx:
        return seller_of(find_site(tx, site))


def _form(
    seller: Seller, typed: str = "", *, notice: str | None = None, problem: bool = False, status: int = 200
) -> Response:
    text = _("Fill in your e-mail address, for example name@example.com.")
    page = render_template(
        "portal/door.html", seller=seller, typed=typed, notice=notice, purpose=_asking(seller),
        problems=(Problem("email", text),) if problem else (),
    )  # fmt: skip
    return make_response(page, status)


def _button(seller: Seller, token: str, notice: str | None = None, status: int = 200) -> Response:
    page = render_template(
        "portal/enter.html", seller=seller, token=token, notice=notice, purpose=_entering(seller, token)
    )
    return make_response(page, status)


def _asking(seller: Seller) -> str:
    return f"portal/{seller.slug}"


def _entering(seller: Seller, token: str) -> str:
    return f"portal/{seller.slug}/enter/{token}"
