"""Who may see and do what at the owner's desk: one decorator on every route, and nothing without it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec

from flask import Response, abort, g, make_response, redirect, render_template, request, url_for

from linkpay.domain.roles import Right, Role, may
from linkpay.errors import NotFound
from linkpay.services import signin
from linkpay.web import csrf
from linkpay.web.bodies import require_form
from linkpay.web.edge import edge, parts
from linkpay.web.i18n import settle_on
from linkpay.web.shop import Seller, seller_of

P = ParamSpec("P")
#: What forms of the desk are signed for; the session's cookie says whose they are.
PURPOSE = "owner"


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in. `sites` are (slug, name, role)."""

    id: int
    email: str
    name: str
    locale: str
    session_id: int
    has_second: bool
    sites: tuple[tuple[str, str, Role], ...]


@dataclass(frozen=True, slots=True)
class Desk:
    """One site as one person manages it. `actor` is how the journal names her."""

    person: Person
    site: Seller
    role: Role

    @property
    def actor(self) -> str:
        """Who did it, for the journal."""
        return f"owner:{self.person.email}"[:60]

    def may(self, right: Right) -> bool:
        """Whether she may do this here."""
        return may(self.role, right)


def cookie_name() -> str:
    """The browser refuses a cookie with this prefix from anybody but this very host, by https."""
    return "__Host-linkpay-owner" if edge().secure else "linkpay-owner"


def give_cookie(response: Response, token: str) -> Response:
    """Let the browser keep the session; no script can read it."""
    life = int(signin.SESSION_LIFE.total_seconds())
    response.set_cookie(
        cookie_name(), token, max_age=life, path="/", secure=edge().secure, httponly=True, samesite="Lax"
    )
    return response


def drop_cookie(response: Response) -> Response:
    """Let the browser forget the session."""
    response.delete_cookie(cookie_name(), path="/", secure=edge().secure, httponly=True, samesite="Lax")
    return response


def token() -> str:
    """The session's cookie as it came."""
    return request.cookies.get(cookie_name(), "")


def person_page(view: Callable[P, Response]) -> Callable[P, Response]:
    """A page of the person herself: signed in, on no particular site. She is at ``g.person``."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
        found, _ = _present()
        if found is None:
            return _to_the_door()
        return _with_form_check(view, *args, **kwargs)

    return guarded


def site_page(
    right: Right, *, body_bytes: int | None = None
) -> Callable[[Callable[P, Response]], Callable[P, Response]]:
    """A page of one site, for who may do `right` there. The desk is at ``g.desk``.

    A site that she does not manage is a 404, as if it did not exist. `body_bytes` lets a form with a file
    be larger than others.
    """

    def wrap(view: Callable[P, Response]) -> Callable[P, Response]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
            person, sites = _present()
            if person is None:
                return _to_the_door()
            slug = str((request.view_args or {}).get("site"))
            if slug not in sites:
                raise NotFound("site_unknown", "There is no such site.")
            seller, role = sites[slug]
            g.desk, g.seller = Desk(person, seller, role), None
            if not may(role, right):
                return make_response(render_template("owner/not_yours.html", desk=g.desk), 403)
            if body_bytes is not None:
                request.max_content_length = body_bytes
            return _with_form_check(view, *args, **kwargs)

        guarded.needs = right  # type: ignore[attr-defined]  # for the test that every route says what it needs
        return guarded

    return wrap


def _with_form_check(view: Callable[P, Response], *args: P.args, **kwargs: P.kwargs) -> Response:
    if request.method == "POST":
        require_form()
        if not csrf.is_ours(PURPOSE):
            abort(403)
    return view(*args, **kwargs)


def _present() -> tuple[Person | None, dict[str, tuple[Seller, Role]]]:
    """Who is wholly signed in, and her sites by the name in their addresses."""
    with parts().database.read() as tx:
        found = signin.present(tx, token(), parts().clock.now())
        if found is None or not found.whole:
            return None, {}
        sites = {site.slug: (seller_of(site), role) for site, role in found.sites}
        owner = found.owner
        person = Person(
            owner.id, owner.email, owner.name, owner.locale, found.session_id,
            owner.totp_confirmed_at is not None,
            tuple((slug, seller.name, role) for slug, (seller, role) in sites.items()),
        )  # fmt: skip
    g.person = person
    settle_on(owner.locale)
    return person, sites


def _to_the_door() -> Response:
    """To the sign-in page and back; only addresses of the desk itself are remembered."""
    asked = request.full_path.rstrip("?") if request.method == "GET" else ""
    return make_response(redirect(url_for("owner_door.sign_in", to=asked or None), 303))
