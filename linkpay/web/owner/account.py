"""One's own account: language, second step, recovery codes."""

import segno
from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from markupsafe import Markup

from linkpay.services import second_factor
from linkpay.services.formats import LOCALES
from linkpay.store import owners
from linkpay.store.db import FOR_CHANGE
from linkpay.store.tables import Owner
from linkpay.web.edge import parts
from linkpay.web.forms import Problem
from linkpay.web.i18n import gettext as _
from linkpay.web.owner import gate

bp = Blueprint("owner_account", __name__, url_prefix="/owner")


@bp.get("/account")
@gate.person_page
def account() -> Response:
    """What is set, with a button for each change."""
    person: gate.Person = g.person
    with parts().database.read() as tx:
        left = owners.codes_left(tx, person.id)
    return make_response(render_template("owner/account.html", person=person, codes_left=left))


@bp.post("/account/language")
@gate.person_page
def language() -> Response:
    """Speak another language from now on."""
    person: gate.Person = g.person
    chosen = request.form.get("language")
    if chosen in LOCALES:
        with parts().database.write() as tx:
            tx.get_one(Owner, person.id).locale = chosen
    return make_response(redirect(url_for("owner_account.account"), 303))


@bp.route("/account/second-step", methods=["GET"])
@gate.person_page
def begin_second() -> Response:
    """Show the secret for the app, as a picture and as text."""
    return _show_secret()


@bp.post("/account/second-step")
@gate.person_page
def confirm_second() -> Response:
    """Switch the second step on with the first code; shows the recovery codes once."""
    person: gate.Person = g.person
    now = parts().clock.now()
    with parts().database.write() as tx:
        owner = tx.get_one(Owner, person.id, with_for_update=FOR_CHANGE)
        code = "".join(request.form.get("code", "").split())
        codes = second_factor.confirm(tx, owner, parts().box, code, now)
        if codes is not None:
            owners.end_sessions(tx, owner.id, now, but=person.session_id)
    if codes is None:
        return _show_secret(
            _("This code does not fit. Take the one that is shown now, and check your phone's clock.")
        )
    return make_response(render_template("owner/recovery_codes.html", person=person, codes=codes))


@bp.post("/account/recovery-codes")
@gate.person_page
def new_codes() -> Response:
    """Fresh recovery codes; the old ones open nothing any more."""
    person: gate.Person = g.person
    if not person.has_second:
        return make_response(redirect(url_for("owner_account.account"), 303))
    with parts().database.write() as tx:
        codes = second_factor.new_recovery_codes(tx, tx.get_one(Owner, person.id), parts().clock.now())
    return make_response(render_template("owner/recovery_codes.html", person=person, codes=codes))


def _show_secret(wrong: str | None = None) -> Response:
    person: gate.Person = g.person
    if person.has_second:
        return make_response(redirect(url_for("owner_account.account"), 303))
    with parts().database.write() as tx:
        owner = tx.get_one(Owner, person.id, with_for_update=FOR_CHANGE)
        secret = second_factor.begin(tx, owner, parts().box)
    code = segno.make(second_factor.address(secret, owner, "LinkPay"), error="m")
    picture = code.svg_inline(scale=5, border=2, dark="#000", light="#fff", omitsize=True)
    page = render_template(
        "owner/second_step_on.html", person=person, secret=secret, picture=Markup(picture),  # noqa: S704 - drawn by us
        problem=Problem("code", wrong) if wrong else None,
    )  # fmt: skip
    return make_response(page, 422 if wrong else 200)
