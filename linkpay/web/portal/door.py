"""Who is signed in: the session's cookie, and the guard that stands before every room of the portal."""

import re
from dataclasses import dataclass

from flask import Blueprint, Response, g, make_response, redirect, request, url_for

from linkpay.services import visits
from linkpay.web.bodies import require_form
from linkpay.web.edge import edge, parts
from linkpay.web.i18n import asked_language, settle_on
from linkpay.web.shop import Seller, find_site, seller_of

PREFIX = "/<slug:site>/portal"
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who is signed in. `customer_id` is None for one who is let in but pays nothing herself."""

    seller: Seller
    email: str
    customer_id: int | None
    name: str


def rooms(name: str, module: str) -> Blueprint:
    """Pages that only somebody who is signed in on this very site sees; others are led to the door."""
    bp = Blueprint(f"portal_{name}", module, url_prefix=PREFIX)
    bp.before_request(_guard)
    return bp


def guest() -> Guest:
    """Who is signed in; only within a room."""
    found: Guest = g.guest
    return found


def _guard() -> Response | None:
    if request.method == "POST":
        require_form()
    g.guest = signed_in((request.view_args or {})["site"])
    return None if g.guest else to_the_door((request.view_args or {})["site"])


def signed_in(site_slug: str) -> Guest | None:
    """Who shows a session of this site. Raises NotFound for a session of another one, or no such site."""
    secret = request.cookies.get(cookie_name(site_slug), "")
    with parts().database.read() as tx:
        site = find_site(tx, site_slug)
        if not _SECRET.fullmatch(secret):
            return None
        session = visits.session(tx, site.id, secret, parts().clock.now())
        if session is None:
            return None
        customer = session.customer
        if customer is not None:
            settle_on(customer.locale)
            return Guest(seller_of(site), session.email, customer.id, customer.name)
        return Guest(seller_of(site), session.email, None, "")


def cookie_name(site_slug: str) -> str:
    """One session for each site, so that two sites on one host never see each other's."""
    return f"__Host-linkpay-portal-{site_slug}" if edge().secure else f"linkpay-portal-{site_slug}"


def give_key(answer: Response, site_slug: str, secret: str) -> Response:
    """Let the browser keep the session."""
    answer.set_cookie(
        cookie_name(site_slug), secret, path="/", secure=edge().secure, httponly=True, samesite="Lax",
        max_age=int(visits.SESSION_LIFE.total_seconds()),
    )  # fmt: skip
    return answer


def take_key(answer: Response, site_slug: str) -> Response:
    """Let the browser forget the session."""
    answer.delete_cookie(
        cookie_name(site_slug), path="/", secure=edge().secure, httponly=True, samesite="Lax"
    )
    return answer


def key(site_slug: str) -> str:
    """The session's secret as the browser shows it; empty without one."""
    return request.cookies.get(cookie_name(site_slug), "")


def to_the_door(site_slug: str) -> Response:
    """The page to sign in on."""
    return see("portal_entry.door", site=site_slug)


def see(endpoint: str, **values: str) -> Response:
    """The next page by GET, in the language that is spoken."""
    address = url_for(endpoint, lang=asked_language(), **values)  # type: ignore[arg-type]  # plain values
    return make_response(redirect(address, 303))
