"""The page behind an invitation's link: choose a password, and in."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from linkpay.errors import InputError, NotFound
from linkpay.services import colleagues, signin
from linkpay.store import owners, sites
from linkpay.web import csrf
from linkpay.web.bodies import require_form
from linkpay.web.edge import parts
from linkpay.web.forms import Problem, tidy
from linkpay.web.i18n import gettext as _
from linkpay.web.owner import gate

bp = Blueprint("owner_joining", __name__, url_prefix="/owner")


@bp.get("/join/<token:token>")
def join(token: str) -> Response:
    """Who invites to what; asks a newcomer for a name and a password."""
    return _show(token)


@bp.post("/join/<token:token>")
def accept(token: str) -> Response:
    """Join the site and go in. The link opens once."""
    require_form()
    name, password = tidy(request.form.get("name", ""))[:120], request.form.get("password", "")
    if not csrf.is_ours(f"join/{token}"):
        return _show(token, name=name, wrong=_("For your safety we could not take this form as it came."))
    try:
        kept = signin.hash_password(password) if _is_new(token) else None
        now = parts().clock.now()
        with parts().database.write() as tx:
            owner = colleagues.accept(tx, token, name, kept, now)
            # Somebody known proves who she is by her own sign-in; the link alone does not open her account.
            opened = signin.open_session(tx, owner, now, whole=True) if kept else None
    except NotFound:
        raise
    except InputError:
        return _show(token, name=name, wrong=_("Choose a password of 12 to 200 characters."))
    if opened is None:
        return make_response(redirect(url_for("owner_door.sign_in"), 303))
    return gate.give_cookie(make_response(redirect(url_for("owner_home.home"), 303)), opened.token)


def _is_new(token: str) -> bool:
    with parts().database.read() as tx:
        found = owners.invitation(tx, signin.hash_of(token), parts().clock.now())
        known = owners.by_email(tx, found.email) if found else None
    return known is None or known.password_hash is None


def _show(token: str, *, name: str = "", wrong: str | None = None) -> Response:
    with parts().database.read() as tx:
        found = owners.invitation(tx, signin.hash_of(token), parts().clock.now())
        if found is None:
            raise NotFound("invitation_unknown", "This invitation was used, withdrawn or is too old.")
        site = sites.get(tx, found.site_id)
    page = render_template(
        "owner/join.html", invitation=found, site=site, is_new=_is_new(token), name=name, token=token,
        problem=Problem("password", wrong) if wrong else None,
    )  # fmt: skip
    return make_response(page, 422 if wrong else 200)
