"""Signing in and out: the password, then the second step."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from linkpay.domain.email import normalise_email
from linkpay.errors import InputError, SlowDown
from linkpay.services import signin
from linkpay.web import csrf
from linkpay.web.bodies import require_form
from linkpay.web.edge import parts
from linkpay.web.forms import Problem
from linkpay.web.i18n import gettext as _
from linkpay.web.owner import gate

bp = Blueprint("owner_door", __name__, url_prefix="/owner")
_PURPOSE = "owner-door"


@bp.get("/sign-in")
def sign_in() -> Response:
    """The empty form."""
    return _show_form()


@bp.post("/sign-in")
def enter() -> Response:
    """Check e-mail and password; what is wrong of the two is not told."""
    require_form()
    typed = request.form.get("email", "")[:254]
    if not csrf.is_ours(_PURPOSE):
        return _show_form(
            typed, _("For your safety we could not take this form as it came. Press once more.")
        )
    try:
        opened = signin.sign_in(
            parts(), normalise_email(typed), request.form.get("password", ""), request.remote_addr or ""
        )
    except SlowDown:
        return _too_often(typed)
    except InputError:
        opened = None
    if opened is None:
        return _show_form(typed, _("That e-mail address and password do not belong together."))
    onward = _onward() if opened.whole else url_for("owner_door.second", to=request.form.get("to") or None)
    return gate.give_cookie(make_response(redirect(onward, 303)), opened.token)


@bp.get("/second-step")
def second() -> Response:
    """Ask for a code of the app."""
    return _show_second()


@bp.post("/second-step")
def give_second() -> Response:
    """Check the code: one of the app, or a recovery code."""
    require_form()
    if not csrf.is_ours(_PURPOSE):
        return _show_second(_("For your safety we could not take this form as it came. Press once more."))
    code = request.form.get("code", "")[:60]
    try:
        done = signin.give_second(parts(), gate.token(), code, request.remote_addr or "")
    except SlowDown:
        return _show_second(_("That was tried too often. Wait a quarter of an hour and try again."), 429)
    if not done:
        return _show_second(_("This code does not open, or not any more. Take the one that is shown now."))
    return make_response(redirect(_onward(), 303))


@bp.post("/sign-out")
def leave() -> Response:
    """End this session."""
    require_form()
    if csrf.is_ours(gate.PURPOSE):
        with parts().database.write() as tx:
            signin.sign_out(tx, gate.token(), parts().clock.now())
    return gate.drop_cookie(make_response(redirect(url_for("owner_door.sign_in"), 303)))


def _onward() -> str:
    """Where she wanted to go, if that is at the desk; no address of anybody else's gets in."""
    wanted = request.form.get("to") or ""
    inside = wanted.startswith("/owner/") and wanted.isprintable()
    return wanted if inside and "\\" not in wanted and "//" not in wanted else url_for("owner_home.home")


def _show_form(email: str = "", wrong: str | None = None) -> Response:
    problem = Problem("email", wrong) if wrong else None
    page = render_template(
        "owner/sign_in.html", email=email, problem=problem, to=request.values.get("to", ""), purpose=_PURPOSE
    )
    return make_response(page, 422 if wrong else 200)


def _too_often(email: str) -> Response:
    page = _show_form(email, _("That was tried too often. Wait a quarter of an hour and try again."))
    page.status_code = 429
    return page


def _show_second(wrong: str | None = None, status: int = 422) -> Response:
    problem = Problem("code", wrong) if wrong else None
    page = render_template(
        "owner/second_step.html", problem=problem, to=request.values.get("to", ""), purpose=_PURPOSE
    )
    return make_response(page, status if wrong else 200)
